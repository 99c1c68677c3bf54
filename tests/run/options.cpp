// SPDX-License-Identifier: Apache-2.0
#include <corolith/run/options.hpp>

#include "support.hpp"

#include <filesystem>
#include <fstream>

using namespace run_test;

namespace {

/// Variables of the environment for as long as it lives.
class environment {
 public:
  environment(std::initializer_list<std::pair<const char*, const char*>> variables) {
    for (const auto& [name, value] : variables) {
      ::setenv(name, value, 1);
      names_.push_back(name);
    }
  }
  ~environment() {
    for (const char* name : names_) ::unsetenv(name);
  }
  environment(const environment&) = delete;
  environment& operator=(const environment&) = delete;

 private:
  std::vector<const char*> names_;
};

parsed_options parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "program");
  return parse_options(static_cast<int>(arguments.size()), arguments.data());
}

std::string complaint(std::vector<const char*> arguments) {
  return thrown<config_error>([&] { parse(arguments); }).what();
}

class file {
 public:
  explicit file(const std::string& text) { std::ofstream(path()) << text; }
  std::string path() const { return folder_ / "run.json"; }

 private:
  scratch folder_;
};

}  // namespace

TEST_CASE("flags set options", "[run]") {
  const parsed_options parsed =
      parse({"--agents", "2",        "--slots=3",   "--timeout", "250ms",           "--retries",   "4",
             "--memory", "512MiB",   "--log-level", "debug",     "--progress",      "never",       "--grace",
             "2s",       "--rejoin", "0s",          "--listen",  "tcp:127.0.0.1:0", "--isolation", "thread"});
  CHECK(parsed.value.agents == 2);
  CHECK(parsed.value.slots == 3);
  CHECK(parsed.value.defaults.timeout == std::chrono::nanoseconds(250ms));
  CHECK(parsed.value.defaults.retries == 4u);
  CHECK(parsed.value.defaults.memory == std::uint64_t{512} << 20);
  CHECK(parsed.value.log_level == "debug");
  CHECK(parsed.value.progress == progress_mode::never);
  CHECK(parsed.value.isolation == isolation_mode::thread);
  CHECK(parse({"--isolation", "process"}).value.isolation == isolation_mode::process);
  CHECK(parse({}).value.isolation == isolation_mode::process);
  CHECK(parsed.value.grace == std::chrono::nanoseconds(2s));
  CHECK(parsed.value.rejoin == std::chrono::nanoseconds(0s));
  CHECK(parsed.value.listen == "tcp:127.0.0.1:0");
  CHECK(parsed.rest.empty());
  CHECK(parsed.help.empty());
  CHECK(parse({}).value.agents == options().agents);
}

TEST_CASE("what is not corolith's is the program's", "[run]") {
  CHECK(parse({"input.txt", "--agents", "2", "--samples", "10", "-v"}).rest ==
        std::vector<std::string>{"input.txt", "--samples", "10", "-v"});
  CHECK(parse({"--agents", "2", "--", "--slots", "3"}).rest == std::vector<std::string>{"--slots", "3"});
  CHECK(parse({"--", "--help"}).help.empty());
}

TEST_CASE("flags come before variables, variables before the file", "[run]") {
  const file settings(R"({"agents": 5, "slots": 6, "timeout": "3s", "log-level": "error"})");
  const environment variables{{"COROLITH_AGENTS", "3"}, {"COROLITH_SLOTS", "4"}, {"COROLITH_LOG_LEVEL", "info"}};
  const parsed_options parsed = parse({"--config", settings.path().c_str(), "--agents", "2"});
  CHECK(parsed.value.agents == 2);
  CHECK(parsed.value.slots == 4);
  CHECK(parsed.value.log_level == "info");
  CHECK(parsed.value.defaults.timeout == std::chrono::nanoseconds(3s));
  const std::string path = settings.path();
  const environment named{{"COROLITH_CONFIG", path.c_str()}};
  CHECK(parse({}).value.defaults.timeout == std::chrono::nanoseconds(3s));
}

