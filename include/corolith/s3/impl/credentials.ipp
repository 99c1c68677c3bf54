// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>
#include <corolith/coro/future.hpp>
#include <corolith/coro/loop.hpp>
#include <corolith/coro/spawn.hpp>
#include <corolith/coro/this_task.hpp>
#include <corolith/s3/credentials.hpp>
#include <corolith/s3/detail/credential_process.hpp>
#include <corolith/s3/detail/environment.hpp>
#include <corolith/s3/error.hpp>

#include <fmt/format.h>

#include <mutex>
#include <utility>
#include <vector>

namespace corolith::inline v0::s3 {
namespace detail {

[[noreturn]] inline void no_credentials(const std::string& where) {
  failure_details details;
  details.operation = "credentials";
  throw s3_error(
      errc::access_denied,
      "no credentials for S3: " + where +
          ". Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or write a profile; objects that everybody may "
          "read need none when the client is told so",
      std::move(details));
}

/// Nothing when the environment says nothing of them; half of them is an error.
inline std::optional<credentials> from_environment() {
  credentials found;
  found.access_key = environment_value("AWS_ACCESS_KEY_ID");
  found.secret_key = environment_value("AWS_SECRET_ACCESS_KEY");
  found.session_token = environment_value("AWS_SESSION_TOKEN");
  if (found.access_key.empty() && found.secret_key.empty()) return std::nullopt;
  if (found.secret_key.empty()) throw config_error("AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not");
  if (found.access_key.empty()) throw config_error("AWS_SECRET_ACCESS_KEY is set, but AWS_ACCESS_KEY_ID is not");
  return found;
}

/// Refuses what would need other services of AWS.
inline void refuse_services(const profile& from) {
  for (const char* name : {"role_arn", "sso_session", "sso_start_url", "web_identity_token_file"})
    if (const profile::setting* found = from.find(name))
      throw config_error(fmt::format(
          "{}: profile '{}' gets its credentials by {}, which needs other services of AWS; let their tool do that: "
          "credential_process = aws configure export-credentials --profile {}",
          found->source, from.name(), name, from.name()));
}

inline std::optional<credentials> keys_of(const profile& from) {
  const profile::setting* access = from.find("aws_access_key_id");
  const profile::setting* secret = from.find("aws_secret_access_key");
  if (access == nullptr && secret == nullptr) return std::nullopt;
  if (secret == nullptr)
    throw config_error(access->source + ": profile '" + from.name() + "' has no aws_secret_access_key beside this key");
  if (access == nullptr)
    throw config_error(secret->source + ": profile '" + from.name() + "' has no aws_access_key_id beside this key");
  credentials found;
  found.access_key = access->value;
  found.secret_key = secret->value;
  found.session_token = from.value("aws_session_token");
  return found;
}

/// Nothing when there is no such profile, or it has no credentials.
inline task<std::optional<credentials>> from_profile(profile_location where, std::chrono::nanoseconds process_time) {
  const std::optional<profile> read = profile::load(where);
  if (!read) co_return std::nullopt;
  if (auto keys = keys_of(*read)) co_return keys;
  if (const profile::setting* command = read->find("credential_process"))
    co_return co_await run_credential_process(command->value, command->source, process_time);
  refuse_services(*read);
  co_return std::nullopt;
}

inline std::string describe_profile(const profile_location& where) {
  const profile_location at = where.resolved();
  const auto named = [](const std::string& path) { return path.empty() ? std::string("(no home directory)") : path; };
  return fmt::format("profile '{}' of {} and {}", at.name, named(at.config_file), named(at.credentials_file));
}

class fixed_provider final : public credentials_provider {
 public:
  explicit fixed_provider(credentials given) noexcept : given_(std::move(given)) {}
  task<credentials> get() override { co_return given_; }

 private:
  credentials given_;
};

class environment_provider final : public credentials_provider {
 public:
  task<credentials> get() override {
    auto found = from_environment();
    if (!found) no_credentials("neither AWS_ACCESS_KEY_ID nor AWS_SECRET_ACCESS_KEY is set");
    co_return std::move(*found);
  }
};

class profile_provider final : public credentials_provider {
 public:
  profile_provider(profile_location where, std::chrono::nanoseconds process_time)
      : where_(std::move(where)), process_time_(process_time) {}
  task<credentials> get() override {
    auto found = co_await from_profile(where_, process_time_);
    if (!found) no_credentials("there are none in " + describe_profile(where_));
    co_return std::move(*found);
  }

 private:
  profile_location where_;
  std::chrono::nanoseconds process_time_;
};

class default_provider final : public credentials_provider {
 public:
  explicit default_provider(profile_location where) : where_(std::move(where)) {}
  task<credentials> get() override {
    if (where_.name.empty())
      if (auto found = from_environment()) co_return std::move(*found);
    auto found = co_await from_profile(where_, std::chrono::minutes(1));
    if (!found)
      no_credentials((where_.name.empty() ? "looked in the environment (AWS_ACCESS_KEY_ID) and in " : "looked in ") +
                     describe_profile(where_));
    co_return std::move(*found);
  }

