// SPDX-License-Identifier: Apache-2.0
#include <corolith/agent/detail/dispatch.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

using namespace corolith;
using namespace corolith::agent::detail;
using namespace std::chrono_literals;
using wire::message_type;
using wire::outcome_kind;

namespace {

// Stands for workers, driver and clock.
struct bench : dispatch_actions {
  explicit bench(std::uint32_t cpus = 2, std::uint64_t memory = 0, const dispatch_settings& settings = {})
      : dispatcher_of_node(settings, agent::node_capacity{cpus, memory, {}, {}}, *this) {}

  void start_worker(worker_number worker, const worker_kind& kind, const agent::slot_share&) override {
    live.insert(worker);
    starting.push_back(worker);
    kinds[worker] = kind;
  }
  void stop_worker(worker_number worker) override { stopped.push_back(worker); }
  void kill_worker(worker_number worker) override { killed.push_back(worker); }
  void send(worker_number worker, message_type type, const shared_bytes& body) override {
    if (type == message_type::call) calls[worker].push_back(wire::read_head<call_id>(body));
    if (type == message_type::cancel) cancels.push_back(wire::read_head<call_id>(body));
    if (type == message_type::recall) recalls.push_back(wire::read_head<call_id>(body));
    if (type == message_type::batch_open) ++opened[worker];
    if (type == message_type::batch_close) ++batches_closed;
  }
  void watch_memory(worker_number, std::uint64_t limit) override { watched = limit; }
  void tell_driver(message_type type, const call_id& id) override {
    if (type == message_type::returned) returned.push_back(id);
    if (type == message_type::started) started.push_back(id);
  }
  void fail(const call_id& id, outcome_kind kind, std::string_view, worker_number, const worker_death*) override {
    failed[id] = kind;
  }
  void give_up() override { gave_up = true; }

  void all_ready() {
    for (const worker_number worker : std::exchange(starting, {})) dispatcher_of_node.worker_ready(worker, now);
    dispatcher_of_node.dispatch(now);
  }
  void open(std::uint64_t batch, const wire::call_limits& limits = {}) {
    wire::batch_open message;
    message.batch = batch;
    message.limits = limits;
    dispatcher_of_node.open_batch(wire::pack(message));
  }
  void add(std::uint64_t batch, std::uint32_t first, std::uint32_t count) {
    for (std::uint32_t i = first; i < first + count; ++i)
      dispatcher_of_node.add_call(shared_bytes::copy(bytes_of(call_id{batch, i, 1})));
    dispatcher_of_node.dispatch(now);
  }
  std::optional<outcome_kind> finish(worker_number worker, const call_id& id, nanoseconds took,
                                     outcome_kind kind = outcome_kind::value) {
    wire::result_head head;
    head.id = id;
    head.kind = kind;
    head.started_ns = 1000;
    head.ended_ns = 1000 + took.count();
    std::erase(calls[worker], id);
    const auto verdict = dispatcher_of_node.finished(worker, head, now);
    dispatcher_of_node.dispatch(now);
    return verdict;
  }
  void pass(nanoseconds time) {
    now += time;
    dispatcher_of_node.tick(now);
    dispatcher_of_node.dispatch(now);
  }
  std::size_t in_workers() const {
    std::size_t count = 0;
    for (const auto& [worker, held] : calls) count += held.size();
    return count;
  }

  steady_time now{1h};
  std::set<worker_number> live;
  std::vector<worker_number> starting, stopped, killed;
  std::map<worker_number, worker_kind> kinds;
  std::map<worker_number, std::vector<call_id>> calls;
  std::map<worker_number, int> opened;
  std::vector<call_id> cancels, recalls, returned, started;
  std::map<call_id, outcome_kind> failed;
  std::uint64_t watched = 0;
  int batches_closed = 0;
  bool gave_up = false;
  dispatcher dispatcher_of_node;
};

}  // namespace

