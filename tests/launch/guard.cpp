// SPDX-License-Identifier: Apache-2.0
#include <corolith/launch/guard.hpp>

#include <catch2/catch.hpp>

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <thread>

using corolith::launch::guard;

namespace {

struct folder {
  folder() { REQUIRE(::mkdtemp(path) != nullptr); }
  ~folder() { std::filesystem::remove_all(path); }
  std::string file() const { return std::string(path) + "/a name with 'quotes'"; }
  bool appears() const {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!std::filesystem::exists(file()) && std::chrono::steady_clock::now() < until)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    return std::filesystem::exists(file());
  }
  char path[32] = "/tmp/corolith-test-XXXXXX";
};

constexpr const char* script = ": >\"$1\"";

}  // namespace

TEST_CASE("the guard of a process that is killed runs its script") {
  const folder at;
  const pid_t child = ::fork();
  if (child == 0) {
    const guard mine(script, {at.file()});
    ::raise(SIGKILL);
  }
  ::waitpid(child, nullptr, 0);
  CHECK(at.appears());
}

TEST_CASE("at an orderly end the guard does nothing") {
  const folder at;
  {
    const guard mine(script, {at.file()});
  }  // waits for it
  CHECK_FALSE(std::filesystem::exists(at.file()));
}

TEST_CASE("a guard takes over from a process that lives") {
  const folder at;
  guard mine(script, {at.file()});
  mine.take_over();
  CHECK(at.appears());
}
