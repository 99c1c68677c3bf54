// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/core/version.hpp>

#include <string>
#include <string_view>

/// Diagnostics of the library itself, one line each on standard error. Never on standard output; thread-safe.
namespace corolith {
inline namespace v0 {
namespace log {

enum class level { trace, debug, info, warning, error, off };

/// Lines below this level are dropped. The default is `warning`.
COROLITH_DECL void set_level(level minimum);
COROLITH_DECL level get_level();
COROLITH_DECL bool enabled(level at) noexcept;

/// "trace", "debug", "info", "warning", "error" or "off"; throws config_error for anything else.
COROLITH_DECL level parse_level(std::string_view name);
/// A word that starts every line and says which process speaks, for example "agent node3".
COROLITH_DECL void set_role(std::string role);

COROLITH_DECL void write(level at, const std::string& line) noexcept;

inline void debug(const std::string& line) {
  if (enabled(level::debug)) write(level::debug, line);
}
inline void info(const std::string& line) {
  if (enabled(level::info)) write(level::info, line);
}
inline void warning(const std::string& line) { write(level::warning, line); }
inline void error(const std::string& line) { write(level::error, line); }

}  // namespace log
}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/core/impl/log.ipp>
#endif
