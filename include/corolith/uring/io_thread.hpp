// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/uring/io_loop.hpp>

#include <thread>

namespace corolith {
inline namespace v0 {
namespace uring {

/// An io_loop with a thread of its own. The destructor closes the loop, so that operations under way end in `cancelled`,
/// and waits for the end of everything that lives there. It must not be destroyed by its own thread.
class io_thread {
 public:
  /// Throws as io_loop does.
  COROLITH_DECL explicit io_thread(io_options options = {});
  COROLITH_DECL ~io_thread();
  io_thread(const io_thread&) = delete;
  io_thread& operator=(const io_thread&) = delete;

  io_loop& loop() noexcept { return loop_; }

 private:
  io_loop loop_;
  std::thread thread_;
};

}  // namespace uring
}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/uring/impl/io_thread.ipp>
#endif