TEST_CASE("calls wait until workers are up, then one goes to each", "[agent]") {
  bench node;
  node.dispatcher_of_node.prestart(node.now);
  CHECK(node.live.size() == 2);
  node.open(1);
  node.add(1, 0, 5);
  CHECK(node.in_workers() == 0);
  CHECK(node.starting.size() == 2);  // no third: there are two cpus
  node.all_ready();
  CHECK(node.calls[1].size() == 1);
  CHECK(node.calls[2].size() == 1);
  CHECK(node.opened[1] == 1);
}

TEST_CASE("short calls are queued inside workers, of long ones one", "[agent]") {
  bench node(1);
  node.dispatcher_of_node.prestart(node.now);
  node.all_ready();
  node.open(1);
  node.add(1, 0, 1000);
  REQUIRE(node.calls[1].size() == 1);
  node.finish(1, {1, 0, 1}, 1us);
  CHECK(node.calls[1].size() == 256);
  CHECK(node.opened[1] == 1);

  bench slow(1);
  slow.dispatcher_of_node.prestart(slow.now);
  slow.all_ready();
  slow.open(1);
  slow.add(1, 0, 1000);
  slow.finish(1, {1, 0, 1}, 50ms);
  CHECK(slow.calls[1].size() == 2);
  slow.finish(1, {1, 1, 1}, 50ms);
  CHECK(slow.calls[1] == std::vector<call_id>{{1, 2, 1}, {1, 3, 1}});
}

TEST_CASE("a long call that waits in a worker is taken back when another worker becomes idle", "[agent]") {
  bench node(2);
  node.dispatcher_of_node.prestart(node.now);
  node.all_ready();
  node.open(1);
  node.add(1, 0, 2);
  const call_id first = node.calls[1][0], second = node.calls[2][0];
  node.finish(2, second, 50ms);
  node.add(1, 2, 2);
  REQUIRE(node.calls[1] == std::vector<call_id>{first, {1, 3, 1}});
  REQUIRE(node.calls[2] == std::vector<call_id>{{1, 2, 1}});
  node.pass(3ms);
  CHECK(node.recalls.empty());  // both are busy
  const steady_time soon = node.dispatcher_of_node.tick(node.now);
  CHECK(soon == steady_time::max());  // no timer runs meanwhile
  node.finish(2, {1, 2, 1}, 50ms);
  REQUIRE(node.recalls == std::vector<call_id>{{1, 3, 1}});
  node.pass(1ms);
  CHECK(node.recalls.size() == 1);
  SECTION("it comes back") {
    std::erase(node.calls[1], call_id{1, 3, 1});
    node.dispatcher_of_node.returned(1, {1, 3, 1}, node.now);
    node.dispatcher_of_node.dispatch(node.now);
    CHECK(node.calls[2] == std::vector<call_id>{{1, 3, 1}});
    CHECK(node.returned.empty());  // the driver hears nothing of it
  }
  SECTION("it had started") {
    node.finish(1, first, 50ms);
    CHECK(node.finish(1, {1, 3, 1}, 50ms) == outcome_kind::value);
    node.pass(3ms);
    CHECK(node.recalls.size() == 1);
  }
}

TEST_CASE("what waits in a worker starts a new one where there is room for it", "[agent]") {
  bench node(2);
  node.dispatcher_of_node.prestart(node.now);
  node.all_ready();
  node.open(1);
  node.add(1, 0, 2);
  node.finish(1, node.calls[1][0], 50ms);
  node.dispatcher_of_node.worker_gone(2, {9, 0, node.calls[2][0]}, node.now);
  node.dispatcher_of_node.dispatch(node.now);
  node.add(1, 2, 2);
  REQUIRE(node.calls[1].size() == 1);
  REQUIRE(node.starting == std::vector<worker_number>{3});
  node.pass(3ms);
  CHECK(node.calls[1].size() == 1);
  node.all_ready();
  CHECK(node.calls[1].size() == 1);
  CHECK(node.calls[3].size() == 1);
  CHECK(node.recalls.empty());
}

