// SPDX-License-Identifier: Apache-2.0
// The beginning and the end of executors.
#include <corolith/run/executor.hpp>

#include <corolith/coro/this_task.hpp>

#include "support.hpp"

#include <filesystem>
#include <optional>
#include <ranges>

using namespace run_test;

namespace {

int square(int x) { return x * x; }
int hangs(int x, const std::string& file) {
  note(file);
  std::this_thread::sleep_for(1h);
  return x;
}
int leaves_children(const std::string& file) {
  for (int i = 0; i < 2; ++i)
    if (::fork() == 0) {
      for (;;) ::sleep(3600);
    }
  note(file);
  return 2;
}

// Ends each process that is started with it in its environment before its main, as a program that lacks a library
// would.
bool dies_at_start(std::string_view role) {
  const char* wanted = std::getenv("COROLITH_TEST_DIES_AS");
  if (wanted == nullptr || role.find(wanted) == std::string_view::npos) return false;
  [[maybe_unused]] const auto written = ::write(2, "no licence for this program\n", 28);
  ::_exit(9);
}
[[maybe_unused]] const bool lives = dies_at_start(read_file("/proc/self/cmdline"));

struct variable {
  variable(const char* name, const char* value) : name_(name) { ::setenv(name, value, 1); }
  ~variable() { ::unsetenv(name_); }
  variable(const variable&) = delete;
  variable& operator=(const variable&) = delete;

 private:
  const char* name_;
};

}  // namespace

TEST_CASE("closing an executor ends the calls that run", "[run]") {
  const scratch folder;
  std::optional<cluster> local(std::in_place, options{.slots = 2});
  future<int> one = (*local)->call<hangs>(1, folder / "running");
  batch<int> many = (*local)->map<hangs>(std::views::iota(0, 10), folder / "running");
  future<int> reduced = (*local)->map_reduce(
      codec::fixed<hangs>{}, [](std::vector<int>) { return 0; }, std::vector{1}, folder / "running");
  wait_until([&] { return notes(folder / "running") == 2; });
  SECTION("by its end") { local.reset(); }
  SECTION("by close") {
    (*local)->close();
    CHECK(leftovers() == std::vector<std::string>{});  // it returns when all is gone
  }
  CHECK(thrown<error>([&] { one.get(); }).code() == errc::closed);
  CHECK(thrown<error>([&] { many.get(); }).code() == errc::closed);
  CHECK(thrown<error>([&] { reduced.get(); }).code() == errc::closed);
}

TEST_CASE("an executor may be closed more than once, and takes no calls then", "[run]") {
  cluster local;
  CHECK(local->call<square>(2).get() == 4);
  const executor copy = *local;
  local->close();
  local->close();
  copy.close();
  CHECK(thrown<error>([&] { local->call<square>(2).get(); }).code() == errc::closed);
  CHECK(thrown<error>([&] { copy.map<square>(std::vector{1, 2}).get(); }).code() == errc::closed);
  CHECK(thrown<error>([&] { copy.map<square>(std::views::iota(0, 9)).get(); }).code() == errc::closed);
  CHECK(thrown<error>([&] { sync_wait(as_result(copy.map<square>(std::vector<int>()))); }).code() == errc::closed);
  local->cancel_all();
}

TEST_CASE("an executor that does nothing begins and ends", "[run]") {
  for (int i = 0; i < 3; ++i) cluster local;
  cluster at_once;
  at_once->close();
}

TEST_CASE("an executor may be closed while another thread uses it", "[run]") {
  cluster local;
  std::thread user([ex = *local] {
    try {
      for (int i = 0;; ++i)
        if (ex.call<square>(i % 100).get() != (i % 100) * (i % 100)) return;
    } catch (const error& e) {
      if (e.code() != errc::closed) std::terminate();
    }
  });
  CHECK(local->call<square>(3).get() == 9);
  local->close();
  user.join();
}

TEST_CASE("letting go of a future lets its call run", "[run]") {
  cluster local;
  const scratch folder;
  const auto leave = [](const std::string& file) { note(file); };
  for (int i = 0; i < 10; ++i) static_cast<void>(local->call(leave, folder / "left"));
  wait_until([&] { return notes(folder / "left") == 10; });
}

TEST_CASE("results outlive their executor", "[run]") {
  std::optional<cluster> local(std::in_place);
  future<int> one = (*local)->call<square>(12);
  batch<int> many = (*local)->map<square>(std::vector{1, 2});
  one.wait();
  wait_until([&] { return many.done_count() == 2; });
  const auto collected = many.get();
  local.reset();
  CHECK(one.get() == 144);
  CHECK(collected == std::vector{1, 4});
}

TEST_CASE("two executors in one process have nothing to do with each other", "[run]") {
  cluster first, second;
  batch<int> a = first->map<square>(std::views::iota(0, 100));
  batch<int> b = second->map<square>(std::views::iota(0, 100));
  CHECK(a.get() == b.get());
  const scratch folder;
  future<int> running = second->call<hangs>(1, folder / "running");
  wait_until([&] { return notes(folder / "running") == 1; });
  first->close();
  CHECK(second->call<square>(5).get() == 25);
  CHECK_FALSE(running.ready());
}

