// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/schedule/scheduler.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <vector>

namespace schedule_test {

using namespace corolith::schedule;
using corolith::call_id;

/// A scheduler and the commands that it gave in the last round.
struct fake_driver {
  explicit fake_driver(const settings& config = {}) : scheduler(config) {}

  corolith::schedule::scheduler scheduler;
  std::vector<command> last;
  std::int64_t now = 0;

  /// Takes the commands and returns those of one kind.
  std::vector<command> take(command_kind kind) {
    last = scheduler.take_commands();
    return of(kind);
  }
  std::vector<command> of(command_kind kind) const {
    std::vector<command> found;
    std::copy_if(last.begin(), last.end(), std::back_inserter(found), [&](const command& c) { return c.kind == kind; });
    return found;
  }
  std::vector<command> sends() { return take(command_kind::send); }

  /// A batch all of whose input is there.
  void batch(batch_id id, std::uint32_t calls, const batch_options& options = {}) {
    scheduler.batch_added(id, options);
    scheduler.input_available(id, calls);
    scheduler.input_ended(id);
  }
  verdict finish(const command& sent, outcome_kind kind = outcome_kind::value,
                 std::int64_t duration_ns = 1'000'000'000) {
    now += 1000;
    return scheduler.finished(sent.agent, sent.id, kind, duration_ns, now);
  }
};

inline std::size_t count_batch(const std::vector<command>& commands, batch_id id) {
  return static_cast<std::size_t>(
      std::count_if(commands.begin(), commands.end(), [&](const command& c) { return c.id.batch == id; }));
}
inline std::size_t count_agent(const std::vector<command>& commands, agent_id id) {
  return static_cast<std::size_t>(
      std::count_if(commands.begin(), commands.end(), [&](const command& c) { return c.agent == id; }));
}

}  // namespace schedule_test
