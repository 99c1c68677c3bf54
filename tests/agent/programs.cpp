// SPDX-License-Identifier: Apache-2.0
#include "scripted_driver.hpp"

#include <corolith/agent/agent.hpp>

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>

using namespace agent_tests;
namespace fs = std::filesystem;

namespace {

std::string running_path() { return own_path(); }

// What the worker holds open of the file that it runs.
std::size_t own_program_descriptors() {
  std::size_t count = 0;
  for (const auto& each : fs::directory_iterator("/proc/self/fd")) {
    std::error_code gone;  // the iterator's own
    count += fs::read_symlink(each, gone) == own_path();
  }
  return count;
}
std::string own_name() {
  std::ifstream file("/proc/self/comm");
  std::string name;
  std::getline(file, name);
  return name;
}
void die() { ::kill(::getpid(), SIGKILL); }

// The program is nowhere that the agent can see, but the driver can send it.
void hide_program(scripted_driver& driver) {
  wire::module_file& file = driver.welcome.modules.front();
  driver.source_of[file.name] = file.path;
  file.path = "/nonexistent/" + file.name;
}

std::string cached(const scripted_driver& driver) {
  return driver.folder.path() + "/cache/" + cl::agent::to_hex(driver.welcome.modules.front().sha256);
}

}  // namespace

TEST_CASE("a program on the shared file system is used where it is", "[agent]") {
  scripted_driver driver;
  agent_view& agent = driver.ready_agent();
  CHECK(driver.run<&running_path>(agent, {}).value<std::string>() == own_path());
  CHECK(agent.files_sent == 0);
}

TEST_CASE("workers run the file that was hashed, whatever takes its place", "[agent]") {
  scripted_driver driver;
  const std::string program = driver.folder.path() + "/program", other = program + ".new";
  fs::copy_file(own_path(), program);
  driver.welcome.modules = {scripted_driver::module_of(program, true)};
  agent_view& agent = driver.ready_agent();
  CHECK(driver.run<&running_path>(agent, {}).value<std::string>() == program);
  std::ofstream(other) << "#!/bin/sh\nexit 3\n";
  fs::permissions(other, fs::perms::owner_all);
  fs::rename(other, program);
  CHECK(driver.run<&die>(agent, {}).failure().signal == SIGKILL);
  CHECK(driver.run<&running_path>(agent, {}).value<std::string>() == program + " (deleted)");
  CHECK(driver.run<&own_name>(agent, {}).value<std::string>() == "program");
  CHECK(driver.run<&own_program_descriptors>(agent, {}).value<std::size_t>() == 0);
}

TEST_CASE("a program that the agent cannot see comes over the wire once", "[agent]") {
  scripted_driver driver;
  hide_program(driver);
  agent_view& cold = driver.ready_agent();
  CHECK(cold.files_sent == 1);
  CHECK(driver.run<&running_path>(cold, {}).value<std::string>() == cached(driver));
  agent_view& warm = driver.ready_agent();
  CHECK(warm.files_sent == 0);
  CHECK(driver.run<&running_path>(warm, {}).value<std::string>() == cached(driver));
}

TEST_CASE("a file of the right name and size but other bytes is not the program", "[agent]") {
  scripted_driver driver;
  hide_program(driver);
  wire::module_file& file = driver.welcome.modules.front();
  file.path = driver.folder.path() + "/" + file.name;
  fs::copy_file(own_path(), file.path);
  {
    std::fstream damaged(file.path, std::ios::in | std::ios::out | std::ios::binary);
    damaged.seekp(1000);
    damaged.put('!').put('?');
  }
  agent_view& agent = driver.ready_agent();
  CHECK(agent.files_sent == 1);
  CHECK(driver.run<&running_path>(agent, {}).value<std::string>() == cached(driver));
}

TEST_CASE("a damaged cache entry is fetched again", "[agent]") {
  scripted_driver driver;
  hide_program(driver);
  driver.ready_agent();
  fs::permissions(cached(driver), fs::perms::owner_all);
  // Not written into: somebody may be running it.
  fs::remove(cached(driver));
  std::ofstream(cached(driver)) << "half a program";
  agent_view& agent = driver.ready_agent();
  CHECK(agent.files_sent == 1);
  CHECK(driver.run<&running_path>(agent, {}).value<std::string>() == cached(driver));
}

TEST_CASE("two agents of a node fetch a program once", "[agent]") {
  scripted_driver driver;
  hide_program(driver);
  driver.start_agent();
  driver.start_agent();
  driver.wait([&] { return driver.agents.size() == 2 && driver.agents[0]->ready && driver.agents[1]->ready; });
  CHECK(driver.agents[0]->files_sent + driver.agents[1]->files_sent == 1);
  for (auto& agent : driver.agents) CHECK(driver.run<&running_path>(*agent, {}).value<std::string>() == cached(driver));
}

TEST_CASE("a file that is not what was announced is refused", "[agent]") {
  scripted_driver driver;
  hide_program(driver);
  const std::string other = driver.folder.path() + "/other";
  std::ofstream(other) << "#!/bin/sh\n";
  driver.source_of[driver.welcome.modules.front().name] = other;
  agent_view& agent = driver.ready_agent();
  CHECK_THAT(agent.failed, Catch::Contains("not the one it announced"));
  CHECK_FALSE(fs::exists(cached(driver)));
}

