// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/coro/loop.hpp>
#include <corolith/uring/detail/request.hpp>
#include <corolith/uring/io_options.hpp>

namespace corolith {
inline namespace v0 {
namespace uring {
namespace detail {

/// What carries out the operations of one loop. All members but `wake` are called by the thread that runs the loop.
class backend {
 public:
  backend() = default;
  backend(const backend&) = delete;
  backend& operator=(const backend&) = delete;
  virtual ~backend() = default;

  virtual io_backend kind() const noexcept = 0;
  /// The calling thread begins, ends to run the loop. Always the same one. `attach` throws std::system_error.
  virtual void attach() = 0;
  virtual void detach() noexcept = 0;

  /// Takes an operation over; it may start only at the next `turn`.
  virtual void submit(pending& item) noexcept = 0;
  /// Makes an operation that has not ended yet end soon, by -ECANCELED if it can.
  virtual void cancel(pending& item) noexcept = 0;
  /// Starts what was submitted and ends what has come to its end. Where nothing has, and `may_wait`, sleeps for it until
  /// `until` at most, or until `wake`. Throws std::system_error.
  virtual void turn(bool may_wait, loop::time_point until) = 0;
  /// Ends the sleep of the current or the next `turn`. Any thread.
  virtual void wake() noexcept = 0;
};

}  // namespace detail
}  // namespace uring
}  // namespace v0
}  // namespace corolith
