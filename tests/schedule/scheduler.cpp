// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "fake_driver.hpp"

using namespace schedule_test;

TEST_CASE("the life of a batch, command by command") {
  fake_driver d;
  d.scheduler.agent_joined(1, {2, 0, 0});
  d.scheduler.batch_added(7, {});
  auto want = d.take(command_kind::want_input);
  REQUIRE(want.size() == 1);
  REQUIRE(want[0].id.batch == 7);
  REQUIRE(want[0].count == settings{}.input_window);

  REQUIRE(d.scheduler.input_available(7, 3) == 3);
  d.scheduler.input_ended(7);
  REQUIRE(d.scheduler.input_available(7, 1) == 0);
  auto sends = d.sends();
  REQUIRE(d.last.size() == 3);
  REQUIRE(d.last[0].kind == command_kind::open_batch);
  REQUIRE(sends.size() == 2);
  REQUIRE(sends[0].id == call_id{7, 0, 1});
  REQUIRE(sends[1].id == call_id{7, 1, 1});
  REQUIRE(d.scheduler.counts(7).waiting == 1);
  REQUIRE(d.scheduler.counts(7).sent == 2);

  REQUIRE(d.finish(sends[1]) == verdict::deliver);
  auto third = d.sends();
  REQUIRE(third.size() == 1);
  REQUIRE(third[0].id == call_id{7, 2, 1});
  REQUIRE(d.finish(third[0]) == verdict::deliver);
  REQUIRE(d.take(command_kind::batch_done).empty());
  REQUIRE(d.finish(sends[0]) == verdict::deliver);
  d.scheduler.take_commands().swap(d.last);
  REQUIRE(d.last.size() == 2);
  REQUIRE(d.last[0].kind == command_kind::close_batch);
  REQUIRE(d.last[0].agent == 1);
  REQUIRE(d.last[1].kind == command_kind::batch_done);
  REQUIRE(d.scheduler.counts(7).ended == 3);
  d.scheduler.batch_removed(7);
  REQUIRE(d.scheduler.take_commands().empty());
  REQUIRE(d.scheduler.counts(7).input == 0);
}

TEST_CASE("an empty batch is done at once") {
  fake_driver d;
  d.batch(1, 0);
  REQUIRE(d.take(command_kind::batch_done).size() == 1);
}

TEST_CASE("calls wait for agents to come") {
  fake_driver d;
  d.batch(1, 2);
  REQUIRE(d.sends().empty());
  d.scheduler.agent_joined(5, {1, 0, 0});
  REQUIRE(d.sends().size() == 1);
}

TEST_CASE("a failing call is sent again with a greater attempt, at most retries + 1 times") {
  fake_driver d;
  d.scheduler.agent_joined(1, {1, 0, 0});
  d.batch(1, 1, {.retries = 2});
  for (std::uint32_t attempt = 1; attempt <= 3; ++attempt) {
    auto sent = d.sends();
    REQUIRE(sent.size() == 1);
    REQUIRE(sent[0].id.attempt == attempt);
    REQUIRE(d.finish(sent[0], outcome_kind::exception) == (attempt < 3 ? verdict::retry : verdict::deliver));
  }
  REQUIRE(d.take(command_kind::batch_done).size() == 1);
}

TEST_CASE("second reports, old attempts and strangers are stale") {
  fake_driver d;
  d.scheduler.agent_joined(1, {1, 0, 0});
  d.scheduler.agent_joined(2, {1, 0, 0});
  d.batch(1, 1, {.retries = 1});
  const command sent = d.sends().at(0);
  const agent_id other = 3 - sent.agent;
  REQUIRE(d.scheduler.finished(other, sent.id, outcome_kind::value, 1, 1) == verdict::stale);
  REQUIRE(d.scheduler.finished(9, sent.id, outcome_kind::value, 1, 1) == verdict::stale);
  REQUIRE(d.scheduler.finished(sent.agent, {1, 5, 1}, outcome_kind::value, 1, 1) == verdict::stale);
  REQUIRE(d.scheduler.finished(sent.agent, {2, 0, 1}, outcome_kind::value, 1, 1) == verdict::stale);
  REQUIRE(d.finish(sent, outcome_kind::timeout) == verdict::retry);
  REQUIRE(d.finish(sent) == verdict::stale);  // it waits
  const command again = d.sends().at(0);
  REQUIRE(d.finish(sent) == verdict::stale);  // the first attempt
  REQUIRE(d.finish(again) == verdict::deliver);
  REQUIRE(d.finish(again) == verdict::stale);
}

