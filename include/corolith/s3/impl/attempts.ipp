// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/coro/this_task.hpp>
#include <corolith/s3/detail/attempts.hpp>
#include <corolith/s3/detail/dates.hpp>

#include <algorithm>
#include <cstdlib>
#include <string_view>

namespace corolith::inline v0::s3::detail {

inline constexpr unsigned most_corrections = 4;  // of the region, the clock and the credentials, for one request

COROLITH_DECL attempts::attempts(lane& at, const request& what) : at_(at), what_(what) {}

COROLITH_DECL s3_error error_of(const request& what, errc code, const std::string& message) {
  failure_details details;
  details.operation = what.operation;
  details.bucket = what.bucket;
  details.key = what.key;
  details.message = message;
  std::string text = what.operation + " s3://" + what.bucket;
  if (!what.key.empty()) text += '/' + what.key;
  return s3_error(code, text + ": " + message, std::move(details));
}

COROLITH_DECL task<void> attempts::after(failure why) {
  const std::stop_token stop = co_await this_stop_token();
  if (stop.stop_requested()) throw cancelled("cancelled: the task was asked to stop in the middle of a request");
  may_be_done_ = may_be_done_ || why.may_be_done;
  repeated_ = true;
  client_core& core = at_.core;
  if (why.what == failure::kind::stale && stale_++ <= core.breadth()) co_return;
  if (corrected(why)) {
    core.counted.redirects.fetch_add(1, std::memory_order_relaxed);
    co_return;
  }
  const retry_reason reason = why.what == failure::kind::refusal ? retryable(why.details.status, why.details.name)
                              : why.code == errc::access_denied || why.code == errc::corrupted
                                  ? retry_reason::none
                                  : retry_reason::transient;
  if (reason == retry_reason::none) give_up(std::move(why), {});
  const retry_options& options = core.options().retry;
  if (++failed_ >= std::max(1U, options.attempts))
    give_up(std::move(why), failed_ == 1 ? "" : "; tried " + std::to_string(failed_) + " times");
  const std::optional<unsigned> taken = core.budget.take(reason);
  if (!taken) give_up(std::move(why), "; not tried again, as too many other requests of this client have failed too");
  taken_ = *taken;
  core.counted.retries.fetch_add(1, std::memory_order_relaxed);
  if (!backoff_) backoff_.emplace(options);
  const auto pause = backoff_->next(why.retry_after);
  co_await sleep_for(pause);
}

COROLITH_DECL void attempts::succeeded() {
  at_.core.budget.give_back(taken_);
  taken_ = 0;
}

/// Whether what stood in the way is known now and out of it: the region, the clock, old credentials.
inline bool attempts::corrected(const failure& why) {
  if (why.what != failure::kind::refusal || corrections_ >= most_corrections) return false;
  const std::string_view name = why.details.name;
  bool done = false;
  if (name == "RequestTimeTooSkewed" || name == "RequestInTheFuture") {
    done = clock_corrected(why);
  } else if (name == "ExpiredToken" || name == "TokenRefreshRequired") {
    done = corrections_ == 0;
    at_.forget_keys();
  } else {
    done = redirected(why);
  }
  if (done) ++corrections_;
  return done;
}

/// The server tells the time. What it said to another request meanwhile may do.
inline bool attempts::clock_corrected(const failure& why) {
  constexpr std::chrono::seconds same{5};
  const auto theirs = parse_http_date(why.server_date);
  if (!theirs) return false;
  const auto difference = std::chrono::round<std::chrono::seconds>(*theirs - std::chrono::system_clock::now());
  if (std::chrono::abs(difference - why.skew) < same) return false;
  at_.core.set_skew(difference);
  return true;
}

inline bool attempts::redirected(const failure& why) {
  const int status = why.details.status;
  const bool elsewhere = status == 301 || status == 302 || status == 307 || status == 308 ||
                         why.details.name == "AuthorizationHeaderMalformed" ||
                         (what_.method == "HEAD" && status == 400);
  if (!elsewhere || why.asked == nullptr || what_.bucket.empty() || what_.operation == "create bucket") return false;
  const endpoint& asked = *why.asked;
  try {
    if (!why.details.region.empty() && why.details.region != asked.region) {
      at_.core.learn(what_.bucket, asked.in_region(why.details.region));
      return true;
    }
    if (why.place.empty()) return false;
    std::string place = why.place;
    if (place.find("://") == std::string::npos) place = (asked.tls ? "https://" : "http://") + place;
    endpoint there =
        endpoint::parse(place, asked.is_aws() ? std::string_view() : std::string_view(asked.region), asked.style);
    if (there.host.starts_with(what_.bucket + '.')) there.host.erase(0, what_.bucket.size() + 1);
    there.base_path = asked.base_path;
    if (there == asked || (asked.tls && !there.tls)) return false;  // nobody talks us out of TLS
    at_.core.learn(what_.bucket, std::move(there));
    return true;
  } catch (const config_error&) {
    return false;  // what the server says is no place
  }
}

[[noreturn]] inline void attempts::give_up(failure why, const std::string& remark) {
  why.details.message += remark;
  if (why.what == failure::kind::refusal) throw s3_error(std::move(why.details));
  const std::string text = describe(why.details);
  throw s3_error(why.code, text, std::move(why.details));
}

}  // namespace corolith::inline v0::s3::detail
