// SPDX-License-Identifier: Apache-2.0
#include <corolith/core/error.hpp>
#include <corolith/core/machine.hpp>
#include <corolith/launch/pool_head.hpp>
#include <corolith/launch/pool_record.hpp>

#include <catch2/catch.hpp>

#include "support/scratch.hpp"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

using namespace corolith;
using launch::head_state;
using launch::pool_folder;
using launch::pool_record;

namespace {

pool_record record_of(pid_t pid, std::uint64_t started) {
  return {"gp", "slurm", host_name(), pid, started, 1'700'000'000, {"tcp:10.0.0.1:4000", "tcp:[::1]:4000"}};
}

std::string why(const std::function<void()>& act) {
  try {
    act();
  } catch (const error& problem) {
    return problem.what();
  }
  return {};
}

}  // namespace

TEST_CASE("a record is read as it was written") {
  const test_support::scratch here;
  const pool_folder folder(here / "deep/pools", "gp");
  CHECK_FALSE(folder.read());
  CHECK(pool_folder::names(here / "deep/pools").empty());
  const auto claim = folder.claim();
  REQUIRE(claim);
  pool_record written = record_of(7, 8);
  written.host = "a \"host\" with \\ and \t";
  folder.write(written);
  const auto read = folder.read();
  REQUIRE(read);
  CHECK(read->name == written.name);
  CHECK(read->launcher == written.launcher);
  CHECK(read->host == written.host);
  CHECK(read->pid == written.pid);
  CHECK(read->started == written.started);
  CHECK(read->since == written.since);
  CHECK(read->addresses == written.addresses);
  CHECK(pool_folder::names(here / "deep/pools") == std::vector<std::string>{"gp"});
  using std::filesystem::perms;
  CHECK(std::filesystem::status(folder.path()).permissions() == perms::owner_all);
  CHECK(std::filesystem::status(folder.path() + "/record.json").permissions() ==
        (perms::owner_read | perms::owner_write));
  folder.remove(true);
  CHECK_FALSE(std::filesystem::exists(folder.path()));
}

TEST_CASE("what is no name, no record or no folder of ours is refused with a reason") {
  const test_support::scratch here;
  for (const char* name : {"", "..", "a/b", "a b", "-\n"})
    CHECK_THROWS_AS(pool_folder(here / "deep/pools", name), config_error);
  const pool_folder folder(here / "deep/pools", "gp");
  REQUIRE(folder.claim());
  std::ofstream(folder.path() + "/record.json") << "{";
  CHECK(why([&] { folder.read(); }).find("no JSON") != std::string::npos);
  std::ofstream(folder.path() + "/record.json") << R"({"format": 99})";
  CHECK(why([&] { folder.read(); }).find("another version") != std::string::npos);
  std::filesystem::permissions(folder.path(), std::filesystem::perms::group_read, std::filesystem::perm_options::add);
  CHECK(why([&] { pool_folder(here / "deep/pools", "gp"); }).find("chmod 700") != std::string::npos);
}

TEST_CASE("one head has the claim, until it is gone") {
  const test_support::scratch here;
  const pool_folder folder(here / "deep/pools", "gp");
  CHECK_FALSE(folder.is_claimed());
  {
    const auto claim = folder.claim();
    REQUIRE(claim);
    CHECK(folder.is_claimed());
    CHECK_FALSE(folder.claim());
    folder.remove(true);  // as a head does at its end
    CHECK(folder.claim());
  }
  CHECK_FALSE(folder.is_claimed());
}

TEST_CASE("a head that has died is told from one that lives, and what it left is removed but for its log") {
  const test_support::scratch here;
  const pool_folder folder(here / "deep/pools", "gp");
  CHECK(why([&] { launch::record_of_pool(folder); }).find("corolith pool up gp") != std::string::npos);
  REQUIRE(folder.claim());

  const pid_t self = ::getpid();
  const std::uint64_t began = launch::start_time_of(self);
  CHECK(began != 0);
  CHECK(launch::state_of(record_of(self, began)) == head_state::alive);
  CHECK(launch::state_of(record_of(self, began + 1)) == head_state::gone);  // another process of that id
  pool_record elsewhere = record_of(self, began + 1);
  elsewhere.host = "elsewhere";
  CHECK(launch::state_of(elsewhere) == head_state::unknown);

  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  siginfo_t info{};
  REQUIRE(::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT) == 0);
  CHECK(launch::start_time_of(child) == 0);  // a zombie serves nobody
  ::waitpid(child, nullptr, 0);

  folder.write(record_of(self, began));
  CHECK(launch::record_of_pool(folder).pid == self);
  folder.write(record_of(child, 5));
  std::ofstream(folder.log_file()) << "its last words";
  std::ofstream(folder.secret_file()) << "secret";
  CHECK(why([&] { launch::record_of_pool(folder); }).find("is down") != std::string::npos);
  CHECK_FALSE(folder.read());
  CHECK_FALSE(std::filesystem::exists(folder.secret_file()));
  CHECK(std::filesystem::exists(folder.log_file()));
}
