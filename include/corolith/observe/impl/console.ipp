// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/observe/console.hpp>

#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

namespace corolith {
inline namespace v0 {

struct console::state {
  static constexpr std::size_t limit = std::size_t{64} << 20;

  const bool terminal = ::isatty(STDERR_FILENO) == 1;
  std::mutex mutex;
  std::condition_variable changed;
  std::string pending;      // whole lines that are not yet written
  std::string status_text;  // what the status line should say
  bool status_changed = false;
  std::size_t dropped = 0;
  bool closing = false;
  bool finished = false;
  bool started = false;

  static void write_all(const std::string& text) {
    for (std::size_t done = 0; done < text.size();) {
      const ssize_t written = ::write(STDERR_FILENO, text.data() + done, text.size() - done);
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return;  // a closed standard error: there is nobody to tell
      done += static_cast<std::size_t>(written);
    }
  }

  // Takes the state by value: the thread may outlive the console when nobody reads standard error.
  static void run(std::shared_ptr<state> self) {
    bool status_shown = false;
    std::unique_lock lock(self->mutex);
    for (;;) {
      self->changed.wait(lock, [&] { return self->closing || !self->pending.empty() || self->status_changed; });
      std::string text = std::move(self->pending);
      self->pending.clear();
      if (self->dropped != 0)
        text += "corolith: " + std::to_string(std::exchange(self->dropped, 0)) + " lines of output were dropped\n";
      self->status_changed = false;
      const bool last = self->closing;
      const std::string status = last ? std::string() : self->status_text;
      lock.unlock();
      if (status_shown) text.insert(0, "\r\033[K");
      if (!status.empty()) text += status;
      status_shown = !status.empty();
      write_all(text);
      lock.lock();
      if (last && self->pending.empty()) break;
    }
    self->finished = true;
    self->changed.notify_all();
  }

  void wake(const std::shared_ptr<state>& self) {
    if (!std::exchange(started, true)) std::thread(run, self).detach();
    changed.notify_all();
  }
};

COROLITH_DECL console::console() : state_(std::make_shared<state>()) {}

COROLITH_DECL console::~console() {
  std::unique_lock lock(state_->mutex);
  if (!state_->started) return;
  state_->closing = true;
  state_->changed.notify_all();
  state_->changed.wait_for(lock, std::chrono::seconds(1), [&] { return state_->finished; });
}

COROLITH_DECL void console::line(std::string text) {
  std::lock_guard lock(state_->mutex);
  if (state_->pending.size() + text.size() > state::limit) {
    ++state_->dropped;
    return;
  }
  state_->pending += text;
  state_->pending += '\n';
  state_->wake(state_);
}

COROLITH_DECL void console::status(std::string text) {
  if (!state_->terminal) return;
  std::lock_guard lock(state_->mutex);
  if (state_->status_text == text) return;
  state_->status_text = std::move(text);
  state_->status_changed = true;
  state_->wake(state_);
}

COROLITH_DECL bool console::is_terminal() const noexcept { return state_->terminal; }

}  // namespace v0
}  // namespace corolith
