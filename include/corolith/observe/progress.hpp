// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/core/version.hpp>
#include <corolith/observe/console.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace corolith {
inline namespace v0 {

/// When progress is shown: `automatic` is a bar on a terminal and now and then a line elsewhere.
enum class progress_mode { never, automatic, lines };

/// The state of all open batches, added up.
struct progress_counts {
  std::uint64_t done = 0;     ///< ended in any way
  std::uint64_t failed = 0;   ///< of `done`: in an error of their own
  std::uint64_t running = 0;  ///< sent to agents and not back
  std::uint64_t known = 0;    ///< calls known so far
  bool open_ended = false;    ///< some input is still coming, so `known` will grow
  std::uint32_t agents = 0;   ///< connected
  std::uint32_t slots = 0;
  std::uint64_t all_ended = 0;  ///< since the driver began, in a value or an error of their own; not what was cancelled
  std::uint64_t all_failed = 0;  ///< of `all_ended`
  std::string waiting_for;       ///< what holds everything up, e.g. "waiting for 2 agents"; empty when nothing does
};

/// Says how far the work is, independent of the log level. A run of less than a second shows nothing. Used from one thread.
class progress_meter {
 public:
  using clock = std::chrono::steady_clock;

  progress_meter(console& out, progress_mode mode) : out_(out), mode_(mode) {}

  /// Call this several times a second.
  COROLITH_DECL void update(const progress_counts& counts, clock::time_point now);
  /// Removes the bar; after a long run one line says how many calls ended in it.
  COROLITH_DECL void finish(const progress_counts& counts, clock::time_point now);

  /// The text of the bar, `width` columns wide. Exposed for tests.
  COROLITH_DECL static std::string bar(const progress_counts& counts, double seconds, std::size_t width);
  /// The text of a plain line.
  COROLITH_DECL static std::string plain(const progress_counts& counts, double seconds);

 private:
  console& out_;
  progress_mode mode_;
  std::optional<clock::time_point> began_;
  clock::time_point last_line_{};
  std::uint64_t told_ended_ = 0;  // of `all_ended`: before this run
  std::uint64_t told_failed_ = 0;
};

}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/observe/impl/progress.ipp>
#endif
