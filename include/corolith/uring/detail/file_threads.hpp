// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/uring/detail/backend.hpp>
#include <corolith/uring/detail/request.hpp>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

namespace corolith {
inline namespace v0 {
namespace uring {
namespace detail {

/// A few threads that carry out what would block the thread of a loop. They start when they are needed. Its members are
/// called by the loop's thread.
class file_threads {
 public:
  COROLITH_DECL file_threads(unsigned most, backend& woken) noexcept;
  COROLITH_DECL ~file_threads();
  file_threads(const file_threads&) = delete;
  file_threads& operator=(const file_threads&) = delete;

  /// The item comes back by `take_done`; the backend is woken then. False: no thread could be started, nothing was done.
  COROLITH_DECL bool submit(pending& item) noexcept;
  /// True: it had not begun and will not.
  COROLITH_DECL bool withdraw(pending& item) noexcept;
  /// What has come to its end, linked by `behind`, with its `outcome`.
  COROLITH_DECL pending* take_done() noexcept;

 private:
  void work() noexcept;

  const unsigned most_;
  backend& woken_;
  std::mutex mutex_;
  std::condition_variable wake_;
  pending_queue queue_;
  unsigned idle_ = 0;
  unsigned waiting_ = 0;
  bool ending_ = false;
  std::atomic<pending*> done_{nullptr};
  std::vector<std::thread> threads_;
};

}  // namespace detail
}  // namespace uring
}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/uring/impl/file_threads.ipp>
#endif
