// SPDX-License-Identifier: Apache-2.0
#include <corolith/core/config.hpp>

#include <catch2/catch.hpp>

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <string>

using namespace corolith;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;

namespace {

class temporary_file {
 public:
  explicit temporary_file(const std::string& text) {
    char path[] = "/tmp/corolith-config-XXXXXX";
    ::close(::mkstemp(path));
    path_ = path;
    std::ofstream(path_) << text;
  }
  ~temporary_file() { std::remove(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

config::entry entry_of(std::string value) { return {std::move(value), "flag --x"}; }

}  // namespace

TEST_CASE("what is read first stays") {
  config settings;
  settings.set("agents", "2", "flag --agents");
  settings.set("agents", "3", "environment variable COROLITH_AGENTS");
  REQUIRE(settings.find("agents")->value == "2");
  REQUIRE(settings.find("agents")->source == "flag --agents");
  REQUIRE(settings.find("slots") == nullptr);
}

TEST_CASE("a file gives strings, numbers, booleans and nested keys") {
  const temporary_file file(R"({"launcher": "local", "agents": 2, "deep": {"factor": 0.5, "on": true}})");
  config settings;
  settings.read_file(file.path());
  REQUIRE(settings.find("launcher")->value == "local");
  REQUIRE(settings.find("agents")->value == "2");
  REQUIRE(settings.find("deep.factor")->value == "0.5");
  REQUIRE(settings.find("deep.on")->value == "true");
  REQUIRE_THAT(settings.find("agents")->source, Contains(file.path()) && Contains("key agents"));
}

TEST_CASE("a broken file is named with what is wrong") {
  config settings;
  REQUIRE_THROWS_WITH(settings.read_file("/no/such/file.json"),
                      Contains("/no/such/file.json") && Contains("cannot be read"));
  const temporary_file broken(R"({"agents": )");
  REQUIRE_THROWS_WITH(settings.read_file(broken.path()), Contains(broken.path()) && Contains("no valid JSON"));
  const temporary_file list("[1, 2]");
  REQUIRE_THROWS_WITH(settings.read_file(list.path()), Contains("must hold a JSON object"));
  const temporary_file array_value(R"({"agents": [1]})");
  REQUIRE_THROWS_WITH(settings.read_file(array_value.path()), Contains("key agents") && Contains("expected"));
}

TEST_CASE("numbers are whole and within their bounds") {
  REQUIRE(parse_number(entry_of("17"), 1, 20) == 17);
  for (const char* bad : {"", "0", "21", "1.5", "x", "-1", "3 ", "99999999999999999999"})
    REQUIRE_THROWS_WITH(parse_number(entry_of(bad), 1, 20), Contains("flag --x") && Contains("from 1 to 20"));
}

TEST_CASE("durations have units") {
  REQUIRE(parse_duration(entry_of("250ms")) == 250ms);
  REQUIRE(parse_duration(entry_of("2")) == 2s);
  REQUIRE(parse_duration(entry_of("1.5min")) == 90s);
  REQUIRE(parse_duration(entry_of("2 h")) == 2h);
  for (const char* bad : {"", "ms", "-1s", "1 fortnight", "inf", "nan", "1e300"})
    REQUIRE_THROWS_AS(parse_duration(entry_of(bad)), config_error);
}

TEST_CASE("sizes have units") {
  REQUIRE(parse_size(entry_of("512")) == 512);
  REQUIRE(parse_size(entry_of("4GiB")) == std::uint64_t{4} << 30);
  REQUIRE(parse_size(entry_of("1.5 MB")) == 1'500'000);
  for (const char* bad : {"", "GiB", "-1", "1 XB", "1e30"}) REQUIRE_THROWS_AS(parse_size(entry_of(bad)), config_error);
}