TEST_CASE("a lost agent costs no retry and its calls go first, in their order") {
  fake_driver d;
  d.scheduler.agent_joined(1, {3, 0, 0});
  d.batch(1, 6);
  auto sent = d.sends();
  REQUIRE(sent.size() == 3);
  d.scheduler.agent_lost(1);
  REQUIRE(d.sends().empty());
  REQUIRE(d.finish(sent[0]) == verdict::stale);
  d.scheduler.agent_joined(2, {4, 0, 0});
  auto again = d.sends();
  REQUIRE(again.size() == 4);
  for (std::uint32_t i = 0; i < 4; ++i) REQUIRE(again[i].id == call_id{1, i, i < 3 ? 2u : 1u});
  REQUIRE(d.of(command_kind::open_batch).size() == 1);
  REQUIRE(d.finish(again[0], outcome_kind::exception) == verdict::deliver);
}

TEST_CASE("a call that kills three workers is poison") {
  fake_driver d;
  d.scheduler.agent_joined(1, {1, 0, 0});
  d.batch(1, 1, {.retries = 5});
  REQUIRE(d.finish(d.sends().at(0), outcome_kind::worker_lost) == verdict::retry);
  d.scheduler.returned(1, d.sends().at(0).id);  // this one had not started
  REQUIRE(d.finish(d.sends().at(0), outcome_kind::worker_lost) == verdict::retry);
  REQUIRE(d.finish(d.sends().at(0), outcome_kind::worker_lost) == verdict::failed);
  auto failed = d.take(command_kind::fail);
  REQUIRE(failed.size() == 1);
  REQUIRE(failed[0].reason == fail_reason::poison);
  REQUIRE(failed[0].id == call_id{1, 0, 4});
  REQUIRE(d.of(command_kind::batch_done).size() == 1);
}

TEST_CASE("cancelling: unsent calls fail at once, sent ones by their outcome") {
  fake_driver d;
  d.scheduler.agent_joined(1, {4, 0, 0});
  d.batch(1, 6, {.retries = 3});
  auto sent = d.sends();
  REQUIRE(sent.size() == 4);
  d.scheduler.cancel_call(1, 5);
  d.scheduler.cancel_call(1, 5);
  d.scheduler.cancel_call(1, 99);
  auto failed = d.take(command_kind::fail);
  REQUIRE(failed.size() == 1);
  REQUIRE(failed[0].id == call_id{1, 5, 0});
  REQUIRE(failed[0].reason == fail_reason::cancelled);

  d.scheduler.cancel_batch(1);
  REQUIRE(d.take(command_kind::cancel).size() == 4);
  REQUIRE(d.of(command_kind::fail).size() == 1);  // call 4
  REQUIRE(d.finish(sent[0]) == verdict::deliver);
  REQUIRE(d.finish(sent[1], outcome_kind::exception) == verdict::deliver);
  REQUIRE(d.finish(sent[2], outcome_kind::cancelled) == verdict::failed);
  d.scheduler.returned(1, sent[3].id);
  failed = d.take(command_kind::fail);
  REQUIRE(failed.size() == 2);
  REQUIRE(failed[0].id.index == 2);
  REQUIRE(failed[1].id.index == 3);
  REQUIRE(d.of(command_kind::batch_done).size() == 1);
  REQUIRE(d.of(command_kind::send).empty());
}

