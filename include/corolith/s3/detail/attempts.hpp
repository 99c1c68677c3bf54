// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/coro/task.hpp>
#include <corolith/s3/detail/client_core.hpp>
#include <corolith/s3/detail/failure.hpp>
#include <corolith/s3/detail/request.hpp>
#include <corolith/s3/retry.hpp>

#include <optional>

namespace corolith::inline v0::s3::detail {

/// The tries of one request: says after each that failed whether there is another one, and waits for its time.
class attempts {
 public:
  COROLITH_DECL attempts(lane& at, const request& what);

  /// Comes back when it is to be tried again, with all that was learnt. Throws `cancelled`, or s3_error when that was the last try.
  COROLITH_DECL task<void> after(failure why);
  /// It worked.
  COROLITH_DECL void succeeded();
  /// A part of it worked, and only the rest is asked for from now on: the count begins anew.
  void progressed() noexcept { failed_ = 0; }

  /// An earlier try may have done what was asked, without our knowing.
  bool may_be_done() const noexcept { return may_be_done_; }
  /// The next one is not the first.
  bool repeated() const noexcept { return repeated_; }

 private:
  bool corrected(const failure& why);
  bool clock_corrected(const failure& why);
  bool redirected(const failure& why);
  [[noreturn]] void give_up(failure why, const std::string& remark);

  lane& at_;
  const request& what_;
  std::optional<backoff> backoff_;  // made by the first failure
  unsigned failed_ = 0;
  unsigned stale_ = 0;
  unsigned corrections_ = 0;
  unsigned taken_ = 0;  // of the budget, by the last retry
  bool may_be_done_ = false;
  bool repeated_ = false;
};

/// An error that is final, of an operation that the request describes.
COROLITH_DECL s3_error error_of(const request& what, errc code, const std::string& message);

}  // namespace corolith::inline v0::s3::detail

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/s3/impl/attempts.ipp>
#endif
