// SPDX-License-Identifier: Apache-2.0
#include "environment.hpp"

#include <corolith/core/error.hpp>
#include <corolith/coro/spawn.hpp>
#include <corolith/coro/sync_wait.hpp>
#include <corolith/s3/credentials.hpp>
#include <corolith/s3/detail/credential_process.hpp>
#include <corolith/s3/detail/dates.hpp>
#include <corolith/s3/error.hpp>

#include <support/scratch.hpp>

#include <catch2/catch.hpp>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <signal.h>

using namespace corolith::s3;
using corolith::cancelled;
using corolith::config_error;
using corolith::errc;
using corolith::error;
using corolith::sleep_for;
using corolith::sync_wait;
using corolith::task;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using s3_test::environment;
using s3_test::write_file;

namespace {

/// A profile's files in a folder of their own, and nothing of AWS in the environment.
struct place {
  test_support::scratch folder;
  environment variables;
  profile_location where{"", folder / "config", folder / "credentials"};

  void config(const std::string& text) const { write_file(where.config_file, text); }
  void secrets(const std::string& text) const { write_file(where.credentials_file, text); }
  /// A script that is the profile's credential_process.
  void process(const std::string& script) const {
    write_file(folder / "give", "#!/bin/sh\n" + script);
    std::filesystem::permissions(folder / "give", std::filesystem::perms::owner_all);
    config("[default]\ncredential_process = '" + folder / "give" + "' an 'argument of it'\n");
  }
  /// How often the script has run, if it says so by `echo >> count`.
  std::size_t runs() const {
    std::ifstream file(folder / "count");
    return static_cast<std::size_t>(std::count(std::istreambuf_iterator<char>(file), {}, '\n'));
  }
};

credentials get(const std::shared_ptr<credentials_provider>& from) { return sync_wait(from->get()); }

std::string failure(const std::shared_ptr<credentials_provider>& from, errc expected) {
  try {
    get(from);
  } catch (const error& failed) {
    REQUIRE(failed.code() == expected);
    return failed.what();
  }
  return "(no failure)";
}

/// Gives what it is told to, and counts.
class scripted_provider final : public credentials_provider {
 public:
  task<credentials> get() override {
    ++asked;
    while (!open) co_await sleep_for(1ms);
    if (fails) throw config_error("scripted failure");
    credentials made;
    made.access_key = "key " + std::to_string(asked.load());
    made.secret_key = "secret";
    if (lasts != 0s) made.expires = std::chrono::system_clock::now() + lasts;
    co_return made;
  }
  std::atomic<int> asked{0};
  std::atomic<bool> open{true}, fails{false};
  std::chrono::seconds lasts{0};
};

}  // namespace

TEST_CASE("credentials that are given are given back") {
  const credentials mine{"key", "secret", "token", std::nullopt};
  REQUIRE(get(static_credentials(mine)).secret_key == "secret");
  REQUIRE_FALSE(get(static_credentials(mine)).anonymous());
  REQUIRE(get(anonymous_credentials()).anonymous());
  REQUIRE_THROWS_AS(static_credentials(credentials{"key", "", "", std::nullopt}), error);
  REQUIRE_THROWS_AS(static_credentials(credentials{}), error);
}

TEST_CASE("credentials are taken from the environment") {
  environment variables;
  REQUIRE_THAT(failure(environment_credentials(), errc::access_denied), Contains("AWS_ACCESS_KEY_ID"));
  variables.set("AWS_ACCESS_KEY_ID", "key");
  REQUIRE_THAT(failure(environment_credentials(), errc::config), Contains("AWS_SECRET_ACCESS_KEY is not"));
  variables.set("AWS_SECRET_ACCESS_KEY", "secret");
  credentials found = get(environment_credentials());
  REQUIRE(found.access_key == "key");
  REQUIRE(found.secret_key == "secret");
  REQUIRE(found.session_token.empty());
  variables.set("AWS_SESSION_TOKEN", "token");
  REQUIRE(get(environment_credentials()).session_token == "token");
  variables.set("AWS_ACCESS_KEY_ID", "");
  REQUIRE_THAT(failure(environment_credentials(), errc::config), Contains("AWS_ACCESS_KEY_ID is not"));
}

TEST_CASE("credentials are taken from a profile") {
  place at;
  at.secrets(
      "[default]\naws_access_key_id = key\naws_secret_access_key = se/cr+et=\n[half]\naws_access_key_id = key\n"
      "[other half]\naws_secret_access_key = hunter2\n[temporary]\naws_access_key_id = k\n"
      "aws_secret_access_key = s\naws_session_token = t\n");
  REQUIRE(get(profile_credentials(at.where)).secret_key == "se/cr+et=");
  at.where.name = "temporary";
  REQUIRE(get(profile_credentials(at.where)).session_token == "t");
  at.where.name = "half";
  REQUIRE_THAT(failure(profile_credentials(at.where), errc::config),
               StartsWith(at.where.credentials_file + ":5: ") && Contains("aws_secret_access_key"));
  at.where.name = "other half";
  REQUIRE_THAT(failure(profile_credentials(at.where), errc::config),
               StartsWith(at.where.credentials_file + ":7: ") && !Contains("hunter2"));
  at.where.name = "nobody";
  REQUIRE_THAT(failure(profile_credentials(at.where), errc::access_denied),
               Contains("profile 'nobody'") && Contains(at.where.config_file) && Contains(at.where.credentials_file));
}