TEST_CASE("calls of other memory do not wait behind one", "[agent]") {
  bench node(1, 1000);
  node.dispatcher_of_node.prestart(node.now);
  node.all_ready();
  wire::call_limits limits;
  node.open(1, limits);
  limits.memory = 100;
  node.open(2, limits);
  limits.memory = 600;
  node.open(3, limits);
  node.add(3, 0, 1);
  node.finish(1, {3, 0, 1}, 50ms);
  node.add(2, 0, 1);
  node.finish(1, {2, 0, 1}, 50ms);
  node.add(3, 1, 1);
  CHECK(node.watched == 600);
  node.add(2, 1, 1);  // its limit is another
  CHECK(node.calls[1] == std::vector<call_id>{{3, 1, 1}});
  node.finish(1, {3, 1, 1}, 50ms);
  CHECK(node.calls[1] == std::vector<call_id>{{2, 1, 1}});
  CHECK(node.watched == 100);
}

TEST_CASE("chunk and timeout decide how many calls a worker holds", "[agent]") {
  bench node(1);
  node.dispatcher_of_node.prestart(node.now);
  node.all_ready();
  wire::call_limits limits;
  limits.chunk = 7;
  node.open(1, limits);
  node.add(1, 0, 20);
  CHECK(node.calls[1].size() == 7);

  bench timed(1);
  timed.dispatcher_of_node.prestart(timed.now);
  timed.all_ready();
  limits.timeout_ns = 1'000'000;
  timed.open(1, limits);
  timed.add(1, 0, 20);
  CHECK(timed.calls[1].size() == 1);
}

TEST_CASE("a timeout asks first and kills later", "[agent]") {
  bench node(1);
  node.dispatcher_of_node.prestart(node.now);
  node.all_ready();
  wire::call_limits limits;
  limits.timeout_ns = nanoseconds(10ms).count();
  node.open(1, limits);
  node.add(1, 0, 2);
  node.pass(9ms);
  CHECK(node.cancels.empty());
  node.pass(2ms);
  CHECK(node.cancels == std::vector<call_id>{{1, 0, 1}});
  SECTION("it stops: whatever it says, it timed out") {
    CHECK(node.finish(1, {1, 0, 1}, 11ms) == outcome_kind::timeout);
    CHECK(node.calls[1] == std::vector<call_id>{{1, 1, 1}});
    node.pass(5s);
    CHECK(node.cancels.size() == 2);  // the second one's own
  }
  SECTION("it does not stop") {
    node.pass(1s);
    CHECK(node.killed.empty());
    node.pass(2s);
    CHECK(node.killed == std::vector<worker_number>{1});
    node.dispatcher_of_node.worker_gone(1, {9, 0, call_id{1, 0, 1}}, node.now);
    node.dispatcher_of_node.dispatch(node.now);
    CHECK(node.failed[{1, 0, 1}] == outcome_kind::timeout);
    node.all_ready();
    CHECK(node.calls[2] == std::vector<call_id>{{1, 1, 1}});
  }
}

TEST_CASE("cancel reaches a call wherever it is", "[agent]") {
  bench node(1);
  node.dispatcher_of_node.prestart(node.now);
  node.all_ready();
  wire::call_limits limits;
  limits.chunk = 2;
  node.open(1, limits);
  node.add(1, 0, 3);
  node.dispatcher_of_node.cancel({1, 2, 1}, node.now);  // waits in the agent
  CHECK(node.failed[{1, 2, 1}] == outcome_kind::cancelled);
  node.dispatcher_of_node.cancel({1, 1, 1}, node.now);  // waits in the worker
  CHECK(node.cancels.size() == 1);
  node.dispatcher_of_node.returned(1, {1, 1, 1}, node.now);
  CHECK(node.failed[{1, 1, 1}] == outcome_kind::cancelled);
  node.dispatcher_of_node.cancel({1, 0, 1}, node.now);  // runs
  node.dispatcher_of_node.cancel({1, 0, 1}, node.now);
  CHECK(node.cancels.size() == 2);
  CHECK(node.finish(1, {1, 0, 1}, 1ms) == outcome_kind::value);
  node.pass(10s);
  CHECK(node.killed.empty());
  node.dispatcher_of_node.cancel({1, 0, 1}, node.now);  // gone
  node.dispatcher_of_node.cancel({99, 0, 1}, node.now);
  CHECK(node.cancels.size() == 2);
}

