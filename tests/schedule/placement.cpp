// SPDX-License-Identifier: Apache-2.0
// Who gets which slot: windows, fair shares, large calls among small ones, recall, bad nodes.
#include <catch2/catch.hpp>

#include "fake_driver.hpp"

#include <deque>
#include <map>

using namespace schedule_test;

namespace {

/// Sends and finishes calls in the order of sending, `each` a round, until `rounds` have passed. Returns how many were
/// sent.
std::map<batch_id, std::size_t> run(fake_driver& d, std::deque<command>& sent, std::size_t rounds, std::size_t each,
                                    std::int64_t duration_ns) {
  std::map<batch_id, std::size_t> total;
  for (std::size_t round = 0; round < rounds; ++round) {
    for (const command& c : d.sends()) {
      ++total[c.id.batch];
      sent.push_back(c);
    }
    for (std::size_t i = 0; i < each && !sent.empty(); ++i) {
      d.finish(sent.front(), outcome_kind::value, duration_ns);
      sent.pop_front();
    }
  }
  return total;
}

/// Ends a call of the function that took a second; agents must be idle.
void teach_long(fake_driver& d, std::uint64_t function) {
  d.batch(1'000'000, 1, {.function = function});
  d.finish(d.sends().at(0));
  REQUIRE(d.take(command_kind::batch_done).size() == 1);
  d.scheduler.batch_removed(1'000'000);
}

}  // namespace

TEST_CASE("the window opens when calls turn out to be short") {
  fake_driver d;
  d.scheduler.agent_joined(1, {2, 0, 0});
  d.batch(1, 5000);
  auto sent = d.sends();
  REQUIRE(sent.size() == 2);
  d.finish(sent[0], outcome_kind::value, 500);
  REQUIRE(d.sends().size() == 256);  // the other one may be long
  d.finish(sent[1], outcome_kind::value, 500);
  REQUIRE(d.sends().size() == 256);
  REQUIRE(d.sends().empty());
}