TEST_CASE("a cancelled call whose agent is lost fails") {
  fake_driver d;
  d.scheduler.agent_joined(1, {1, 0, 0});
  d.batch(1, 1);
  d.sends();
  d.scheduler.cancel_call(1, 0);
  d.scheduler.agent_lost(1);
  auto failed = d.take(command_kind::fail);
  REQUIRE(failed.size() == 1);
  REQUIRE(failed[0].reason == fail_reason::cancelled);
}

TEST_CASE("a removed batch is cancelled in silence") {
  fake_driver d;
  d.scheduler.agent_joined(1, {1, 0, 0});
  d.batch(1, 5);
  const command sent = d.sends().at(0);
  d.scheduler.batch_removed(1);
  d.scheduler.take_commands().swap(d.last);
  REQUIRE(d.last.size() == 1);
  REQUIRE(d.last[0].kind == command_kind::cancel);
  d.batch(2, 1);
  REQUIRE(d.sends().empty());  // the slot is taken until the agent says otherwise
  REQUIRE(d.finish(sent) == verdict::stale);
  REQUIRE(d.sends().size() == 1);
  REQUIRE(d.of(command_kind::close_batch).size() == 1);
  REQUIRE(d.of(command_kind::batch_done).empty());
  REQUIRE(d.scheduler.counts(1).input == 0);
}

TEST_CASE("calls that fit no agent wait while agents may come, and fail when none will") {
  fake_driver d;
  d.scheduler.agent_joined(1, {4, 0, 0});
  d.batch(1, 2, {.need = {.cpus = 8}});
  d.batch(2, 1, {.need = {.cpus = 1, .gpus = 1}});
  d.batch(3, 1, {.need = {.cpus = 1, .memory = 1 << 20}});  // the agent has not said how much memory it has
  REQUIRE(d.sends().size() == 1);
  d.scheduler.agent_joined(2, {1, 1, 0});
  REQUIRE(count_batch(d.sends(), 2) == 1);
  d.scheduler.capacity_final(true);
  auto failed = d.take(command_kind::fail);
  REQUIRE(failed.size() == 2);
  REQUIRE(failed[0].reason == fail_reason::cannot_fit);
  REQUIRE(count_batch(failed, 1) == 2);
  REQUIRE(d.of(command_kind::batch_done).size() == 1);
}

TEST_CASE("when the last agent is lost for good its calls fail") {
  fake_driver d;
  d.scheduler.agent_joined(1, {1, 0, 0});
  d.scheduler.capacity_final(true);
  d.batch(1, 3);
  d.sends();
  d.scheduler.agent_lost(1);
  REQUIRE(d.take(command_kind::fail).size() == 3);
  REQUIRE(d.of(command_kind::batch_done).size() == 1);
}

TEST_CASE("input is pulled as results are consumed") {
  settings config;
  config.input_window = 100;
  fake_driver d(config);
  d.scheduler.agent_joined(1, {1, 0, 0});
  d.scheduler.batch_added(1, {});
  REQUIRE(d.take(command_kind::want_input).at(0).count == 100);
  d.scheduler.input_available(1, 60);
  d.scheduler.input_available(1, 40);
  for (int i = 0; i < 80; ++i) {
    REQUIRE(d.finish(d.sends().at(0)) == verdict::deliver);
    REQUIRE(d.of(command_kind::want_input).empty());  // finished but not consumed
  }
  d.scheduler.consumed(1, 10);
  REQUIRE(d.take(command_kind::want_input).empty());  // too few to ask for
  d.scheduler.consumed(1, 20);
  REQUIRE(d.take(command_kind::want_input).at(0).count == 30);
}

TEST_CASE("the input window grows with the agents") {
  settings config;
  config.input_window = 10;
  fake_driver d(config);
  d.scheduler.batch_added(1, {});
  REQUIRE(d.take(command_kind::want_input).at(0).count == 10);
  d.scheduler.agent_joined(1, {100, 0, 0});
  REQUIRE(d.take(command_kind::want_input).at(0).count == 390);
}