TEST_CASE("the driver can have a call back that has not started", "[agent]") {
  bench node(1);
  node.dispatcher_of_node.prestart(node.now);
  node.all_ready();
  wire::call_limits limits;
  limits.chunk = 2;
  node.open(1, limits);
  node.add(1, 0, 3);
  node.dispatcher_of_node.recall({1, 2, 1});
  CHECK(node.returned == std::vector<call_id>{{1, 2, 1}});
  node.dispatcher_of_node.recall({1, 0, 1});
  CHECK(node.recalls.empty());
  node.dispatcher_of_node.recall({1, 1, 1});
  CHECK(node.recalls == std::vector<call_id>{{1, 1, 1}});
  node.dispatcher_of_node.returned(1, {1, 1, 1}, node.now);
  CHECK(node.returned.size() == 2);
}

TEST_CASE("what waits behind a long call moves to an idle worker", "[agent]") {
  bench node(2);
  node.dispatcher_of_node.prestart(node.now);
  node.all_ready();
  wire::call_limits limits;
  limits.chunk = 4;
  node.open(1, limits);
  node.add(1, 0, 8);
  REQUIRE(node.in_workers() == 8);
  const std::vector<call_id> second = node.calls[2];
  for (const call_id& id : second) node.finish(2, id, 1ms);
  node.pass(3ms);
  CHECK(node.started.size() == 1);
  REQUIRE(node.recalls.size() == 3);
  for (const call_id& id : node.recalls) {
    std::erase(node.calls[1], id);
    node.dispatcher_of_node.returned(1, id, node.now);
  }
  node.dispatcher_of_node.dispatch(node.now);
  CHECK(node.calls[1].size() + node.calls[2].size() == 4);
  CHECK(node.calls[2].size() >= 2);
  CHECK(node.returned.empty());
}

TEST_CASE("a dead worker costs only the call that it ran", "[agent]") {
  bench node(1);
  node.dispatcher_of_node.prestart(node.now);
  node.all_ready();
  wire::call_limits limits;
  limits.chunk = 4;
  node.open(1, limits);
  node.add(1, 0, 4);
  // It had finished the first one, whose result was lost with it.
  node.dispatcher_of_node.worker_gone(1, {11, 0, call_id{1, 1, 1}}, node.now);
  node.dispatcher_of_node.dispatch(node.now);
  CHECK(node.failed.size() == 1);
  CHECK(node.failed[{1, 1, 1}] == outcome_kind::worker_lost);
  node.all_ready();
  CHECK(node.calls[2] == std::vector<call_id>{{1, 0, 1}, {1, 2, 1}, {1, 3, 1}});
}

TEST_CASE("workers that die without running anything do not go on for ever", "[agent]") {
  bench node(1);
  node.dispatcher_of_node.prestart(node.now);
  node.open(1);
  node.add(1, 0, 1);
  for (worker_number worker = 1; worker <= 3; ++worker) {
    CHECK(node.failed.empty());
    node.all_ready();
    node.dispatcher_of_node.worker_gone(worker, {9, 0, std::nullopt}, node.now);
    node.dispatcher_of_node.dispatch(node.now);
  }
  CHECK(node.failed[{1, 0, 1}] == outcome_kind::worker_lost);
}