TEST_CASE("roles and single sign-on are refused with what to do") {
  place at;
  at.config("[default]\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = y\n[profile sso]\nsso_session = z\n");
  REQUIRE_THAT(failure(default_credentials(at.where), errc::config),
               StartsWith(at.where.config_file + ":2: ") && Contains("role_arn") && Contains("credential_process"));
  at.where.name = "sso";
  REQUIRE_THAT(failure(default_credentials(at.where), errc::config), Contains("export-credentials --profile sso"));
}

TEST_CASE("by default the environment comes first, unless a profile is named") {
  place at;
  REQUIRE_THAT(failure(default_credentials(at.where), errc::access_denied),
               Contains("AWS_ACCESS_KEY_ID") && Contains("profile 'default'") && Contains(at.where.config_file) &&
                   Contains(at.where.credentials_file));
  at.secrets(
      "[default]\naws_access_key_id = of-default\naws_secret_access_key = s\n"
      "[work]\naws_access_key_id = of-work\naws_secret_access_key = s\n");
  REQUIRE(get(default_credentials(at.where)).access_key == "of-default");
  at.variables.set("AWS_PROFILE", "work");
  REQUIRE(get(default_credentials(at.where)).access_key == "of-work");
  at.variables.set("AWS_ACCESS_KEY_ID", "of-environment");
  at.variables.set("AWS_SECRET_ACCESS_KEY", "s");
  REQUIRE(get(default_credentials(at.where)).access_key == "of-environment");
  at.where.name = "work";
  REQUIRE(get(default_credentials(at.where)).access_key == "of-work");
}

TEST_CASE("a command gives credentials, and is asked again when they expire") {
  place at;
  at.process("echo >> '" + at.folder / "count" +
             "'\n"
             "[ \"$1 $2\" = 'an argument of it' ] || exit 9\n"
             "cat '" +
             at.folder / "answer" + "'\n");
  write_file(at.folder / "answer", R"({"Version": 1, "AccessKeyId": "key", "SecretAccessKey": "secret"})");
  const auto provider = profile_credentials(at.where);
  credentials found = get(provider);
  REQUIRE(found.access_key == "key");
  REQUIRE(found.secret_key == "secret");
  REQUIRE(found.session_token.empty());
  REQUIRE_FALSE(found.expires);
  get(provider);
  REQUIRE(at.runs() == 1);  // they never expire

  const auto write_lasting = [&](std::chrono::seconds lasts, const std::string& key) {
    const std::string until = detail::format_iso_date(std::chrono::system_clock::now() + lasts);
    write_file(at.folder / "answer", R"({"Version": 1, "AccessKeyId": ")" + key +
                                         R"(", "SecretAccessKey": "s", "SessionToken": "t", "Expiration": ")" + until +
                                         "\"}");
  };
  const auto renewed = profile_credentials(at.where);
  write_lasting(60s, "short");  // less than the five minutes before which they are renewed
  found = get(renewed);
  REQUIRE(found.access_key == "short");
  REQUIRE(found.session_token == "t");
  REQUIRE(found.expires > std::chrono::system_clock::now());
  write_lasting(3600s, "long");
  REQUIRE(get(renewed).access_key == "long");
  REQUIRE(get(renewed).access_key == "long");
  REQUIRE(at.runs() == 3);
}

