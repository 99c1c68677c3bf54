// SPDX-License-Identifier: Apache-2.0
#include <corolith/core/error.hpp>
#include <corolith/core/log.hpp>

#include <catch2/catch.hpp>

#include <unistd.h>

#include <array>
#include <cstdio>

using namespace corolith;

namespace {

// What was written to file descriptor `fd` while `action` ran.
template <class Action>
std::string captured(int fd, Action action) {
  std::fflush(nullptr);
  std::FILE* file = std::tmpfile();
  REQUIRE(file != nullptr);
  const int saved = ::dup(fd);
  ::dup2(::fileno(file), fd);
  action();
  std::fflush(nullptr);
  ::dup2(saved, fd);
  ::close(saved);
  std::rewind(file);
  std::array<char, 4096> buffer{};
  const std::size_t count = std::fread(buffer.data(), 1, buffer.size(), file);
  std::fclose(file);
  return {buffer.data(), count};
}

struct level_guard {
  log::level before = log::get_level();
  ~level_guard() { log::set_level(before); }
};

}  // namespace

TEST_CASE("level names are parsed and unknown ones are refused by name") {
  using log::level;
  CHECK(log::parse_level("trace") == level::trace);
  CHECK(log::parse_level("debug") == level::debug);
  CHECK(log::parse_level("info") == level::info);
  CHECK(log::parse_level("warning") == level::warning);
  CHECK(log::parse_level("error") == level::error);
  CHECK(log::parse_level("off") == level::off);
  CHECK_THROWS_AS(log::parse_level("loud"), config_error);
  CHECK_THROWS_WITH(log::parse_level("loud"), Catch::Contains("'loud'"));
}

TEST_CASE("the level that was set is the level, and decides what is enabled") {
  const level_guard guard;
  using log::level;
  for (level at : {level::trace, level::debug, level::info, level::warning, level::error, level::off}) {
    log::set_level(at);
    CHECK(log::get_level() == at);
  }
  log::set_level(level::info);
  CHECK(log::enabled(level::info));
  CHECK(log::enabled(level::error));
  CHECK_FALSE(log::enabled(level::debug));
}

TEST_CASE("a line goes to standard error with its role, one below the level nowhere") {
  const level_guard guard;
  log::set_level(log::level::warning);
  log::set_role("agent 100% real");
  const std::string err = captured(STDERR_FILENO, [] {
    log::warning("the sky is falling");
    log::info("nobody reads this");
  });
  CHECK_THAT(err, Catch::Contains("corolith agent 100% real") && Catch::Contains("the sky is falling"));
  CHECK_THAT(err, !Catch::Contains("nobody reads this"));
}

TEST_CASE("nothing goes to standard output") {
  const level_guard guard;
  log::set_level(log::level::trace);
  std::string out;
  const std::string err =
      captured(STDERR_FILENO, [&out] { out = captured(STDOUT_FILENO, [] { log::error("boom"); }); });
  CHECK(out.empty());
  CHECK_THAT(err, Catch::Contains("boom"));
}
