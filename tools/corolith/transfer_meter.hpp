// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "text.hpp"

#include <corolith/observe/console.hpp>
#include <corolith/observe/progress.hpp>

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>

namespace tool {

/// Shows how far a transfer is: a bar on a terminal, now and then a line elsewhere, and what it came to at its end. All but `start` and
/// `finish` may be called from any thread.
class transfer_meter {
 public:
  transfer_meter(corolith::console& out, corolith::progress_mode mode) : out_(out), mode_(mode) {}
  ~transfer_meter() { stop(); }
  transfer_meter(const transfer_meter&) = delete;
  transfer_meter& operator=(const transfer_meter&) = delete;

  /// `moved` says how many bytes have gone so far, which counts between the ends of objects. `act`: "sent".
  void start(std::string act, std::function<std::uint64_t()> moved) {
    act_ = std::move(act);
    moved_ = std::move(moved);
    moved_before_ = moved_();
    began_ = clock::now();
    if (mode_ != corolith::progress_mode::never)
      ticker_ = std::jthread([this](const std::stop_token& ending) { tick(ending); });
  }

  void known(std::uint64_t bytes) noexcept {
    ++known_objects_;
    known_bytes_ += bytes;
  }
  void all_known() noexcept { all_known_ = true; }
  /// So many bytes were there already, of an earlier attempt.
  void skipped(std::uint64_t bytes) noexcept { skipped_bytes_ += bytes; }
  void done(std::uint64_t bytes) noexcept {
    ++done_objects_;
    done_bytes_ += bytes;
  }
  void failed() noexcept { ++failed_objects_; }
  std::uint64_t done_objects() const noexcept { return done_objects_; }
  std::uint64_t failed_objects() const noexcept { return failed_objects_; }

  /// Removes the bar and says what it came to.
  void finish() {
    stop();
    const double seconds = elapsed();
    const bool quick = seconds < 1 && mode_ == corolith::progress_mode::automatic;
    if (mode_ == corolith::progress_mode::never || quick) return;
    const std::uint64_t skipped = std::min<std::uint64_t>(skipped_bytes_, done_bytes_);
    std::string text = fmt::format("corolith: {} {}", objects(done_objects_), act_);
    if (done_bytes_ != 0)
      text += fmt::format(", {} in {}, {}/s", human_size(done_bytes_), human_seconds(seconds),
                          human_size(static_cast<double>(done_bytes_ - skipped) / std::max(seconds, 1e-9)));
    if (failed_objects_ != 0) text += fmt::format(", {} failed", failed_objects_.load());
    out_.line(text);
  }

 private:
  using clock = std::chrono::steady_clock;

  static std::string objects(std::uint64_t count) { return fmt::format("{} object{}", count, count == 1 ? "" : "s"); }
  double elapsed() const { return std::chrono::duration<double>(clock::now() - began_).count(); }

  void stop() {
    ticker_.request_stop();
    if (ticker_.joinable()) ticker_.join();
    out_.status({});
  }

  void tick(const std::stop_token& ending) {
    std::mutex mutex;
    std::condition_variable_any changed;
    std::unique_lock lock(mutex);
    double told = 0;
    for (;;) {
      changed.wait_for(lock, ending, std::chrono::milliseconds(200), [] { return false; });
      if (ending.stop_requested()) return;
      const double seconds = elapsed();
      if (seconds < 1) continue;
      if (out_.is_terminal() && mode_ == corolith::progress_mode::automatic) {
        out_.status(bar(seconds));
      } else if (seconds - told >= 5) {
        told = seconds;
        out_.line("corolith: " + counts(seconds));
      }
    }
  }

  std::uint64_t bytes() const {
    return skipped_bytes_ + std::max<std::uint64_t>(done_bytes_, moved_() - moved_before_);
  }

  /// "3/40 objects, 1.2 of 5.0 GiB, 300 MiB/s, 12 s left".
  std::string counts(double seconds) const {
    const std::uint64_t all = known_bytes_, so_far = all == 0 ? bytes() : std::min(all, bytes());
    const double rate = static_cast<double>(so_far - std::min<std::uint64_t>(so_far, skipped_bytes_)) / seconds;
    std::string text =
        fmt::format("{}/{}{} objects", done_objects_.load(), known_objects_.load(), all_known_ ? "" : "+");
    if (failed_objects_ != 0) text += fmt::format(" ({} failed)", failed_objects_.load());
    text += ", " + human_size(so_far);
    if (all != 0) text += fmt::format(" of {}{}", human_size(all), all_known_ ? "" : " or more");
    text += fmt::format(", {}/s", human_size(rate));
    if (all_known_ && rate > 0 && all > so_far)
      text += fmt::format(", {} left", human_seconds(static_cast<double>(all - so_far) / rate));
    return text;
  }

  std::string bar(double seconds) const {
    winsize terminal{};
    const std::size_t width =
        ::ioctl(STDERR_FILENO, TIOCGWINSZ, &terminal) == 0 && terminal.ws_col > 20 ? terminal.ws_col : 80;
    const std::string tail = counts(seconds);
    if (tail.size() + 12 > width || known_bytes_ == 0) return tail.substr(0, width - 1);
    const std::size_t cells = std::min<std::size_t>(40, width - tail.size() - 4);
    const double part =
        static_cast<double>(std::min<std::uint64_t>(known_bytes_, bytes())) / static_cast<double>(known_bytes_);
    const auto full = static_cast<std::size_t>(static_cast<double>(cells) * part);
    return "[" + std::string(full, '#') + std::string(cells - full, '.') + "] " + tail;
  }

  corolith::console& out_;
  const corolith::progress_mode mode_;
  std::string act_;
  std::function<std::uint64_t()> moved_;
  std::uint64_t moved_before_ = 0;
  clock::time_point began_;
  std::atomic<std::uint64_t> known_objects_{0}, known_bytes_{0}, done_objects_{0}, done_bytes_{0}, failed_objects_{0},
      skipped_bytes_{0};
  std::atomic<bool> all_known_{false};
  std::jthread ticker_;
};

}  // namespace tool