TEST_CASE("a command that fails says why, and not what it printed") {
  place at;
  const auto says = [&](const std::string& script, const std::string& why) {
    CAPTURE(script);
    at.process(script);
    const std::string said = failure(profile_credentials(at.where), errc::config);
    REQUIRE_THAT(said, StartsWith(at.where.config_file + ":2: ") && Contains(why) && !Contains("hunter2"));
  };
  says("echo hunter2; echo 'please log in' >&2; exit 3\n", "exit status 3: please log in");
  says("echo hunter2\n", "no JSON object");
  says("", "no JSON object");
  says("echo '[\"hunter2\"]'\n", "no JSON object");
  says("echo '{\"AccessKeyId\": \"k\", \"SecretAccessKey\": \"hunter2\"}'\n", "\"Version\": 1");
  says("echo '{\"Version\": 2, \"AccessKeyId\": \"k\", \"SecretAccessKey\": \"hunter2\"}'\n", "\"Version\": 1");
  says("echo '{\"Version\": 1, \"SecretAccessKey\": \"hunter2\"}'\n", "without AccessKeyId");
  says("echo '{\"Version\": 1, \"AccessKeyId\": \"k\", \"SecretAccessKey\": 7}'\n", "SecretAccessKey");
  says("echo '{\"Version\": 1, \"AccessKeyId\": \"k\", \"SecretAccessKey\": \"hunter2\", \"Expiration\": \"soon\"}'\n",
       "no date");
  says("echo '{\"Version\": 1, \"AccessKeyId\": \"k\", \"SecretAccessKey\": \"hunter2\", \"Expiration\": null}'\n",
       "no date");
  says(
      "echo '{\"Version\": 1, \"AccessKeyId\": \"k\", \"SecretAccessKey\": \"hunter2\", \"Expiration\": "
      "\"2020-01-01T00:00:00Z\"}'\n",
      "expired already");
  says("head -c 2000000 /dev/zero\n", "1 MiB");
  at.config("[default]\ncredential_process = /no/such/command\n");
  REQUIRE_THAT(failure(profile_credentials(at.where), errc::config), Contains("exit status 127"));
}

TEST_CASE("a command that takes too long is killed with all that it has started") {
  place at;
  at.process("sleep 1000 & echo $! > '" + at.folder / "pid" + "'; wait\n");
  REQUIRE_THAT(failure(profile_credentials(at.where, 1s), errc::config), Contains("in time"));
  std::ifstream file(at.folder / "pid");
  pid_t pid = 0;
  file >> pid;
  REQUIRE(pid > 0);
  for (int i = 0; i < 2000 && ::kill(pid, 0) == 0; ++i)
    std::this_thread::sleep_for(5ms);  // whoever adopts it buries it
  std::ifstream state("/proc/" + std::to_string(pid) + "/stat");
  std::string number, name, letter = "gone";
  state >> number >> name >> letter;
  REQUIRE((letter == "gone" || letter == "Z"));
}

TEST_CASE("who waits for a command can be stopped") {
  place at;
  at.process("sleep 1000\n");
  std::stop_source stop;
  std::jthread asks([&] {
    std::this_thread::sleep_for(20ms);
    stop.request_stop();
  });
  REQUIRE_THROWS_AS(sync_wait(detail::run_credential_process("sleep 1000", "here", 1h), stop.get_token()), cancelled);
}

TEST_CASE("many who ask at once make one request") {
  auto inner = std::make_shared<scripted_provider>();
  inner->open = false;
  const auto cached = cached_credentials(inner);
  std::vector<std::jthread> threads;
  std::atomic<int> right{0};
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&] {
      if (get(cached).access_key == "key 1") ++right;
    });
  while (inner->asked == 0) std::this_thread::sleep_for(1ms);
  inner->open = true;
  threads.clear();
  REQUIRE(right == 8);
  REQUIRE(inner->asked == 1);
}

TEST_CASE("who gives up waiting takes nothing from the others") {
  auto inner = std::make_shared<scripted_provider>();
  inner->open = false;
  const auto cached = cached_credentials(inner);
  std::stop_source stop;
  std::atomic<bool> gave_up{false};
  std::jthread impatient([&] {
    try {
      sync_wait(cached->get(), stop.get_token());
    } catch (const cancelled&) {
      gave_up = true;
    }
  });
  while (inner->asked == 0) std::this_thread::sleep_for(1ms);
  stop.request_stop();
  impatient.join();
  REQUIRE(gave_up);
  inner->open = true;
  REQUIRE(get(cached).access_key == "key 1");
}

TEST_CASE("while what is kept is valid a failure to renew it does no harm") {
  auto inner = std::make_shared<scripted_provider>();
  inner->lasts = 60s;
  const auto cached = cached_credentials(inner);
  REQUIRE(get(cached).access_key == "key 1");
  inner->fails = true;
  REQUIRE(get(cached).access_key == "key 1");
  REQUIRE(get(cached).access_key == "key 1");
  REQUIRE(inner->asked == 2);  // not again at once
}

TEST_CASE("a failure without anything kept reaches who asked, and the next one asks anew") {
  auto inner = std::make_shared<scripted_provider>();
  inner->fails = true;
  const auto cached = cached_credentials(inner);
  REQUIRE_THAT(failure(cached, errc::config), Contains("scripted failure"));
  inner->fails = false;
  REQUIRE(get(cached).access_key == "key 2");
}

TEST_CASE("what has expired is not given out any more") {
  auto inner = std::make_shared<scripted_provider>();
  inner->lasts = -1s;
  const auto cached = cached_credentials(inner, 0s);
  REQUIRE(get(cached).access_key == "key 1");  // the provider's word is taken for it
  inner->fails = true;
  REQUIRE_THAT(failure(cached, errc::config), Contains("scripted failure"));
}
