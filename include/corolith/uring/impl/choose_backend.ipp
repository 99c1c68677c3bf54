// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/config.hpp>
#include <corolith/core/log.hpp>
#include <corolith/uring/detail/choose_backend.hpp>
#include <corolith/uring/detail/poll_backend.hpp>
#include <corolith/uring/detail/ring_backend.hpp>

#include <atomic>
#include <cstdlib>
#include <string>
#include <string_view>
#include <system_error>

namespace corolith {
inline namespace v0 {
namespace uring {
namespace detail {

inline io_backend backend_of_environment() {
  const char* const set = std::getenv("COROLITH_IO");
  const std::string_view name = set == nullptr ? "auto" : set;
  if (name == "auto") return io_backend::automatic;
  if (name == "io_uring") return io_backend::io_uring;
  if (name == "poll") return io_backend::poll;
  throw config_error("environment variable COROLITH_IO: '" + std::string(name) + "' is none of auto, io_uring, poll");
}

inline void warn_of_refusal(const char* why) {
  static std::atomic<bool> warned{false};
  if (!warned.exchange(true))
    log::warning(std::string("io_uring cannot be used, epoll and threads take its place: ") + why +
                 " (COROLITH_IO=poll silences this)");
}

COROLITH_DECL std::unique_ptr<backend> choose_backend(const io_options& options) {
  const io_backend wanted = options.backend == io_backend::automatic ? backend_of_environment() : options.backend;
  if (wanted != io_backend::poll) {
    try {
      return std::make_unique<ring_backend>(options);
    } catch (const std::system_error& refused) {
      if (wanted == io_backend::io_uring) throw;
      warn_of_refusal(refused.what());
    }
  }
  return std::make_unique<poll_backend>(options);
}

}  // namespace detail
}  // namespace uring
}  // namespace v0
}  // namespace corolith
