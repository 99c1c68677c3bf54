// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/core/version.hpp>

#include <memory>
#include <string>

namespace corolith {
inline namespace v0 {

/// Writes whole lines to standard error from a thread of its own, with a status line that stays below them on a terminal. A
/// reader of standard error that does not read can therefore not hold up the thread that moves calls. Thread-safe.
class console {
 public:
  COROLITH_DECL console();
  COROLITH_DECL ~console();  // writes what is queued (for at most a second if nobody reads) and removes the status line
  console(const console&) = delete;
  console& operator=(const console&) = delete;

  /// Queues a line. When more than 64 MiB wait, lines are dropped and counted; the count is written when there is room.
  COROLITH_DECL void line(std::string text);
  /// Replaces the status line; empty removes it. On something that is no terminal this does nothing.
  COROLITH_DECL void status(std::string text);
  /// Whether standard error is a terminal.
  COROLITH_DECL bool is_terminal() const noexcept;

 private:
  struct state;
  std::shared_ptr<state> state_;
};

}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/observe/impl/console.ipp>
#endif
