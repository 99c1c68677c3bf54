// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/interrupt_watch.hpp>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>

#include <utility>

namespace corolith {
inline namespace v0 {

COROLITH_DECL interrupt_watch::interrupt_watch() {
  sigemptyset(&signals_);
  sigaddset(&signals_, SIGINT);
  sigaddset(&signals_, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &signals_, &before_);
  arrivals_ = unique_fd(::signalfd(-1, &signals_, SFD_CLOEXEC));
  finish_ = unique_fd(::eventfd(0, EFD_CLOEXEC));
}

COROLITH_DECL void interrupt_watch::start(std::function<void(int)> first, std::function<void(int)> again) {
  thread_ = std::thread(&interrupt_watch::run, this, std::move(first), std::move(again));
}

COROLITH_DECL interrupt_watch::~interrupt_watch() {
  if (thread_.joinable()) {
    ::eventfd_write(finish_.get(), 1);
    thread_.join();
  }
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

COROLITH_DECL void interrupt_watch::run(std::function<void(int)> first, std::function<void(int)> again) {
  for (bool seen = false;;) {
    pollfd waiting[2] = {{arrivals_.get(), POLLIN, 0}, {finish_.get(), POLLIN, 0}};
    if (::poll(waiting, 2, -1) < 0) continue;
    if (waiting[1].revents != 0) return;
    signalfd_siginfo arrived;
    if (::read(arrivals_.get(), &arrived, sizeof arrived) != sizeof arrived) continue;
    (seen ? again : first)(static_cast<int>(arrived.ssi_signo));
    seen = true;
  }
}

}  // namespace v0
}  // namespace corolith
