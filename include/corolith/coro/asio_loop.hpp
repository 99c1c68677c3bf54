// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/coro/loop.hpp>

#include <asio/any_io_executor.hpp>

#include <memory>

namespace corolith {
inline namespace v0 {
namespace detail {

class asio_loop_core;

}  // namespace detail

/// A loop over an Asio executor: its tasks run as handlers there, one at a time, even where several threads run the
/// context. While tasks that were `spawn`ed or `start`ed on it are alive it counts as work, so that `io_context::run`
/// does not return meanwhile. It must outlive its tasks (a task that was started has ended when its future is
/// complete), and its context must outlive it.
class asio_loop final : public loop {
 public:
  COROLITH_DECL explicit asio_loop(asio::any_io_executor executor);
  COROLITH_DECL ~asio_loop() override;

  COROLITH_DECL void post(work& item) noexcept override;
  COROLITH_DECL void post_at(time_point when, timer& item) override;
  COROLITH_DECL bool cancel(timer& item) noexcept override;
  COROLITH_DECL void work_started() noexcept override;
  COROLITH_DECL void work_finished() noexcept override;

  /// A loop that destroys itself after its last task.
  COROLITH_DECL static asio_loop& make_self_owned(asio::any_io_executor executor);

 private:
  std::shared_ptr<detail::asio_loop_core> core_;
  bool self_owned_ = false;
};

}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/coro/impl/asio_loop.ipp>
#endif
