// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>
#include <corolith/core/log.hpp>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>

namespace corolith {
inline namespace v0 {
namespace log {
namespace detail {

// Never destroyed: threads and static destructors may still log while the process ends.
inline spdlog::logger& logger() {
  static spdlog::logger& instance = *[] {
    auto made = new spdlog::logger("corolith", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_level(spdlog::level::warn);
    made->set_pattern("corolith %l: %v");
    return made;
  }();
  return instance;
}

inline spdlog::level::level_enum to_spdlog(level at) noexcept {
  switch (at) {
    case level::trace: return spdlog::level::trace;
    case level::debug: return spdlog::level::debug;
    case level::info: return spdlog::level::info;
    case level::warning: return spdlog::level::warn;
    case level::error: return spdlog::level::err;
    case level::off: return spdlog::level::off;
  }
  return spdlog::level::off;
}

}  // namespace detail

COROLITH_DECL void set_level(level minimum) { detail::logger().set_level(detail::to_spdlog(minimum)); }

COROLITH_DECL level get_level() {
  for (level at : {level::trace, level::debug, level::info, level::warning, level::error})
    if (detail::logger().level() <= detail::to_spdlog(at)) return at;
  return level::off;
}

COROLITH_DECL bool enabled(level at) noexcept { return detail::logger().should_log(detail::to_spdlog(at)); }

COROLITH_DECL level parse_level(std::string_view name) {
  if (name == "trace") return level::trace;
  if (name == "debug") return level::debug;
  if (name == "info") return level::info;
  if (name == "warning") return level::warning;
  if (name == "error") return level::error;
  if (name == "off") return level::off;
  throw config_error("unknown log level '" + std::string(name) + "': use trace, debug, info, warning, error or off");
}

COROLITH_DECL void set_role(std::string role) {
  std::string pattern = "corolith ";
  for (char c : role) pattern += c == '%' ? std::string("%%") : std::string(1, c);
  detail::logger().set_pattern(pattern + " %l: %v");
}

COROLITH_DECL void write(level at, const std::string& line) noexcept {
  try {
    detail::logger().log(detail::to_spdlog(at), line);
  } catch (...) {  // a diagnostic that cannot be written is not worth the process
  }
}

}  // namespace log
}  // namespace v0
}  // namespace corolith