TEST_CASE("a file that the driver does not have any more is a clear failure", "[agent]") {
  scripted_driver driver;
  hide_program(driver);
  driver.source_of[driver.welcome.modules.front().name] = "/nonexistent/file";
  CHECK_THAT(driver.ready_agent().failed, Catch::Contains("rebuilt"));
}

TEST_CASE("a worker that cannot start fails the agent with what it said", "[agent]") {
  scripted_driver driver;
  // It does not know the words that workers are started with.
  driver.welcome.modules = {scripted_driver::module_of("/bin/ls", true)};
  const pid_t pid = driver.start_agent();
  driver.wait([&] { return driver.agents.size() == 1 && driver.agents[0]->closed; });
  CHECK_THAT(driver.agents[0]->failed, Catch::Contains("exit status 2") && Catch::Contains("option"));
  CHECK(driver.wait_exit(pid) == 1);
}

TEST_CASE("a program that cannot be executed says so", "[agent]") {
  scripted_driver driver;
  const std::string file = driver.folder.path() + "/program";
  std::ofstream(file) << "no program";
  fs::permissions(file, fs::perms::owner_all);
  driver.welcome.modules = {scripted_driver::module_of(file, true)};
  driver.start_agent();
  driver.wait([&] { return driver.agents.size() == 1 && !driver.agents[0]->failed.empty(); });
  CHECK_THAT(driver.agents[0]->failed, Catch::Contains("cannot execute " + file + ": Exec format error"));
}

TEST_CASE("libraries that came over the wire keep their names", "[agent]") {
  temporary_folder folder;
  const cl::agent::program_cache cache(folder.path() + "/cache");
  const std::string text = "not really a library";
  wire::module_file library{"/x/libmine.so.1", "libmine.so.1", cl::agent::sha256_of(std::as_bytes(std::span(text))),
                            text.size(), false};
  CHECK_FALSE(cache.find(library));
  const std::string path = cache.install(library, std::as_bytes(std::span(text))).path;
  const auto found = cache.find(library);
  REQUIRE(found);
  CHECK(found->path == path);
  CHECK((fs::status(path).permissions() & fs::perms::all) == (fs::perms::owner_read | fs::perms::owner_exec));
  const std::string libraries = cache.library_folder({library}, {path});
  CHECK(fs::read_symlink(libraries + "/libmine.so.1") == path);
  CHECK(cache.library_folder({library}, {path}) == libraries);
  for (const auto& entry : fs::directory_iterator(cache.folder()))
    CHECK_FALSE(entry.path().filename().string().starts_with("incoming"));
}

TEST_CASE("what a killed agent left half written goes, what another writes stays", "[agent]") {
  temporary_folder folder;
  const std::string cache = folder.path() + "/cache", old = cache + "/incoming-a", fresh = cache + "/incoming-b";
  fs::create_directory(cache);
  fs::permissions(cache, fs::perms::owner_all);
  for (const std::string& file : {old, fresh}) std::ofstream(file) << "half a program";
  fs::last_write_time(old, fs::file_time_type::clock::now() - std::chrono::hours(2));
  const cl::agent::program_cache opened(cache);
  CHECK_FALSE(fs::exists(old));
  CHECK(fs::exists(fresh));
}

TEST_CASE("one permit for each file", "[agent]") {
  temporary_folder folder;
  const cl::agent::program_cache mine(folder.path() + "/cache"), other(folder.path() + "/cache");
  wire::module_file a, b;
  b.sha256[0] = 1;
  auto first = mine.try_permit(a);
  REQUIRE(first);
  CHECK_FALSE(other.try_permit(a));
  CHECK(other.try_permit(b));
  first.reset();
  CHECK(other.try_permit(a));
}

TEST_CASE("a cache that others can write to is refused", "[agent]") {
  temporary_folder folder;
  fs::create_directory(folder.path() + "/open");
  fs::permissions(folder.path() + "/open", fs::perms::all);
  CHECK_THROWS_AS(cl::agent::program_cache(folder.path() + "/open"), cl::config_error);
  CHECK_THROWS_AS(cl::agent::program_cache("relative/path"), cl::config_error);
}

TEST_CASE("agent options are words on a command line", "[agent]") {
  const auto options = cl::agent::parse_agent_options(
      {"connect=tcp:host:1", "slots=3", "cpu_list=0,2,4", "memory=123456789012", "launch_tag=a=b"});
  CHECK(options.connect == "tcp:host:1");
  CHECK(options.slots == 3);
  CHECK(options.cpu_list == std::vector<int>{0, 2, 4});
  CHECK(options.memory == 123456789012);
  CHECK(options.launch_tag == "a=b");
  CHECK_THROWS_WITH(cl::agent::parse_agent_options({"slots=many"}),
                    Catch::Contains("slots") && Catch::Contains("many"));
  CHECK_THROWS_WITH(cl::agent::parse_agent_options({"colour=red"}), Catch::Contains("colour"));
  CHECK_THROWS_AS(cl::agent::parse_agent_options({"slots"}), cl::config_error);
}