TEST_CASE("an agent whose workers never come up gives up", "[agent]") {
  bench node(1);
  node.dispatcher_of_node.prestart(node.now);
  const bool has_work = GENERATE(false, true);
  if (has_work) {
    node.open(1);
    node.add(1, 0, 1);
  }
  for (worker_number worker = 1; worker <= 3; ++worker) {
    CHECK_FALSE(node.gave_up);
    CHECK(node.live.size() == worker);
    node.dispatcher_of_node.worker_gone(worker, {0, 127, std::nullopt}, node.now);
    node.dispatcher_of_node.dispatch(node.now);
  }
  CHECK(node.gave_up);
}

TEST_CASE("an environment that no worker survives fails its calls, not the agent", "[agent]") {
  bench node(1);
  node.dispatcher_of_node.prestart(node.now);
  node.all_ready();
  wire::call_limits limits;
  limits.environment = {"LD_PRELOAD=/nowhere"};
  node.open(1, limits);
  node.add(1, 0, 2);
  CHECK(node.stopped == std::vector<worker_number>{1});  // idle, and in the way
  for (worker_number worker = 2; worker <= 4; ++worker) {
    node.dispatcher_of_node.worker_gone(worker, {0, 1, std::nullopt}, node.now);
    node.dispatcher_of_node.dispatch(node.now);
  }
  CHECK_FALSE(node.gave_up);
  CHECK(node.failed.size() == 2);
  node.open(2);
  node.add(2, 0, 1);
  node.all_ready();
  CHECK(node.in_workers() == 1);
}

TEST_CASE("kinds of workers share the node, and a large call gets its turn", "[agent]") {
  bench node(2);
  node.dispatcher_of_node.prestart(node.now);
  node.all_ready();
  wire::call_limits wide;
  wide.cpus = 2;
  node.open(1);
  node.open(2, wide);
  node.add(1, 0, 2);
  node.add(2, 0, 1);
  node.add(1, 2, 10);
  CHECK(node.live.size() == 2);
  node.finish(1, node.calls[1][0], 20ms);
  CHECK(node.calls[1].empty());  // younger calls wait behind the wide one
  node.finish(2, node.calls[2][0], 20ms);
  CHECK(node.stopped.size() == 2);
  node.all_ready();
  CHECK(node.kinds[3].cpus == 2);
  REQUIRE(node.calls[3].size() == 1);
  node.finish(3, {2, 0, 1}, 20ms);
  node.all_ready();
  CHECK(node.in_workers() == 4);
}

TEST_CASE("a blocked call gives its slot away and takes it back", "[agent]") {
  bench node(1);
  node.dispatcher_of_node.prestart(node.now);
  node.all_ready();
  wire::call_limits limits;
  limits.chunk = 2;
  node.open(1, limits);
  node.add(1, 0, 3);
  node.dispatcher_of_node.blocked(1, {1, 0, 1}, node.now);
  CHECK(node.recalls == std::vector<call_id>{{1, 1, 1}});  // it must not wait behind the blocked one
  node.dispatcher_of_node.returned(1, {1, 1, 1}, node.now);
  node.dispatcher_of_node.dispatch(node.now);
  CHECK(node.live.size() == 2);
  node.all_ready();
  CHECK(node.calls[2].size() == 2);
  node.dispatcher_of_node.unblocked(1, {1, 0, 1}, node.now);
  CHECK(node.finish(1, {1, 0, 1}, 1ms) == outcome_kind::value);
  CHECK(node.stopped == std::vector<worker_number>{1});  // one too many now
}

