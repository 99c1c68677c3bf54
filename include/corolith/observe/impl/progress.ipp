// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/observe/progress.hpp>

#include <fmt/format.h>

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace corolith {
inline namespace v0 {
namespace detail {

inline std::size_t terminal_width() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 80;
}

inline std::string human_seconds(double seconds) {
  if (seconds < 60) return fmt::format("{:.0f} s", seconds);
  if (seconds < 3600)
    return fmt::format("{}:{:02} min", static_cast<int>(seconds) / 60, static_cast<int>(seconds) % 60);
  return fmt::format("{}:{:02} h", static_cast<int>(seconds) / 3600, static_cast<int>(seconds) / 60 % 60);
}

inline double rate(const progress_counts& counts, double seconds) {
  return seconds > 0 ? static_cast<double>(counts.done) / seconds : 0.0;
}

inline std::string failures(std::uint64_t failed) {
  return failed == 0 ? std::string() : fmt::format(", {} failed", failed);
}

}  // namespace detail

COROLITH_DECL std::string progress_meter::bar(const progress_counts& counts, double seconds, std::size_t width) {
  if (!counts.waiting_for.empty()) return counts.waiting_for.substr(0, width - 1);
  const double calls_per_s = detail::rate(counts, seconds);
  std::string tail =
      fmt::format(" {}/{}{}{}, {:.0f}/s, {} agents", counts.done, counts.known, counts.open_ended ? "+" : "",
                  detail::failures(counts.failed), calls_per_s, counts.agents);
  if (!counts.open_ended && calls_per_s > 0 && counts.known > counts.done)
    tail += ", " + detail::human_seconds(static_cast<double>(counts.known - counts.done) / calls_per_s) + " left";
  if (tail.size() + 12 > width) return tail.substr(1, width - 1);
  const std::size_t cells = std::min<std::size_t>(40, width - tail.size() - 3);
  const std::size_t full =
      counts.known == 0 ? 0
                        : static_cast<std::size_t>(static_cast<double>(cells) * static_cast<double>(counts.done) /
                                                   static_cast<double>(counts.known));
  return "[" + std::string(full, '#') + std::string(cells - full, '.') + "]" + tail;
}

COROLITH_DECL std::string progress_meter::plain(const progress_counts& counts, double seconds) {
  if (!counts.waiting_for.empty())
    return fmt::format("corolith: {} ({})", counts.waiting_for, detail::human_seconds(seconds));
  return fmt::format("corolith: {} of {}{} calls done{}, {} running, {:.0f} calls/s, {} agents with {} slots, {}",
                     counts.done, counts.known, counts.open_ended ? " or more" : "", detail::failures(counts.failed),
                     counts.running, detail::rate(counts, seconds), counts.agents, counts.slots,
                     detail::human_seconds(seconds));
}

COROLITH_DECL void progress_meter::update(const progress_counts& counts, clock::time_point now) {
  if (mode_ == progress_mode::never) return;
  const bool idle = counts.known == counts.done && !counts.open_ended && counts.waiting_for.empty();
  if (idle) return finish(counts, now);
  if (!began_) {
    began_ = last_line_ = now;
  }
  const double seconds = std::chrono::duration<double>(now - *began_).count();
  if (seconds < 1.0) return;
  if (out_.is_terminal() && mode_ == progress_mode::automatic) {
    out_.status(bar(counts, seconds, detail::terminal_width()));
  } else if (now - last_line_ >= std::chrono::seconds(5)) {
    last_line_ = now;
    out_.line(plain(counts, seconds));
  }
}

COROLITH_DECL void progress_meter::finish(const progress_counts& counts, clock::time_point now) {
  const std::uint64_t ended = counts.all_ended - std::exchange(told_ended_, counts.all_ended);
  const std::uint64_t failed = counts.all_failed - std::exchange(told_failed_, counts.all_failed);
  if (!began_) return;
  const double seconds = std::chrono::duration<double>(now - *began_).count();
  out_.status({});
  if (seconds >= 5.0 && ended != 0)
    out_.line(fmt::format("corolith: {} calls done{} in {}", ended, detail::failures(failed),
                          detail::human_seconds(seconds)));
  began_.reset();
}

}  // namespace v0
}  // namespace corolith
