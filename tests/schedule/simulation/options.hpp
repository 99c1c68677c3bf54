// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support.hpp"

#include <cstdint>

namespace simulation {

/// What may happen in a schedule. Each is drawn on its own, so that they meet in all combinations.
struct world_options {
  // the driver
  std::uint32_t batches = 1;
  std::uint32_t most_calls = 40;          // of a batch
  std::int64_t spread_ns = 300'000'000;   // of the times at which batches come
  std::int64_t longest_ns = 200'000'000;  // of a call on an agent of usual speed
  bool exclusive = false;                 // no batch is sent ahead
  bool alike = false;                     // all batches need the same
  bool slow_readers = false;              // results are consumed late, in lumps, or never
  int cancels = 0;                        // per cent of the batches
  int nesting = 0;                        // per cent of the calls that call others
  int eager = 0;                          // per cent of the batches whose elements come unasked
  // the calls
  int failing = 0;  // per cent of the attempts that end badly
  int poison = 0;   // per cent of the batches with calls that kill their workers, always
  // the network
  bool reorders = false;
  int doubles = 0;  // per cent of the messages that come twice
  // the agents
  std::uint32_t agents = 1;              // that there are at the beginning, besides the first
  std::uint32_t more_agents = 0;         // that come later
  int leaving = 0;                       // per cent of the agents, each time, that drain, stop or disappear
  int freezing = 0;                      // that are silent for a while, as after SIGSTOP
  int bad = 0;                           // that lose every worker
  int slow = 0;                          // that take up to 20 times as long
  bool relaunches = false;               // another one comes for one that was lost
  bool final = false;                    // there comes a time after which no agent comes, and the first may leave too
  std::int64_t unrest_ns = 600'000'000;  // for how long agents come and go
  bool calm = false;                     // nothing at all goes wrong
};

inline settings draw_settings(generator& random) {
  settings config;
  config.input_window = 1 + random.pick32(random.chance(80) ? 100 : 4);
  config.max_depth = 1 + random.pick32(64);
  config.poison_after = 1 + random.pick32(4);
  config.first_rest_ns = 10'000'000 + random.pick(90'000'000);
  config.longest_rest_ns = config.first_rest_ns * (1 + random.pick(5));
  return config;
}

inline world_options draw_options(generator& random) {
  world_options o;
  const auto percent = [&](int how_often, int most) {
    return random.chance(how_often) ? static_cast<int>(1 + random.pick(most)) : 0;
  };
  o.batches = 1 + random.pick32(random.chance(70) ? 4 : 10);
  o.most_calls = 2 + random.pick32(random.chance(80) ? 30 : 150);
  if (random.chance(3)) o.most_calls = 1500;  // some pages of calls
  o.spread_ns = 1 + random.pick(300'000'000);
  o.longest_ns = random.chance(30) ? 50'000 : 1 + random.pick(200'000'000);
  o.exclusive = random.chance(25);
  o.alike = random.chance(30);
  o.agents = random.pick32(4);
  o.eager = percent(20, 100);
  o.slow = percent(30, 50);
  o.nesting = percent(30, 40);
  if (o.most_calls > 200) o.nesting = 0;  // each nested batch costs the model as much as any other
  if (random.pick(1000) == 0) {           // what is forgotten of one that has gone on for long
    o.batches = 1;
    o.most_calls = 30'000;
    o.longest_ns = 20'000;
    o.eager = 0;
  }
  if (random.chance(15)) {
    o.calm = true;
    return o;
  }
  o.slow_readers = random.chance(30);
  o.cancels = percent(40, 60);
  o.failing = percent(60, 30);
  o.poison = percent(20, 60);
  o.reorders = random.chance(60);
  o.doubles = percent(40, 20);
  o.more_agents = random.chance(60) ? random.pick32(6) : 0;
  o.leaving = percent(60, 30);
  o.freezing = percent(40, 30);
  o.bad = percent(20, 40);
  o.relaunches = random.chance(50);
  o.final = random.chance(15);
  return o;
}

}  // namespace simulation
