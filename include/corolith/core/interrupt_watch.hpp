// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/core/unique_fd.hpp>
#include <corolith/core/version.hpp>

#include <signal.h>

#include <functional>
#include <thread>

namespace corolith {
inline namespace v0 {

/// Takes SIGINT and SIGTERM on a thread of its own while it lives. The signals must be blocked in all threads, so it is made before any
/// other thread.
class interrupt_watch {
 public:
  COROLITH_DECL interrupt_watch();
  COROLITH_DECL ~interrupt_watch();
  interrupt_watch(const interrupt_watch&) = delete;
  interrupt_watch& operator=(const interrupt_watch&) = delete;

  /// Calls `first` with the signal's number at the first one and `again` at each later one, on the watch's thread. To be called once.
  COROLITH_DECL void start(std::function<void(int)> first, std::function<void(int)> again);

 private:
  void run(std::function<void(int)> first, std::function<void(int)> again);

  sigset_t signals_, before_;
  unique_fd arrivals_, finish_;
  std::thread thread_;
};

}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/core/impl/interrupt_watch.ipp>
#endif