TEST_CASE("a blocked call makes room, and takes it back") {
  fake_driver d;
  d.scheduler.agent_joined(1, {1, 0, 0});
  d.batch(1, 3);
  const command parent = d.sends().at(0);
  d.scheduler.blocked(1, parent.id);
  d.scheduler.blocked(1, parent.id);
  const command nested = d.sends().at(0);
  REQUIRE(d.sends().empty());
  REQUIRE(d.scheduler.load(1).blocked == 1);
  d.scheduler.unblocked(1, parent.id);
  REQUIRE(d.scheduler.load(1).idle_cpus == -1);
  REQUIRE(d.finish(nested) == verdict::deliver);
  REQUIRE(d.sends().empty());  // the parent has its slot again
  d.scheduler.blocked(1, parent.id);
  REQUIRE(d.finish(parent) == verdict::deliver);  // ends while blocked
  REQUIRE(d.sends().size() == 1);
  REQUIRE(d.scheduler.load(1).calls == 1);
  REQUIRE(d.scheduler.load(1).cpus == Approx(0.5));
}

TEST_CASE("a draining agent gets nothing new and gives back what it has not started") {
  fake_driver d;
  d.scheduler.agent_joined(1, {2, 0, 0});
  d.batch(1, 3);
  auto sent = d.sends();
  d.scheduler.started(1, sent[0].id);
  d.scheduler.agent_draining(1);
  auto recalled = d.take(command_kind::recall);
  REQUIRE(recalled.size() == 1);
  REQUIRE(recalled[0].id == sent[1].id);
  d.scheduler.returned(1, sent[1].id);
  REQUIRE(d.finish(sent[0]) == verdict::deliver);
  REQUIRE(d.sends().empty());
  d.scheduler.agent_joined(2, {2, 0, 0});
  REQUIRE(d.sends().size() == 2);
}

TEST_CASE("events about nothing known do nothing") {
  fake_driver d;
  d.scheduler.agent_lost(1);
  d.scheduler.agent_draining(1);
  d.scheduler.input_ended(1);
  d.scheduler.consumed(1, 5);
  d.scheduler.cancel_batch(1);
  d.scheduler.batch_removed(1);
  d.scheduler.started(1, {1, 1, 1});
  d.scheduler.blocked(1, {1, 1, 1});
  d.scheduler.unblocked(1, {1, 1, 1});
  d.scheduler.returned(1, {1, 1, 1});
  d.scheduler.tick(5);
  REQUIRE_FALSE(d.scheduler.wants_tick());
  REQUIRE(d.scheduler.input_available(1, 1) == 0);
  REQUIRE(d.scheduler.take_commands().empty());
}

TEST_CASE("elements that are skipped get no calls and keep their places", "[scheduler]") {
  fake_driver d;
  d.scheduler.agent_joined(1, {4, 0, 0});
  d.scheduler.batch_added(7, {});
  d.scheduler.input_skipped(7, 3);
  REQUIRE(d.scheduler.input_available(7, 1) == 1);
  d.scheduler.input_skipped(7, 1000);
  REQUIRE(d.scheduler.input_available(7, 2) == 2);
  d.scheduler.input_skipped(7, 5);
  d.scheduler.input_ended(7);
  const std::vector<command> sends = d.sends();
  REQUIRE(sends.size() == 3);
  CHECK(sends[0].id.index == 3);
  CHECK(sends[1].id.index == 1004);
  CHECK(sends[2].id.index == 1005);
  for (const command& sent : sends) CHECK(d.finish(sent) == verdict::deliver);
  CHECK(d.take(command_kind::batch_done).size() == 1);
  CHECK(d.scheduler.counts(7).sent == 0);

  // Nothing but what is skipped.
  d.scheduler.batch_added(8, {});
  d.scheduler.input_skipped(8, 100'000);
  d.scheduler.input_ended(8);
  CHECK(d.take(command_kind::batch_done).size() == 1);
}