 private:
  profile_location where_;
};

/// What a cached provider and its request share: the request may outlive who asked for it.
class credentials_cache : public std::enable_shared_from_this<credentials_cache> {
 public:
  credentials_cache(std::shared_ptr<credentials_provider> inner, std::chrono::nanoseconds early)
      : inner_(std::move(inner)), early_(early) {}

  /// What is kept, or a future of what is asked for.
  std::optional<credentials> kept_or_wait(std::optional<future<credentials>>& wait) {
    bool ask = false;
    {
      const std::lock_guard lock(mutex_);
      if (kept_ && !due(system_clock::now())) return kept_;
      waiting_.emplace_back();
      wait = waiting_.back().get_future();
      ask = !std::exchange(asking_, true);
    }
    if (ask) spawn(background_loop(), renew(shared_from_this()));
    return std::nullopt;
  }

 private:
  using system_clock = std::chrono::system_clock;

  /// Whether it is time to ask. After a failure what is still valid is left alone for a while.
  bool due(time_point now) const noexcept {
    if (!kept_->expires || now < *kept_->expires - std::chrono::duration_cast<time_point::duration>(early_))
      return false;
    return now >= *kept_->expires || now >= not_before_;
  }

  static task<void> renew(std::shared_ptr<credentials_cache> self) {
    std::exception_ptr problem;
    credentials made;
    try {
      made = co_await self->inner_->get();
    } catch (...) {
      problem = std::current_exception();
    }
    self->finish(std::move(made), problem);
  }

  void finish(credentials made, std::exception_ptr problem) {
    std::vector<promise<credentials>> waiting;
    {
      const std::lock_guard lock(mutex_);
      const time_point now = system_clock::now();
      if (!problem) {
        kept_ = std::move(made);
      } else if (kept_ && kept_->expires && now < *kept_->expires) {
        problem = nullptr;
        not_before_ = now + std::chrono::seconds(30);
      }
      if (!problem) made = *kept_;
      asking_ = false;
      waiting.swap(waiting_);
    }
    for (promise<credentials>& each : waiting) {
      if (problem) {
        each.set_exception(problem);
      } else {
        each.set_value(made);
      }
    }
  }

  const std::shared_ptr<credentials_provider> inner_;
  const std::chrono::nanoseconds early_;
  std::mutex mutex_;
  std::optional<credentials> kept_;
  std::vector<promise<credentials>> waiting_;
  bool asking_ = false;
  time_point not_before_{};
};

class cached_provider final : public credentials_provider {
 public:
  cached_provider(std::shared_ptr<credentials_provider> inner, std::chrono::nanoseconds early)
      : cache_(std::make_shared<credentials_cache>(std::move(inner), early)) {}
  task<credentials> get() override { return ask(cache_); }

 private:
  static task<credentials> ask(std::shared_ptr<credentials_cache> cache) {
    std::optional<future<credentials>> wait;
    if (auto kept = cache->kept_or_wait(wait)) co_return std::move(*kept);
    co_return co_await std::move(*wait);
  }

  std::shared_ptr<credentials_cache> cache_;
};

}  // namespace detail

COROLITH_DECL std::shared_ptr<credentials_provider> static_credentials(credentials given) {
  if (given.access_key.empty() || given.secret_key.empty())
    throw error(errc::misuse, "credentials for S3 are an access key and a secret key; without any, say anonymous");
  return std::make_shared<detail::fixed_provider>(std::move(given));
}

COROLITH_DECL std::shared_ptr<credentials_provider> anonymous_credentials() {
  return std::make_shared<detail::fixed_provider>(credentials{});
}

COROLITH_DECL std::shared_ptr<credentials_provider> environment_credentials() {
  return std::make_shared<detail::environment_provider>();
}

COROLITH_DECL std::shared_ptr<credentials_provider> profile_credentials(profile_location where,
                                                                        std::chrono::nanoseconds process_time) {
  return cached_credentials(std::make_shared<detail::profile_provider>(std::move(where), process_time));
}

COROLITH_DECL std::shared_ptr<credentials_provider> default_credentials(profile_location where) {
  return cached_credentials(std::make_shared<detail::default_provider>(std::move(where)));
}

COROLITH_DECL std::shared_ptr<credentials_provider> cached_credentials(std::shared_ptr<credentials_provider> inner,
                                                                       std::chrono::nanoseconds early) {
  return std::make_shared<detail::cached_provider>(std::move(inner), early);
}

}  // namespace corolith::inline v0::s3
