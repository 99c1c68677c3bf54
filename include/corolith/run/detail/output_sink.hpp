// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/coro/loop.hpp>
#include <corolith/observe/console.hpp>
#include <corolith/run/options.hpp>

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace corolith {
inline namespace v0 {
namespace detail {

/// Takes the lines of workers off the I/O thread: to the user's handler on the background loop, or to standard error.
class output_sink : public std::enable_shared_from_this<output_sink> {
 public:
  using handler = std::function<void(const output_line&)>;

  output_sink(std::shared_ptr<console> out, handler on_output) : out_(std::move(out)), handler_(std::move(on_output)) {}

  void take(output_line line) {
    if (!handler_) {
      const std::string call =
          line.batch == 0 ? std::string() : " " + std::to_string(line.batch) + "." + std::to_string(line.index);
      out_->line("[" + line.host + " " + std::to_string(line.pid) + call + "] " + line.text);
      return;
    }
    bool idle;
    {
      std::lock_guard lock(mutex_);
      idle = lines_.empty() && !busy_;
      busy_ = true;
      lines_.push_back(std::move(line));
    }
    if (idle) background_loop().post(*new delivery{shared_from_this()});
  }

 private:
  // One turn of the background loop: hands over all lines that are there.
  struct delivery : loop::work {
    explicit delivery(std::shared_ptr<output_sink> to) : sink(std::move(to)) {
      next = nullptr;
      run = [](loop::work* self) noexcept {
        std::unique_ptr<delivery> owned(static_cast<delivery*>(self));
        owned->sink->hand_over();
      };
    }
    std::shared_ptr<output_sink> sink;
  };

  void hand_over() noexcept {
    for (;;) {
      std::vector<output_line> lines;
      {
        std::lock_guard lock(mutex_);
        lines.swap(lines_);
        if (lines.empty()) {
          busy_ = false;
          return;
        }
      }
      for (const output_line& line : lines) try {
          handler_(line);
        } catch (...) {  // a handler that throws loses its line, not the program
        }
    }
  }

  std::shared_ptr<console> out_;
  handler handler_;
  std::mutex mutex_;
  std::vector<output_line> lines_;
  bool busy_ = false;
};

}  // namespace detail
}  // namespace v0
}  // namespace corolith
