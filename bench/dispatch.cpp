// SPDX-License-Identifier: Apache-2.0
// What a call costs: no-ops per second through a map, the latency of one call, and the time from `main` to the first result.
//   dispatch [--calls N] [--rounds N] and corolith's own flags; two local workers unless told otherwise
// With --launcher slurm, or --listen for TLS, the same is measured on local agents over Unix sockets beside it.
#include "measure.hpp"
#include "ping_pong.hpp"
#include "report.hpp"

#include <corolith/corolith.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <numeric>
#include <optional>
#include <ranges>
#include <string>
#include <vector>

namespace cl = corolith;
using clock_type = std::chrono::steady_clock;

namespace {

int nothing(int x) { return x; }

double ms_since(clock_type::time_point begin) {
  return std::chrono::duration<double, std::milli>(clock_type::now() - begin).count();
}

double calls_per_second(cl::executor& ex, int calls) {
  const auto begin = clock_type::now();
  const std::vector<int> values = cl::sync_wait(ex.map<nothing>(std::views::iota(0, calls)));
  const double seconds = ms_since(begin) / 1e3;
  if (static_cast<int>(values.size()) != calls || values.back() != calls - 1) throw std::runtime_error("wrong results");
  return calls / seconds;
}

std::vector<double> call_times(cl::executor& ex, std::size_t rounds) {
  std::vector<double> times;
  for (std::size_t i = 0; i < rounds; ++i) {
    const auto begin = clock_type::now();
    const int value = ex.call<nothing>(static_cast<int>(i)).get();
    times.push_back(ms_since(begin) * 1e3);
    if (value != static_cast<int>(i)) throw std::runtime_error("wrong result");
  }
  return times;
}

std::size_t number(const std::vector<std::string>& arguments, const std::string& flag, std::size_t otherwise) {
  const auto found = std::find(arguments.begin(), arguments.end(), flag);
  return found == arguments.end() || found + 1 == arguments.end() ? otherwise : std::stoul(*(found + 1));
}

struct measured {
  std::vector<double> calls_s, call_us, p99_us;
};

void measure(cl::executor& ex, int calls, std::size_t rounds, measured& into) {
  into.calls_s.push_back(calls_per_second(ex, calls));
  call_times(ex, rounds / 10);
  const bench::round_trips times = bench::summarise(call_times(ex, rounds));
  into.call_us.push_back(times.median_us);
  into.p99_us.push_back(times.p99_us);
}

int run(int argc, char** argv) {
  cl::parsed_options parsed = cl::parse_options(argc, argv);
  if (parsed.value.slots == 0) parsed.value.slots = parsed.value.agents < 2 ? 2 : 1;
  const int calls = static_cast<int>(number(parsed.rest, "--calls", 100'000));
  const std::size_t rounds = number(parsed.rest, "--rounds", 2'000);
  const bool is_local = parsed.value.launcher == "local" && parsed.value.listen.empty();

  bench::ping_pong limit;  // forks, so it comes before any thread
  const auto begin = clock_type::now();
  measured here, beside;
  std::vector<double> limit_us;
  {
    cl::executor ex(parsed.value);
    ex.call<nothing>(1).get();
    bench::report("dispatch", "cold_start_ms", ms_since(begin), "ms");
    std::optional<cl::executor> local;
    if (!is_local) local.emplace(cl::options{.agents = parsed.value.agents, .slots = parsed.value.slots});
    calls_per_second(ex, calls / 10);
    if (local) calls_per_second(*local, calls / 10);
    for (int repeat = 0; repeat < 5; ++repeat) {
      std::fprintf(stderr, "dispatch: round %d of 5\n", repeat + 1);
      limit.measure(rounds / 10);
      limit_us.push_back(bench::summarise(limit.measure(rounds)).median_us);
      measure(ex, calls, rounds, here);
      if (local) measure(*local, calls, rounds, beside);
    }
  }
  const double raw = bench::median(limit_us);
  const double rate = bench::median(here.calls_s);
  std::optional<bench::comparison> compared;
  if (!is_local) compared = bench::comparison{rate / bench::median(beside.calls_s), "local_noop_calls_per_s"};
  bench::report("dispatch", "noop_calls_per_s", rate, "calls/s", compared);
  if (!is_local) bench::report("dispatch", "local_noop_calls_per_s", bench::median(beside.calls_s), "calls/s");
  bench::report("dispatch", "tcp_round_trip_us", raw, "us");
  const auto report_latency = [raw](const char* metric, double us) {
    bench::report("dispatch", metric, us, "us", bench::comparison{us / raw, "tcp_round_trip_us"});
  };
  report_latency("call_latency_us", bench::median(here.call_us));
  report_latency("call_latency_p99_us", bench::median(here.p99_us));
  if (!is_local) report_latency("local_call_latency_us", bench::median(beside.call_us));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (auto status = cl::serve_role(argc, argv)) return *status;
  try {
    return run(argc, argv);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "dispatch: %s\n", e.what());
    return 1;
  }
}
