// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/log.hpp>
#include <corolith/uring/io_thread.hpp>

#include <exception>
#include <string>

namespace corolith {
inline namespace v0 {
namespace uring {

COROLITH_DECL io_thread::io_thread(io_options options)
    : loop_(options), thread_([this] {
        try {
          loop_.run();
        } catch (const std::exception& failure) {
          log::error(std::string("an I/O thread ended early: ") + failure.what());
        }
      }) {}

COROLITH_DECL io_thread::~io_thread() {
  loop_.close();
  thread_.join();
}

}  // namespace uring
}  // namespace v0
}  // namespace corolith
