// SPDX-License-Identifier: Apache-2.0
// What a call costs: no-ops per second through a map, the latency of one call, how much of the slots' time goes into calls that compute, what
// the driver holds of a call that waits, the way of a large argument, and the time from `main` to the first result.
//   dispatch [FLAGS] and corolith's own flags; two local workers unless told otherwise
// With --launcher slurm, or --listen for TLS, the same is measured on local agents over Unix sockets beside it.
#include "dispatch/load.hpp"
#include "dispatch/memory.hpp"
#include "dispatch/noop.hpp"
#include "dispatch/payload.hpp"
#include "dispatch/peers.hpp"
#include "dispatch/settings.hpp"
#include "measure.hpp"
#include "ping_pong.hpp"
#include "place.hpp"
#include "program.hpp"
#include "report.hpp"
#include "workers.hpp"

#include <corolith/corolith.hpp>

#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace bench::dispatch {
namespace {

constexpr std::string_view no_bare_loop = "--no-bare-loop";  // this benchmark has none

/// What is compared with and needs no executor. It forks, so it comes before any thread.
struct limits {
  explicit limits(const settings& with) {
    if (with.payload > 0) bulk.emplace(with.payload);
  }
  ping_pong round_trip;
  std::optional<bulk_echo> bulk;
};

/// A slot: the thread that runs calls, which is the only one of its process unless slots are threads.
place meet(std::uint32_t, int) {
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  return {corolith::this_call().host(), static_cast<std::int32_t>(::gettid())};
}

struct executors {
  explicit executors(const settings& with) : measured(with.options) {
    measured.call<nothing>(1).get();
    if (!with.is_local) local.emplace(corolith::options{.agents = with.options.agents, .slots = with.options.slots});
  }
  corolith::executor measured;
  std::optional<corolith::executor> local;  ///< beside agents that are reached in another way
};

void measure_load(corolith::executor& ex, std::size_t slots, unsigned round, rounds& into) {
  into.add("busy_fraction_100us", busy_fraction(ex, slots, 100e-6, 10'000 * slots));
  into.add("busy_fraction_1ms", busy_fraction(ex, slots, 1e-3, 1'000 * slots));
  into.add("mixed_makespan", mixed_makespan_ratio(ex, slots, round));
}

const char* payload_metric(const settings& with) {
  return with.payload == std::size_t{1} << 30 ? "payload_1gib" : "payload";
}

void measure(const settings& with, std::size_t slots, executors& on, limits& raw, const std::vector<peer>& peers,
             rounds& into) {
  for (unsigned round = 0; round < with.rounds; ++round) {
    std::fprintf(stderr, "dispatch: round %u of %u\n", round + 1, with.rounds);
    raw.round_trip.measure(with.latencies / 10);
    into.add("tcp_round_trip_us", summarise(raw.round_trip.measure(with.latencies)).median_us);
    measure_noops(on.measured, static_cast<int>(with.calls), with.latencies, "", into);
    if (on.local) measure_noops(*on.local, static_cast<int>(with.calls), with.latencies, "local_", into);
    for (const peer& each : peers)
      if (const std::optional<double> rate = each.run()) into.add(each.name(), *rate);
    if (with.load) measure_load(on.measured, slots, round, into);
    if (raw.bulk) {
      into.add("tcp_bulk", raw.bulk->mb_per_s());
      into.add(payload_metric(with), echo_mb_per_s(on.measured, bytes(with.payload, std::byte{42})));
    }
  }
}

void tell(const rounds& all, const std::string& metric, const char* unit, const std::string& to = {}) {
  if (!all.has(metric)) return;
  std::optional<comparison> compared;
  if (all.has(to)) compared = comparison{all.ratio(metric, to), to};
  report("dispatch", metric, all.median(metric), unit, compared);
}

void report_all(const settings& with, const rounds& all) {
  tell(all, "noop_calls_per_s", "calls/s", with.is_local ? "pool_calls_per_s" : "local_noop_calls_per_s");
  for (const char* const each : {"local_noop_calls_per_s", "pool_calls_per_s", "dask_calls_per_s"})
    tell(all, each, "calls/s");
  tell(all, "tcp_round_trip_us", "us");
  for (const char* const each : {"call_latency_us", "local_call_latency_us"})
    tell(all, each, "us", "tcp_round_trip_us");
  tell(all, "call_latency_p99_us", "us", "call_latency_us");
  for (const char* const each : {"busy_fraction_100us", "busy_fraction_1ms"}) tell(all, each, "fraction");
  tell(all, "mixed_makespan", "fraction of the ideal");
  tell(all, "bytes_per_queued_call", "bytes");
  tell(all, payload_metric(with), "MB/s", "tcp_bulk");
  tell(all, "tcp_bulk", "MB/s");
}

int run(const settings& with) {
  limits raw(with);
  const auto begin = std::chrono::steady_clock::now();
  executors on(with);
  report("dispatch", "cold_start_ms", seconds_since(begin) * 1e3, "ms");
  const std::size_t slots = start_workers<meet>(on.measured, with.options, 0).size();
  rounds all;
  // First: what later maps leave behind would be used again.
  all.add("bytes_per_queued_call", bytes_per_queued_call(on.measured, slots, with.calls));
  calls_per_second(on.measured, static_cast<int>(with.calls) / 10);
  if (on.local) calls_per_second(*on.local, static_cast<int>(with.calls) / 10);
  measure(with, slots, on, raw, find_peers(with, slots), all);
  report_all(with, all);
  return 0;
}

}  // namespace
}  // namespace bench::dispatch

int main(int argc, char** argv) {
  using namespace bench::dispatch;
  return bench::run_main(
      "dispatch", argc, argv, flags_help(), no_bare_loop, [](char**) { return 2; },
      [](const corolith::parsed_options& parsed) { return run(parse_settings(parsed)); });
}