TEST_CASE("nodes is another name of agents", "[run]") {
  CHECK(parse({"--nodes", "3"}).value.agents == 3);
  const environment both{{"COROLITH_NODES", "5"}};
  CHECK(parse({"--agents", "4"}).value.agents == 4);
  CHECK(parse({}).value.agents == 5);
  CHECK(contains(complaint({"--agents", "4", "--nodes", "4"}), "twice"));
  CHECK(contains(complaint({"--nodes", "none"}), "flag --nodes"));
}

TEST_CASE("what is wrong is named, with its place", "[run]") {
  const auto names = [](const std::string& text, std::initializer_list<const char*> parts) {
    INFO(text);
    for (const char* part : parts) CHECK(contains(text, part));
  };
  SECTION("flags") {
    names(complaint({"--agents", "many"}), {"flag --agents", "many"});
    names(complaint({"--agents", "0"}), {"flag --agents", "0"});
    names(complaint({"--timeout", "soon"}), {"flag --timeout", "soon"});
    names(complaint({"--timeout", "-1s"}), {"flag --timeout", "-1s"});
    names(complaint({"--memory", "lots"}), {"flag --memory", "lots"});
    names(complaint({"--progress", "loud"}), {"flag --progress", "loud"});
    names(complaint({"--isolation", "glass"}), {"flag --isolation", "glass", "process", "thread"});
    names(complaint({"--log-level", "shout"}), {"flag --log-level", "shout"});
    names(complaint({"--launcher", "magic"}), {"flag --launcher", "magic"});
    names(complaint({"--agents"}), {"--agents"});
  }
  SECTION("variables") {
    const environment variables{{"COROLITH_RETRIES", "x"}};
    names(complaint({}), {"environment variable COROLITH_RETRIES", "x"});
  }
  SECTION("the file") {
    const auto of_file = [&](const char* text, std::initializer_list<const char*> parts) {
      const file settings(text);
      const std::string path = settings.path();
      const std::string said = complaint({"--config", path.c_str()});
      names(said, parts);
      CHECK(contains(said, path));
    };
    of_file(R"({"slots": "x"})", {"slots"});
    of_file(R"({"slots": -1})", {"slots", "-1"});
    of_file(R"({"slotz": 1})", {"slotz", "--help"});
    of_file(R"({"agents": [1]})", {"agents"});
    of_file(R"({"agents": )", {});
    of_file(R"([1, 2])", {});
    of_file("", {});
    names(complaint({"--config", "/no/such/file"}), {"/no/such/file"});
  }
}

TEST_CASE("the help lists every setting", "[run]") {
  const std::string help = parse({"--help"}).help;
  for (const char* each : {"--agents", "--slots", "--launcher", "--timeout", "--retries", "--memory", "--config",
                           "--progress", "--log-level", "--listen", "COROLITH_"})
    CHECK(contains(help, each));
  CHECK(parse({"-h"}).help == help);
  CHECK(contains(parse({"--version"}).help, std::to_string(COROLITH_VERSION_MAJOR) + "."));
}

TEST_CASE("a store is a folder or a URL, the same wherever workers run", "[run]") {
  CHECK(parse({}).value.store.empty());
  CHECK_FALSE(parse({}).value.store_threshold.has_value());
  CHECK(parse({"--store", "data/objects"}).value.store ==
        "posix://" + (std::filesystem::current_path() / "data/objects").string());
  CHECK(parse({"--store=/data", "--store-threshold", "64MiB"}).value.store == "posix:///data");
  CHECK(parse({"--store=/data", "--store-threshold", "64MiB"}).value.store_threshold == 64 << 20);
  CHECK(parse({"--store-threshold", "never"}).value.store_threshold == 0);
  CHECK(parse({"--store", "s3://bucket/a"}).value.store == "s3://bucket/a");
  for (const std::vector<std::string>& each : {std::vector<std::string>{"--store", "gopher://x", "s3://"},
                                               {"--store", "s3://bucket?secret_key=x", "AWS_SECRET_ACCESS_KEY"},
                                               {"--store-threshold", "much", "much"}}) {
    const std::string said = complaint({each[0].c_str(), each[1].c_str()});
    CHECK(contains(said, "flag " + each[0]));
    CHECK(contains(said, each[2]));
  }
}