TEST_CASE("agents hold nothing open that is the program's", "[run]") {
  int pipe_ends[2];
  REQUIRE(::pipe(pipe_ends) == 0);  // to be inherited
  cluster local;
  CHECK(local->call([] { return 1; }).get() == 1);
  ::close(pipe_ends[1]);
  char end;
  CHECK(::read(pipe_ends[0], &end, 1) == 0);  // nobody else has the other end
  ::close(pipe_ends[0]);
}

TEST_CASE("processes that a call leaves behind end with its worker", "[run]") {
  const scratch folder;
  cluster local(options{.slots = 1});
  CHECK(local->call<leaves_children>(folder / "here").get() == 2);
  CHECK(started_processes().size() == 5);  // agent, worker, its two, and the guard of the session folder
}

TEST_CASE("agents that die at their start are an error that says why", "[run]") {
  const variable dies("COROLITH_TEST_DIES_AS", "--corolith-agent");
  cluster local(options{.relaunch = 1, .log_level = "off"});
  const auto failure = thrown<launch_failed>([&] { local->call<square>(1).get(); });
  CHECK(contains(failure.what(), "exit status 9"));
  CHECK(contains(failure.what(), "no licence for this program"));
}

TEST_CASE("workers that die at their start are an error that says why", "[run]") {
  const variable dies("COROLITH_TEST_DIES_AS", "--corolith-worker");
  cluster local(options{.agents = 2, .slots = 1, .log_level = "off"});
  const auto failure = thrown<launch_failed>([&] { local->call<square>(1).get(); });
  CHECK(contains(failure.what(), "no licence for this program"));
}

TEST_CASE("an environment in which no worker starts fails its calls, and no others", "[run]") {
  cluster local(options{.slots = 1});
  CHECK(local->call<square>(2).get() == 4);
  const executor bad = local->with({.env = {{"COROLITH_TEST_DIES_AS", "--corolith-worker"}}});
  CHECK_THROWS_AS(bad.call<square>(2).get(), worker_lost);
  CHECK(local->call<square>(3).get() == 9);
}

TEST_CASE("options that cannot work are refused when the executor is made", "[run]") {
  runtime_folder();
  CHECK_THROWS_AS(executor(options{.launcher = "nope"}), config_error);
  CHECK_THROWS_AS(executor(options{.log_level = "loud"}), config_error);
  CHECK_THROWS_AS(executor(options{.listen = "nowhere"}), error);
  CHECK_THROWS(executor(options{.listen = "tcp:192.0.2.1:1"}));  // an address of no machine
  check_nothing_left();
}

TEST_CASE("a folder that cannot be made is an error that names it", "[run]") {
  const scratch folder;
  const std::string deep = folder / std::string(120, 'd');  // too long for a socket's name
  std::filesystem::create_directory(deep);
  const std::string before = runtime_folder();
  {
    const variable elsewhere("XDG_RUNTIME_DIR", deep.c_str());
    CHECK_THROWS_AS(executor(options{}), error);
    CHECK(std::filesystem::is_empty(deep));
  }
  ::setenv("XDG_RUNTIME_DIR", before.c_str(), 1);
}

TEST_CASE("agents may call back over TLS", "[run]") {
  const scratch folder;
  cluster local(options{.agents = 2, .slots = 1, .listen = "tcp:127.0.0.1:0"});
  CHECK(local->map<square>(std::views::iota(0, 50)).get().back() == 49 * 49);
  std::vector<process> agents;
  // While an agent starts a worker there are for a moment two processes with its command line.
  wait_until([&] { return (agents = started_processes("--corolith-agent")).size() == 2; });
  for (const process& each : agents) CHECK(contains(each.command, "connect=tcp:127.0.0.1:"));
}

TEST_CASE("agents call back where interface and ports say", "[run]") {
  const scratch folder;
  const auto port_of = [](const std::vector<process>& agents) {
    const std::string mark = "connect=tcp:127.0.0.1:";
    const std::size_t at = agents.at(0).command.find(mark);
    REQUIRE(at != std::string::npos);
    return static_cast<std::uint16_t>(std::stoul(agents[0].command.substr(at + mark.size())));
  };
  const port_range range{47000, 48999};
  cluster local(options{.slots = 1, .interface = "lo", .ports = range});
  CHECK(local->call<square>(3).get() == 9);
  const std::uint16_t taken = port_of(started_processes("--corolith-agent"));
  CHECK((taken >= range.first && taken <= range.last));
  const auto complaint = [](options with) {
    return std::string(thrown<config_error>([&] { const executor other(std::move(with)); }).what());
  };
  CHECK(contains(complaint({.listen = "tcp:127.0.0.1:0", .ports = port_range{taken, taken}}), "--ports"));
  CHECK(contains(complaint({.interface = "none0"}), "lo"));
}
