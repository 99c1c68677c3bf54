// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "settings.hpp"
#include "transfer_meter.hpp"

#include <corolith/core/error.hpp>
#include <corolith/coro/task.hpp>
#include <corolith/observe/console.hpp>

#include <cstdint>
#include <exception>
#include <functional>
#include <string>
#include <utility>

namespace tool {

/// What all tasks of a command share: settings, standard error, the meter, and how many have failed. On the loop of the main thread.
class session {
 public:
  explicit session(settings given) : how(std::move(given)), meter(out, how.progress) {}

  const settings how;
  corolith::console out;
  transfer_meter meter;

  /// Says that one of many did not work; the others go on.
  void complain(const std::string& text) {
    out.line("corolith: " + text);
    meter.failed();
    if (++failures_in_a_row_ == 20 && meter.done_objects() == 0)
      throw corolith::error(corolith::errc::storage, "given up after 20 failures, and nothing else");
  }

  /// Does it, and says what went wrong, if it did. `cancelled` is passed on.
  corolith::task<void> attempt(corolith::task<void> act, std::uint64_t bytes) {
    std::string problem;
    try {
      co_await std::move(act);
    } catch (const corolith::cancelled&) {
      throw;
    } catch (const std::exception& failure) {
      problem = failure.what();
    }
    if (problem.empty())
      meter.done(bytes);
    else
      complain(problem);
  }

  /// The exit status of a command that went to its end.
  int status() const noexcept { return meter.failed_objects() == 0 ? 0 : 1; }

 private:
  unsigned failures_in_a_row_ = 0;
};

}  // namespace tool
