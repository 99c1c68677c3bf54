// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/core/version.hpp>

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <random>
#include <string_view>

namespace corolith::inline v0::s3 {

struct retry_options {
  unsigned attempts = 10;                 ///< of one request, the first included; 0 counts as 1
  std::chrono::milliseconds base{50};     ///< the shortest pause before a retry
  std::chrono::milliseconds cap{10'000};  ///< the longest one
  unsigned budget = 500;  ///< tokens of a client, see retry_budget; 0: as many retries as attempts allow
};

/// What kind of failure a retry follows.
enum class retry_reason {
  none,       ///< trying again cannot help
  transient,  ///< no answer, half of one, a server that failed
  throttled,  ///< the server asks for fewer requests
};

/// Whether to try again after an answer with this status and S3's name for the failure. No status: there was no answer.
COROLITH_DECL retry_reason retryable(int status, std::string_view name) noexcept;

/// Tokens that all requests of a client share, as in AWS's clients: a retry after a transient failure takes 10, another one 5; the
/// success of the retried request gives them back, any other success 1. So an outage is not answered with a multiple of the usual
/// load. Thread-safe.
class retry_budget {
 public:
  explicit retry_budget(unsigned size) noexcept : size_(size), left_(size) {}

  /// Takes the tokens of a retry; how many. Nothing: too few are left, and the failure is final.
  COROLITH_DECL std::optional<unsigned> take(retry_reason reason);
  /// A request succeeded; `taken` is what its last retry had cost, 0 without one.
  COROLITH_DECL void give_back(unsigned taken);
  COROLITH_DECL unsigned left() const;

 private:
  const unsigned size_;
  mutable std::mutex mutex_;
  unsigned left_;
};

/// The pauses between the attempts of one request: decorrelated jitter, that is, each a random time between the base and three times
/// the previous pause, and never more than the cap (M. Brooker, "Exponential Backoff And Jitter"). Not thread-safe.
class backoff {
 public:
  explicit backoff(const retry_options& options, std::uint64_t seed = std::random_device{}()) noexcept
      : base_(options.base), cap_(options.cap), previous_(options.base), random_(seed) {}

  /// The next pause. What the server asked for (Retry-After) is the least of it, up to a minute.
  COROLITH_DECL std::chrono::milliseconds next(std::optional<std::chrono::seconds> retry_after = std::nullopt);

 private:
  std::chrono::milliseconds base_, cap_, previous_;
  std::minstd_rand random_;
};

/// The value of a Retry-After header: seconds, or a date. Nothing when it is neither.
COROLITH_DECL std::optional<std::chrono::seconds> parse_retry_after(std::string_view text,
                                                                    std::chrono::system_clock::time_point now);

}  // namespace corolith::inline v0::s3

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/s3/impl/retry.ipp>
#endif
