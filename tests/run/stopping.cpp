// SPDX-License-Identifier: Apache-2.0
// Timeouts and cancellation of single calls.
#include <corolith/run/executor.hpp>

#include <corolith/coro/this_task.hpp>
#include <corolith/run/this_call.hpp>

#include "support.hpp"

using namespace run_test;

namespace {

int square(int x) { return x * x; }
pid_t own_pid() { return ::getpid(); }

// Looks at nothing.
int never_ends(const std::string& file) {
  note(file);
  for (;;) std::this_thread::sleep_for(1h);
}
int spins(const std::string& file) {
  note(file);
  for (volatile bool on = true; on;) {
  }
  return 0;
}
// Ends soon after it is asked to; the answer depends on `how`.
int polite(const std::string& file, int how) {
  note(file);
  while (!this_call().stop_token().stop_requested()) std::this_thread::sleep_for(1ms);
  if (how == 0) throw cancelled("asked to stop");
  if (how == 1) throw std::runtime_error("interrupted");
  return 17;
}
// Is told by a callback, on another thread.
int told(const std::string& file) {
  note(file);
  std::atomic<bool> stopped{false};
  const std::stop_callback callback(this_call().stop_token(), [&] { stopped = true; });
  while (!stopped) std::this_thread::sleep_for(1ms);
  throw cancelled("told to stop");
}

}  // namespace

TEST_CASE("a call that never ends ends at its timeout", "[run]") {
  cluster local(options{.slots = 1, .grace = 20ms});
  const scratch folder;
  const executor ex = local->with({.timeout = 100ms});
  const pid_t before = local->call<own_pid>().get();
  SECTION("asleep") {
    const auto failure = thrown<call_timeout>([&] { ex.call<never_ends>(folder / "here").get(); });
    CHECK(failure.code() == errc::call_timeout);
    CHECK(failure.origin().pid == before);
    CHECK(contains(failure.what(), "timeout"));
  }
  SECTION("busy") { CHECK_THROWS_AS(ex.call<spins>(folder / "here").get(), call_timeout); }
  SECTION("with retries: each attempt has all its time") {
    CHECK(thrown<call_timeout>([&] { ex.with({.retries = 2}).call<never_ends>(folder / "here").get(); })
              .origin()
              .attempt == 3);
    CHECK(notes(folder / "here") == 3);
  }
  CHECK(local->call<own_pid>().get() != before);
}

TEST_CASE("a call that stops at its timeout keeps its worker", "[run]") {
  cluster local(options{.slots = 1, .grace = 60s});
  const scratch folder;
  const executor ex = local->with({.timeout = 50ms});
  const pid_t before = local->call<own_pid>().get();
  for (int how : {0, 1, 2}) CHECK_THROWS_AS(ex.call<polite>(folder / "here", how).get(), call_timeout);
  CHECK(local->call<own_pid>().get() == before);
}

TEST_CASE("a timeout is each call's own, not its batch's", "[run]") {
  cluster local(options{.slots = 1});
  const auto short_one = [](int x) {
    std::this_thread::sleep_for(1ms);
    return x;
  };
  // Together they take far longer.
  CHECK(local->with({.timeout = 20s}).map(short_one, std::vector{1, 2, 3}).get() == std::vector{1, 2, 3});
  std::vector<int> elements(400, 1);
  CHECK(local->with({.timeout = 300ms, .retries = 3}).map(short_one, elements).get() == elements);
}

TEST_CASE("a cancelled call that minds its stop token keeps its worker", "[run]") {
  cluster local(options{.slots = 1, .grace = 60s});
  const scratch folder;
  const pid_t before = local->call<own_pid>().get();
  const auto cancel_running = [&](future<int> later, const std::string& name) {
    wait_until([&] { return notes(folder / name) == 1; });
    later.cancel();
    later.wait();
    return later;
  };
  future<int> first = cancel_running(local->call<polite>(folder / "first", 0), "first");
  CHECK(first.state() == call_state::cancelled);
  CHECK_THROWS_AS(first.get(), cancelled);
  CHECK_THROWS_AS(cancel_running(local->call<told>(folder / "told"), "told").get(), cancelled);
  // What is not `cancelled` is the function's own answer.
  CHECK_THROWS_AS(cancel_running(local->call<polite>(folder / "second", 1), "second").get(), remote_error);
  CHECK(cancel_running(local->call<polite>(folder / "third", 2), "third").get() == 17);
  CHECK(local->call<own_pid>().get() == before);
}

TEST_CASE("a cancelled call that does not mind is killed", "[run]") {
  cluster local(options{.slots = 1, .grace = 20ms});
  const scratch folder;
  const pid_t before = local->call<own_pid>().get();
  future<int> later = local->with({.retries = 5}).call<never_ends>(folder / "here");
  wait_until([&] { return notes(folder / "here") == 1; });
  later.cancel();
  CHECK_THROWS_AS(later.get(), cancelled);
  CHECK(later.state() == call_state::cancelled);
  CHECK(local->call<own_pid>().get() != before);
  CHECK(notes(folder / "here") == 1);
}

TEST_CASE("a call that waits can be cancelled too, and never runs", "[run]") {
  cluster local(options{.slots = 1});
  const scratch folder;
  future<int> running = local->call<polite>(folder / "running", 2);
  wait_until([&] { return notes(folder / "running") == 1; });
  future<int> waiting = local->call<polite>(folder / "waiting", 2);
  waiting.cancel();
  CHECK_THROWS_AS(waiting.get(), cancelled);
  running.cancel();
  CHECK(running.get() == 17);
  CHECK(notes(folder / "waiting") == 0);
  waiting.cancel();  // without effect
}

TEST_CASE("a stop request on a task cancels the call that it awaits", "[run]") {
  cluster local(options{.grace = 20ms});
  const scratch folder;
  std::stop_source stop;
  std::thread stopper([&] {
    wait_until([&] { return notes(folder / "here") == 1; });
    stop.request_stop();
  });
  const auto wait_for_it = [](future<int> later) -> task<int> { co_return co_await later; };
  CHECK_THROWS_AS(sync_wait(wait_for_it(local->call<never_ends>(folder / "here")), stop.get_token()), cancelled);
  stopper.join();
  CHECK(local->call<square>(3).get() == 9);
}