TEST_CASE("exclusive calls and a chunk of one are never sent ahead") {
  const auto options = GENERATE(batch_options{.exclusive_dispatch = true}, batch_options{.chunk = 1});
  fake_driver d;
  d.scheduler.agent_joined(1, {2, 0, 0});
  d.batch(1, 100, options);
  const std::int64_t duration = GENERATE(500, 1'000'000'000);
  auto sent = d.sends();
  REQUIRE(sent.size() == 2);
  d.finish(sent[0], outcome_kind::value, duration);
  REQUIRE(d.sends().size() == 1);
}

TEST_CASE("of long calls one is sent ahead to each slot") {
  fake_driver d;
  d.scheduler.agent_joined(1, {2, 0, 0});
  d.batch(1, 100);
  auto sent = d.sends();
  REQUIRE(sent.size() == 2);
  d.finish(sent[0]);
  REQUIRE(d.sends().size() == 2);  // the other running one takes a whole cpu of the window
  d.finish(sent[1]);
  REQUIRE(d.sends().size() == 2);
  REQUIRE(d.sends().empty());
  REQUIRE(d.scheduler.load(1).calls == 4);
}

TEST_CASE("long calls with large elements are not sent ahead") {
  fake_driver d;
  d.scheduler.agent_joined(1, {1, 0, 0});
  d.scheduler.batch_added(1, {});
  d.scheduler.input_available(1, 10, 1000);
  d.scheduler.input_available(1, 10, std::uint64_t{1} << 30);
  auto sent = d.sends();
  REQUIRE(sent.size() == 1);
  d.finish(sent[0]);
  REQUIRE(d.sends().size() == 1);
}

TEST_CASE("a long call that waits behind another is taken back at once when another agent idles") {
  fake_driver d;
  d.scheduler.agent_joined(1, {1, 0, 0});
  teach_long(d, 77);
  d.scheduler.agent_joined(2, {1, 0, 0});
  d.batch(1, 4, {.function = 77});
  const auto sent = d.sends();
  REQUIRE(count_agent(sent, 1) == 2);
  REQUIRE(count_agent(sent, 2) == 2);
  std::vector<command> at_one, at_two;
  for (const command& c : sent) (c.agent == 1 ? at_one : at_two).push_back(c);
  d.scheduler.started(1, at_one[0].id);
  d.finish(at_two[0]);
  REQUIRE(d.take(command_kind::recall).empty());
  d.finish(at_two[1]);
  const auto recalled = d.take(command_kind::recall);
  REQUIRE(recalled.size() == 1);
  REQUIRE(recalled[0].id == at_one[1].id);
  REQUIRE(recalled[0].agent == 1);
  REQUIRE(d.take(command_kind::recall).empty());
  d.scheduler.returned(1, recalled[0].id);
  const auto again = d.sends();
  REQUIRE(again.size() == 1);
  REQUIRE(again[0].agent == 2);
  REQUIRE(again[0].id.index == recalled[0].id.index);
  REQUIRE(again[0].id.attempt == 2);
}

TEST_CASE("no more long calls are taken back than can start at once") {
  fake_driver d;
  d.scheduler.agent_joined(1, {4, 0, 0});
  teach_long(d, 77);
  d.batch(1, 8, {.function = 77});
  REQUIRE(d.sends().size() == 8);
  d.scheduler.agent_joined(2, {2, 0, 0});
  const auto recalled = d.take(command_kind::recall);
  REQUIRE(recalled.size() == 2);
  REQUIRE(d.take(command_kind::recall).empty());
  d.scheduler.started(1, recalled[0].id);  // it was too late: another one
  const auto third = d.take(command_kind::recall);
  REQUIRE(third.size() == 1);
  REQUIRE(third[0].id != recalled[0].id);
  d.scheduler.returned(1, recalled[1].id);
  d.scheduler.returned(1, third[0].id);
  REQUIRE(count_agent(d.sends(), 2) == 2);
  REQUIRE(d.of(command_kind::recall).empty());
}

TEST_CASE("a long call that waits for a gpu goes where one is free") {
  fake_driver d;
  d.scheduler.agent_joined(1, {8, 1, 0});
  teach_long(d, 77);
  d.batch(1, 2, {.need = {.cpus = 1, .gpus = 1}, .function = 77});
  REQUIRE(count_agent(d.sends(), 1) == 2);
  d.scheduler.agent_joined(2, {8, 0, 0});
  REQUIRE(d.take(command_kind::recall).empty());  // idle, but of no use
  d.scheduler.agent_joined(3, {1, 1, 0});
  const auto recalled = d.take(command_kind::recall);
  REQUIRE(recalled.size() == 1);
  d.scheduler.returned(1, recalled[0].id);
  REQUIRE(count_agent(d.sends(), 3) == 1);
}

TEST_CASE("long calls are not sent ahead, and leave, while calls of another kind wait") {
  fake_driver d;
  d.scheduler.agent_joined(1, {2, 0, 0});
  teach_long(d, 77);
  d.batch(1, 10, {.function = 77});
  const auto sent = d.sends();
  REQUIRE(sent.size() == 4);
  d.batch(2, 3, {.exclusive_dispatch = true});
  const auto recalled = d.take(command_kind::recall);
  REQUIRE(recalled.size() == 2);
  REQUIRE(recalled[0].id == sent[3].id);
  REQUIRE(recalled[1].id == sent[2].id);
  d.scheduler.returned(1, sent[3].id);
  d.scheduler.returned(1, sent[2].id);
  auto others = d.sends();
  REQUIRE(others.size() == 1);
  REQUIRE(others[0].id.batch == 2);
  d.finish(sent[0]);
  REQUIRE(d.take(command_kind::recall).empty());
  d.finish(others[0]);
  d.finish(sent[1]);
  others = d.sends();
  REQUIRE(count_batch(others, 1) == 1);
  REQUIRE(count_batch(others, 2) == 1);
}

TEST_CASE("a long call that was sent to where it could start stays there, whatever waits") {
  fake_driver d;
  d.scheduler.agent_joined(1, {4, 0, 0});
  teach_long(d, 77);
  d.batch(1, 1, {.need = {.cpus = 3}, .function = 77});
  REQUIRE(d.sends().size() == 1);
  d.batch(2, 100, {.chunk = 4});  // fills the window, so that more calls last than can run at once
  REQUIRE(count_batch(d.sends(), 2) == 10);
  REQUIRE(d.of(command_kind::recall).empty());
  d.batch(3, 1, {.exclusive_dispatch = true});
  REQUIRE(d.take(command_kind::recall).empty());
}

TEST_CASE("a long call that was taken back is not sent ahead again, and nothing of its batch before it") {
  fake_driver d;
  d.scheduler.agent_joined(1, {2, 0, 0});
  teach_long(d, 77);
  d.batch(1, 10, {.function = 77});
  const auto sent = d.sends();
  REQUIRE(sent.size() == 4);
  d.batch(2, 1, {.need = {.cpus = 2}});
  const auto recalled = d.take(command_kind::recall);
  REQUIRE(recalled.size() == 2);
  d.scheduler.returned(1, recalled[0].id);
  d.scheduler.returned(1, recalled[1].id);
  d.scheduler.cancel_batch(2);  // nothing else waits any more
  REQUIRE(d.sends().empty());
  d.finish(sent[0]);
  auto again = d.sends();
  REQUIRE(again.size() == 1);
  REQUIRE(again[0].id == call_id{1, recalled[1].id.index, 2});
  d.finish(sent[1]);
  again = d.sends();
  REQUIRE(again.size() == 3);  // the other one, and two that wait behind them
  REQUIRE(again[0].id == call_id{1, recalled[0].id.index, 2});
  REQUIRE(d.of(command_kind::recall).empty());
}

TEST_CASE("a chunk is sent ahead from the start") {
  fake_driver d;
  d.scheduler.agent_joined(1, {2, 0, 0});
  d.batch(1, 100, {.chunk = 10});
  REQUIRE(d.sends().size() == 20);
}

TEST_CASE("a batch starts from what its function taught an earlier one") {
  fake_driver d;
  d.scheduler.agent_joined(1, {1, 0, 0});
  d.batch(1, 1, {.function = 77});
  d.finish(d.sends().at(0), outcome_kind::value, 500);
  REQUIRE(d.take(command_kind::batch_done).size() == 1);
  d.batch(2, 100, {.function = 77});
  REQUIRE(d.sends().size() == 100);
}

TEST_CASE("few calls are spread over the agents") {
  fake_driver d;
  for (agent_id a = 1; a <= 4; ++a) d.scheduler.agent_joined(a, {8, 0, 0});
  d.batch(1, 8);
  auto sent = d.sends();
  REQUIRE(sent.size() == 8);
  for (agent_id a = 1; a <= 4; ++a) REQUIRE(count_agent(sent, a) == 2);
}

TEST_CASE("batches share the cpus by their priority") {
  fake_driver d;
  d.scheduler.agent_joined(1, {6, 0, 0});
  d.batch(1, 1000);
  REQUIRE(d.sends().size() == 6);
  d.batch(2, 1000, {.priority = 2});
  d.scheduler.agent_lost(1);
  d.scheduler.agent_joined(2, {6, 0, 0});
  auto sent = d.sends();
  REQUIRE(count_batch(sent, 1) == 2);
  REQUIRE(count_batch(sent, 2) == 4);
  std::deque<command> queue(sent.begin(), sent.end());
  auto total = run(d, queue, 300, 1, 1'000'000'000);
  REQUIRE(total[2] > total[1] * 3 / 2);
  REQUIRE(total[2] < total[1] * 5 / 2);
}

TEST_CASE("a batch of long calls gets its share from one of short calls that fills the window") {
  fake_driver d;
  d.scheduler.agent_joined(1, {4, 0, 0});
  d.batch(1, 8000);
  std::deque<command> sent;
  run(d, sent, 20, 4, 500);
  REQUIRE(sent.size() > 500);
  d.batch(2, 100);
  std::deque<command> short_ones = sent;
  std::size_t long_ones = 0;
  for (int round = 0; round < 400; ++round) {
    for (const command& c : d.sends()) {
      if (c.id.batch == 2) {
        ++long_ones;  // they run for ever
      } else {
        short_ones.push_back(c);
      }
    }
    for (int i = 0; i < 10 && !short_ones.empty(); ++i) {
      d.finish(short_ones.front(), outcome_kind::value, 500);
      short_ones.pop_front();
    }
  }
  REQUIRE(long_ones == 2);
}

TEST_CASE("a large call is not starved by a stream of small ones") {
  fake_driver d;
  const auto agents = GENERATE(1u, 3u);
  for (agent_id a = 1; a <= agents; ++a) d.scheduler.agent_joined(a, {4, 0, 0});
  std::deque<command> sent;
  batch_id next = 10;
  bool large_ran = false;
  std::size_t small_ran = 0;
  for (int round = 0; round < 500 && !large_ran; ++round) {
    if (round == 20) d.batch(1, 1, {.need = {.cpus = 4}});
    while (d.scheduler.load(1).idle_cpus + static_cast<std::int64_t>(next) < 10 + round * 2 + 20) d.batch(next++, 1);
    for (const command& c : d.sends()) {
      if (c.id.batch == 1) large_ran = true;
      ++small_ran;
      sent.push_back(c);
    }
    if (!sent.empty()) {
      d.finish(sent.front());
      sent.pop_front();
    }
  }
  REQUIRE(large_ran);
  REQUIRE(small_ran > 12);
}

TEST_CASE("what a large call leaves of the agent kept free for it is used at once") {
  fake_driver d;
  d.scheduler.agent_joined(1, {4, 0, 0});
  d.batch(1, 20);
  auto sent = d.sends();
  REQUIRE(sent.size() == 4);
  d.batch(2, 1, {.need = {.cpus = 2}});
  REQUIRE(d.sends().empty());
  d.finish(sent[0]);
  REQUIRE(d.sends().empty());  // one cpu is kept for the large call
  for (int i = 1; i < 4; ++i) d.finish(sent[static_cast<std::size_t>(i)]);
  sent = d.sends();
  REQUIRE(sent.size() == 5);  // two start at once, two wait behind them
  REQUIRE(count_batch(sent, 2) == 1);
}

TEST_CASE("an agent that never becomes free does not hold a large call for ever") {
  fake_driver d;
  d.scheduler.agent_joined(1, {4, 0, 0});
  d.scheduler.agent_joined(2, {4, 0, 0});
  d.batch(1, 1);
  const command endless = d.sends().at(0);  // holds its agent
  d.batch(2, 100000);
  std::deque<command> sent;
  run(d, sent, 10, 2, 1'000'000'000);
  d.batch(3, 1, {.need = {.cpus = 4}});
  bool large_ran = false;
  for (int round = 0; round < 2000 && !large_ran; ++round) {
    d.now += 1'000'000;
    for (const command& c : d.sends()) {
      if (c.id.batch == 3) {
        large_ran = true;
        REQUIRE(c.agent != endless.agent);
      }
      sent.push_back(c);
    }
    d.finish(sent.front());
    sent.pop_front();
  }
  REQUIRE(large_ran);
}

TEST_CASE("gpus and memory are packed too") {
  fake_driver d;
  d.scheduler.agent_joined(1, {16, 2, std::uint64_t{8} << 30});
  d.scheduler.agent_joined(2, {16, 0, std::uint64_t{4} << 30});
  d.batch(1, 10, {.need = {.cpus = 1, .gpus = 1}});
  d.batch(2, 10, {.need = {.cpus = 1, .memory = std::uint64_t{3} << 30}});
  auto sent = d.sends();
  REQUIRE(count_batch(sent, 1) == 2);
  REQUIRE(count_batch(sent, 2) == 3);
  for (const command& c : sent)
    if (c.id.batch == 1) REQUIRE(c.agent == 1);
}

TEST_CASE("what is sent ahead goes only where it can run") {
  fake_driver d;
  d.scheduler.agent_joined(1, {8, 0, std::uint64_t{8} << 30});
  d.batch(1, 20, {.need = {.cpus = 12}, .chunk = 4});
  d.batch(2, 20, {.need = {.cpus = 1, .memory = std::uint64_t{12} << 30}, .chunk = 8});
  REQUIRE(d.sends().empty());
  d.scheduler.agent_joined(2, {16, 0, std::uint64_t{16} << 30});
  const auto sent = d.sends();
  REQUIRE(!sent.empty());
  REQUIRE(count_agent(sent, 1) == 0);
}

TEST_CASE("queued calls are recalled from a silent agent when another one idles") {
  fake_driver d;
  d.scheduler.agent_joined(1, {1, 0, 0});
  d.batch(1, 5, {.chunk = 8});
  auto sent = d.sends();
  REQUIRE(sent.size() == 5);
  d.scheduler.agent_joined(2, {2, 0, 0});
  REQUIRE(d.scheduler.wants_tick());
  d.scheduler.tick(1'000'000'000);
  REQUIRE(d.take(command_kind::recall).empty());  // it was heard of since the last tick
  d.scheduler.tick(1'005'000'000);
  REQUIRE(d.take(command_kind::recall).empty());
  d.scheduler.tick(1'011'000'000);
  auto recalled = d.take(command_kind::recall);
  REQUIRE(recalled.size() == 2);  // as many as the other agent has slots
  REQUIRE(recalled[0].id == sent[4].id);
  REQUIRE(recalled[1].id == sent[3].id);
  d.scheduler.tick(1'030'000'000);
  REQUIRE(d.take(command_kind::recall).size() == 2);  // the two others that queue, but none twice
  d.scheduler.returned(1, sent[4].id);
  auto again = d.sends();
  REQUIRE(again.size() == 1);
  REQUIRE(again[0].agent == 2);
  REQUIRE(again[0].id == call_id{1, 4, 2});
  REQUIRE(d.finish(sent[3]) == verdict::deliver);  // it had started after all
}

TEST_CASE("what a silent agent gave back waits for a free slot, and does not return to a queue") {
  fake_driver d;
  d.scheduler.agent_joined(1, {1, 0, 0});
  d.batch(1, 3, {.chunk = 8});
  REQUIRE(d.sends().size() == 3);
  d.scheduler.agent_joined(2, {1, 0, 0});
  d.scheduler.tick(1'000'000'000);
  d.scheduler.tick(1'011'000'000);
  const auto recalled = d.take(command_kind::recall);
  REQUIRE(recalled.size() == 1);
  d.batch(2, 1);
  const auto other = d.sends();
  REQUIRE(count_agent(other, 2) == 1);  // it came first
  d.scheduler.returned(1, recalled[0].id);
  REQUIRE(d.sends().empty());
  d.finish(other[0]);
  const auto again = d.sends();
  REQUIRE(again.size() == 1);
  REQUIRE(again[0].agent == 2);
  REQUIRE(again[0].id == call_id{1, recalled[0].id.index, 2});
}

TEST_CASE("calls that wait for a gpu do not keep queued ones from an idle agent that has none") {
  fake_driver d;
  d.scheduler.agent_joined(1, {1, 0, 0});
  d.batch(1, 3, {.chunk = 8});
  REQUIRE(count_agent(d.sends(), 1) == 3);
  d.scheduler.agent_joined(2, {1, 1, 0});
  d.batch(2, 2, {.need = {.cpus = 1, .gpus = 1}, .exclusive_dispatch = true});
  REQUIRE(count_agent(d.sends(), 2) == 1);
  d.scheduler.agent_joined(3, {1, 0, 0});
  d.scheduler.tick(1'000'000'000);
  REQUIRE(d.take(command_kind::recall).empty());
  d.scheduler.tick(1'011'000'000);
  const auto recalled = d.take(command_kind::recall);
  REQUIRE(recalled.size() == 1);
  d.scheduler.returned(1, recalled[0].id);
  const auto again = d.sends();
  REQUIRE(count_agent(again, 3) == 1);
  REQUIRE(again[0].id == call_id{1, recalled[0].id.index, 2});
}

TEST_CASE("nothing is recalled while no agent idles") {
  fake_driver d;
  d.scheduler.agent_joined(1, {1, 0, 0});
  d.scheduler.agent_joined(2, {1, 0, 0});
  d.batch(1, 16, {.chunk = 8});
  REQUIRE(d.sends().size() == 16);
  for (std::int64_t t = 1; t < 10; ++t) d.scheduler.tick(t * 20'000'000);
  REQUIRE(d.take(command_kind::recall).empty());
}

TEST_CASE("one bad node does not poison calls: they try elsewhere and it rests") {
  fake_driver d;
  d.scheduler.agent_joined(1, {4, 0, 0});
  d.scheduler.agent_joined(2, {1, 0, 0});
  d.batch(1, 200);
  std::size_t delivered = 0, lost = 0;
  for (int round = 0; round < 5000 && delivered < 200; ++round) {
    auto sent = d.sends();
    REQUIRE(d.of(command_kind::fail).empty());
    for (const command& c : sent) {
      if (c.agent == 1) {
        ++lost;
        d.finish(c, outcome_kind::worker_lost);
      } else if (d.finish(c) == verdict::deliver) {
        ++delivered;
      }
    }
    d.now += 10'000'000;
    if (d.scheduler.wants_tick()) d.scheduler.tick(d.now);
  }
  REQUIRE(delivered == 200);
  REQUIRE(lost >= 4);
  REQUIRE(lost < 20);
}

TEST_CASE("a call waits for another agent than the one where it lost a worker, while there is one") {
  const bool other_is_lost = GENERATE(false, true);
  fake_driver d;
  d.scheduler.agent_joined(1, {1, 0, 0});
  d.scheduler.agent_joined(2, {1, 0, 0});
  d.batch(1, 1);
  const command busy = d.sends().at(0);
  d.batch(2, 1);
  const command unlucky = d.sends().at(0);
  REQUIRE(unlucky.agent != busy.agent);
  REQUIRE(d.finish(unlucky, outcome_kind::worker_lost) == verdict::retry);
  REQUIRE(d.sends().empty());
  d.batch(3, 1);
  const command third = d.sends().at(0);  // others may use the agent meanwhile
  REQUIRE(third.agent == unlucky.agent);
  d.finish(third);
  REQUIRE(d.sends().empty());
  if (other_is_lost) {
    d.scheduler.agent_lost(busy.agent);
    d.finish(d.sends().at(0));  // the lost agent's call came first
  } else {
    d.finish(busy);
  }
  auto again = d.sends();
  REQUIRE(count_batch(again, 2) == 1);
  for (const command& c : again) REQUIRE((c.agent == unlucky.agent) == other_is_lost);
}

TEST_CASE("a call that avoids an idle agent gets another one kept free for it") {
  fake_driver d;
  d.scheduler.agent_joined(1, {8, 1, 0});
  d.scheduler.agent_joined(2, {4, 1, 0});
  d.batch(1, 2000, {.need = {.cpus = 8}, .chunk = 4});
  std::deque<command> sent;
  for (const command& c : d.sends()) sent.push_back(c);
  REQUIRE(sent.size() == 4);
  d.batch(2, 1, {.need = {.cpus = 3, .gpus = 1}});
  const command unlucky = d.sends().at(0);
  REQUIRE(unlucky.agent == 2);
  REQUIRE(d.finish(unlucky, outcome_kind::worker_lost) == verdict::retry);
  bool ran = false;
  for (int round = 0; round < 500 && !ran; ++round) {
    for (const command& c : d.sends()) {
      if (c.id.batch == 2) {
        ran = true;
        REQUIRE(c.agent == 1);
      }
      sent.push_back(c);
    }
    d.now += 1'000'000;
    d.finish(sent.front());
    sent.pop_front();
  }
  REQUIRE(ran);
}

TEST_CASE("an agent on trial comes after idle healthy ones") {
  fake_driver d;
  d.scheduler.agent_joined(1, {4, 0, 0});
  d.scheduler.agent_joined(2, {3, 0, 0});
  d.batch(1, 7);
  for (const command& c : d.sends()) d.finish(c, c.agent == 1 ? outcome_kind::worker_lost : outcome_kind::value);
  for (int round = 0; round < 2; ++round)
    for (const command& c : d.sends()) d.finish(c);
  d.scheduler.tick(d.now + 1'000'000'000);
  d.batch(2, 4);
  auto sent = d.sends();
  REQUIRE(sent.size() == 4);
  for (int i = 0; i < 3; ++i) REQUIRE(sent[static_cast<std::size_t>(i)].agent == 2);
  REQUIRE(sent[3].agent == 1);
}

TEST_CASE("a node that recovers is used again") {
  fake_driver d;
  d.scheduler.agent_joined(1, {4, 0, 0});
  d.scheduler.agent_joined(2, {4, 0, 0});
  d.batch(1, 1000);
  for (const command& c : d.sends()) d.finish(c, c.agent == 1 ? outcome_kind::worker_lost : outcome_kind::value);
  std::deque<command> on_two;
  for (const command& c : d.sends()) on_two.push_back(c);
  REQUIRE(count_agent(d.last, 1) == 0);
  d.scheduler.tick(d.now + 1'000'000'000);
  auto trial = d.sends();
  REQUIRE(trial.size() == 1);  // one call shows whether it works
  REQUIRE(trial[0].agent == 1);
  REQUIRE(d.finish(trial[0]) == verdict::deliver);
  REQUIRE(d.sends().size() == 8);
}

TEST_CASE("a call that is blocked at an agent on trial gets its nested calls run there") {
  fake_driver d;
  d.scheduler.agent_joined(1, {4, 1, 0});
  d.scheduler.agent_joined(2, {1, 0, 0});
  d.batch(1, 1, {.need = {.cpus = 2}});
  const command parent = d.sends().at(0);
  d.scheduler.blocked(1, parent.id);
  d.batch(2, 3, {.need = {.cpus = 1, .gpus = 1}});
  for (int i = 0; i < 3; ++i) REQUIRE(d.finish(d.sends().at(0), outcome_kind::worker_lost) == verdict::retry);
  REQUIRE(d.sends().empty());
  d.scheduler.tick(d.now + 1'000'000'000);
  const auto trial = d.sends();
  REQUIRE(trial.size() == 1);
  d.finish(trial[0]);
  REQUIRE(d.sends().size() == 2);
}

TEST_CASE("a batch that crashes everywhere ends soon, without rests") {
  fake_driver d;
  d.scheduler.agent_joined(1, {2, 0, 0});
  d.batch(1, 50);
  std::size_t failed = 0;
  for (int round = 0; round < 200; ++round) {
    auto sent = d.sends();
    failed += d.of(command_kind::fail).size();
    for (const command& c : sent) d.finish(c, outcome_kind::worker_lost);
  }
  REQUIRE(failed == 50);
}