TEST_CASE("memory admits calls and is given back", "[agent]") {
  bench node(2, 1000);
  node.dispatcher_of_node.prestart(node.now);
  node.all_ready();
  wire::call_limits limits;
  limits.memory = 600;
  node.open(1, limits);
  node.add(1, 0, 3);
  CHECK(node.in_workers() == 1);
  CHECK(node.watched == 600);
  node.finish(1, {1, 0, 1}, 20ms);
  CHECK(node.calls[1] == std::vector<call_id>{{1, 1, 1}, {1, 2, 1}});  // one runs, in the same memory
  CHECK(node.calls[2].empty());
  node.dispatcher_of_node.over_memory(1);
  CHECK(node.killed == std::vector<worker_number>{1});
  node.dispatcher_of_node.worker_gone(1, {9, 0, call_id{1, 1, 1}}, node.now);
  CHECK(node.failed[{1, 1, 1}] == outcome_kind::memory);
  CHECK(node.failed.size() == 1);
}

TEST_CASE("a closed batch is forgotten when its last call ends", "[agent]") {
  bench node(1);
  node.dispatcher_of_node.prestart(node.now);
  node.all_ready();
  node.open(1);
  node.add(1, 0, 1);
  node.dispatcher_of_node.close_batch(1);
  CHECK(node.batches_closed == 0);
  node.finish(1, {1, 0, 1}, 1us);
  CHECK(node.batches_closed == 1);
  node.add(1, 1, 1);
  CHECK(node.failed[{1, 1, 1}] == outcome_kind::codec);
  CHECK_FALSE(node.finish(1, {1, 0, 1}, 1us));
}

namespace {

dispatch_settings with_threads() {
  dispatch_settings settings;
  settings.threads = true;
  return settings;
}

}  // namespace

TEST_CASE("workers are threads, but for calls that need a process", "[agent]") {
  bench node(2, 1U << 30U, with_threads());
  node.dispatcher_of_node.prestart(node.now);
  CHECK_FALSE(node.kinds[1].alone);
  node.all_ready();
  wire::call_limits limits;
  limits.memory = 1000;
  node.open(1, limits);
  node.add(1, 0, 1);
  CHECK(node.in_workers() == 0);  // a thread is not what it needs
  CHECK(node.stopped.size() == 1);
  CHECK(node.kinds[3].alone);
  bench other;
  other.dispatcher_of_node.prestart(other.now);
  CHECK(other.kinds[1].alone);
}

TEST_CASE("what a bystander ran and held runs again, however often", "[agent]") {
  bench node(1, 0, with_threads());
  node.dispatcher_of_node.prestart(node.now);
  node.all_ready();
  node.open(1);
  node.add(1, 0, 1);
  for (worker_number worker = 1; worker <= 10; ++worker) {
    REQUIRE(node.calls[worker] == std::vector<call_id>{{1, 0, 1}});
    node.calls[worker].clear();
    node.dispatcher_of_node.worker_gone(worker, {11, 0, std::nullopt, true}, node.now);
    node.dispatcher_of_node.dispatch(node.now);
    node.all_ready();
  }
  CHECK(node.failed.empty());
  CHECK(node.finish(11, {1, 0, 1}, 1ms) == outcome_kind::value);
}

TEST_CASE("a bystander that was to stop has stopped", "[agent]") {
  bench node(1, 0, with_threads());
  node.dispatcher_of_node.prestart(node.now);
  node.all_ready();
  node.open(1);
  node.add(1, 0, 1);
  node.dispatcher_of_node.cancel({1, 0, 1}, node.now);
  node.dispatcher_of_node.worker_gone(1, {9, 0, std::nullopt, true}, node.now);
  CHECK(node.failed[{1, 0, 1}] == outcome_kind::cancelled);
}

TEST_CASE("threads that go down with others while they start are no reason to give up", "[agent]") {
  bench node(1, 0, with_threads());
  node.dispatcher_of_node.prestart(node.now);
  node.open(1);
  node.add(1, 0, 1);
  for (int i = 0; i < 10; ++i) {
    REQUIRE(node.starting.size() == 1);
    node.dispatcher_of_node.worker_gone(std::exchange(node.starting, {}).front(), {9, 0, std::nullopt, true}, node.now);
    node.dispatcher_of_node.dispatch(node.now);
  }
  CHECK_FALSE(node.gave_up);
  CHECK(node.failed.empty());
}
