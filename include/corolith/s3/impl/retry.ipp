// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/number.hpp>
#include <corolith/s3/detail/dates.hpp>
#include <corolith/s3/retry.hpp>

#include <algorithm>
#include <array>

namespace corolith::inline v0::s3 {

COROLITH_DECL retry_reason retryable(int status, std::string_view name) noexcept {
  constexpr std::array<std::string_view, 8> throttling{
      "SlowDown",         "Throttling",           "ThrottlingException",    "ThrottledException",
      "RequestThrottled", "RequestLimitExceeded", "BandwidthLimitExceeded", "TooManyRequests"};
  constexpr std::array<std::string_view, 8> passing{
      "InternalError",    "ServiceUnavailable", "RequestTimeout", "RequestTimeoutException",
      "OperationAborted", "IncompleteBody",     "BadDigest",      "XAmzContentSHA256Mismatch"};
  if (status == 0) return retry_reason::transient;
  if (std::find(throttling.begin(), throttling.end(), name) != throttling.end() || status == 429)
    return retry_reason::throttled;
  if (std::find(passing.begin(), passing.end(), name) != passing.end()) return retry_reason::transient;
  const bool server_failed = status == 408 || status == 500 || status == 502 || status == 503 || status == 504;
  return server_failed ? retry_reason::transient : retry_reason::none;
}

COROLITH_DECL std::optional<unsigned> retry_budget::take(retry_reason reason) {
  if (size_ == 0) return 0;
  const unsigned cost = reason == retry_reason::transient ? 10 : 5;
  const std::lock_guard lock(mutex_);
  if (left_ < cost) return std::nullopt;
  left_ -= cost;
  return cost;
}

COROLITH_DECL void retry_budget::give_back(unsigned taken) {
  const std::lock_guard lock(mutex_);
  left_ = std::min(size_, left_ + std::max(taken, 1u));
}

COROLITH_DECL unsigned retry_budget::left() const {
  const std::lock_guard lock(mutex_);
  return left_;
}

COROLITH_DECL std::chrono::milliseconds backoff::next(std::optional<std::chrono::seconds> retry_after) {
  using std::chrono::milliseconds;
  const milliseconds least = std::max(milliseconds(0), std::min(base_, cap_));
  const milliseconds most = std::clamp(3 * previous_, least, std::max(least, cap_));
  previous_ = milliseconds(std::uniform_int_distribution<milliseconds::rep>(least.count(), most.count())(random_));
  const milliseconds asked =
      std::min<milliseconds>(retry_after.value_or(std::chrono::seconds(0)), std::chrono::minutes(1));
  return std::max(previous_, asked);
}

COROLITH_DECL std::optional<std::chrono::seconds> parse_retry_after(std::string_view text,
                                                                    std::chrono::system_clock::time_point now) {
  using std::chrono::seconds;
  if (const auto number = whole_number<std::uint32_t>(text)) return seconds(*number);
  const auto date = detail::parse_http_date(text);
  if (!date) return std::nullopt;
  return std::max(seconds(0), std::chrono::ceil<seconds>(*date - now));
}

}  // namespace corolith::inline v0::s3
