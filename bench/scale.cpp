// SPDX-License-Identifier: Apache-2.0
// One driver and more and more agents, up to a thousand with 112 slots each: how many calls it starts in a second, and what that costs. The
// agents are simulated, all in one other process, but they speak the real protocol over real sockets.
//   scale [--counts 1,10,100,1000] [--calls N] [--load N] and corolith's own flags (--listen tcp:127.0.0.1:0 for TLS)
#include "dispatch/load.hpp"
#include "measure.hpp"
#include "program.hpp"
#include "report.hpp"
#include "scale/settings.hpp"
#include "scale/swarm.hpp"

#include <corolith/corolith.hpp>

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

namespace bench::scale {
namespace {

namespace cl = corolith;
using dispatch::seconds_since;
using clock_type = std::chrono::steady_clock;

/// What a simulated agent runs: the call takes as long as its result says.
double pretend(double seconds) { return seconds; }

double cpu_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto of = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return of(used.ru_utime) + of(used.ru_stime);
}

double resident_mib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmRSS:")) return std::stod(line.substr(6)) / 1024;
  return 0;
}

/// A driver with `count` agents that are all there.
class driver {
 public:
  driver(const settings& with, std::uint32_t count) : ready_file_(unused_path()) {
    ::setenv(count_variable, std::to_string(count).c_str(), 1);
    ::setenv(ready_variable, ready_file_.c_str(), 1);
    const auto begin = clock_type::now();
    executor_.emplace(with.options);
    while (!std::filesystem::exists(ready_file_)) {
      if (seconds_since(begin) > 120) throw std::runtime_error("the agents are not there after two minutes");
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    connected_s_ = seconds_since(begin);
  }
  ~driver() {
    std::error_code ignored;
    std::filesystem::remove(ready_file_, ignored);
  }
  driver(const driver&) = delete;
  driver& operator=(const driver&) = delete;

  cl::executor& executor() { return *executor_; }
  double connected_s() const { return connected_s_; }

 private:
  static std::string unused_path() {
    return std::filesystem::temp_directory_path() / ("corolith-scale-" + std::to_string(::getpid()) + "-ready");
  }
  std::string ready_file_;
  std::optional<cl::executor> executor_;
  double connected_s_ = 0;
};

struct rate {
  double calls_s = 0;
  double cpu_us = 0;  ///< of the driver, for each call
};

rate measure_noops(cl::executor& ex, std::uint32_t calls) {
  const std::vector<double> none(calls, 0.0);
  const double cpu_before = cpu_seconds();
  const auto begin = clock_type::now();
  if (ex.map<pretend>(none).get() != none) throw std::runtime_error("wrong results");
  const double wall = seconds_since(begin);
  return {calls / wall, (cpu_seconds() - cpu_before) / calls * 1e6};
}

struct loaded {
  double efficiency = 0;          ///< the time that the calls need on these slots, over the time of the map
  double p50_ms = 0, p99_ms = 0;  ///< a slot was free although calls waited
};

struct executed {
  std::string host;
  std::int32_t slot;
  std::chrono::system_clock::time_point started, ended;
};

cl::task<std::vector<executed>> collect(cl::batch<double> batch) {
  std::vector<executed> all;
  while (auto done = co_await batch.next())
    all.push_back({done->stats.host, done->stats.pid, done->stats.started, done->stats.ended});
  co_return all;
}

/// Times between the end of a call and the beginning of the next one in the same slot.
std::vector<double> gaps_ms(std::vector<executed> all) {
  std::sort(all.begin(), all.end(), [](const executed& a, const executed& b) {
    return std::tie(a.host, a.slot, a.started) < std::tie(b.host, b.slot, b.started);
  });
  std::vector<double> gaps;
  for (std::size_t i = 1; i < all.size(); ++i)
    if (all[i].host == all[i - 1].host && all[i].slot == all[i - 1].slot)
      gaps.push_back(
          std::max(0.0, std::chrono::duration<double, std::milli>(all[i].started - all[i - 1].ended).count()));
  std::sort(gaps.begin(), gaps.end());
  return gaps;
}

loaded measure_load(cl::executor& ex, const settings& with, std::size_t slots) {
  std::mt19937_64 random(42);
  std::exponential_distribution<double> duration(static_cast<double>(with.load) / static_cast<double>(slots));
  std::vector<double> each(with.calls);
  for (double& one : each) one = duration(random);
  const auto begin = clock_type::now();
  std::vector<executed> all = cl::sync_wait(collect(ex.map<pretend>(each)));
  const double wall = seconds_since(begin);
  if (all.size() != each.size()) throw std::runtime_error("results are missing");
  const std::vector<double> gaps = gaps_ms(std::move(all));
  if (gaps.empty()) throw std::runtime_error("too few calls: no slot had two");
  return {dispatch::ideal_makespan(each, slots) / wall, gaps[gaps.size() / 2], gaps[gaps.size() * 99 / 100]};
}

/// `tens`: the driver's time for a call with ten agents, once it is known.
void measure(const settings& with, std::uint32_t count, std::optional<double>& tens) {
  std::fprintf(stderr, "scale: %u agents\n", count);
  driver of(with, count);
  measure_noops(of.executor(), with.calls / 10);
  const rate noops = measure_noops(of.executor(), with.calls);
  const loaded busy = measure_load(of.executor(), with, std::size_t{count} * with.slots);
  const auto tell = [&](const char* metric, double value, const char* unit, std::optional<comparison> to = {}) {
    report("scale", metric + ("_" + std::to_string(count)), value, unit, to);
  };
  tell("connected_s", of.connected_s(), "s");
  tell("calls_per_s", noops.calls_s, "calls/s");
  std::optional<comparison> compared;
  if (tens) compared = comparison{noops.cpu_us / *tens, "cpu_us_per_call_10"};
  if (count == 10) tens = noops.cpu_us;
  tell("cpu_us_per_call", noops.cpu_us, "us", compared);
  tell("efficiency", busy.efficiency, "fraction");
  tell("p50_delay_ms", busy.p50_ms, "ms");
  tell("p99_delay_ms", busy.p99_ms, "ms");
  tell("rss_mib", resident_mib(), "MiB");
}

int run(const settings& with) {
  allow_many_connections();
  std::optional<double> tens;
  for (const std::uint32_t count : with.agents) measure(with, count, tens);
  return 0;
}

}  // namespace
}  // namespace bench::scale

int main(int argc, char** argv) {
  using namespace bench::scale;
  if (argc > 1 && std::string_view(argv[1]) == "--corolith-agent" && std::getenv(count_variable) != nullptr)
    return serve_swarm({argv + 2, argv + argc});
  return bench::run_main(
      "scale", argc, argv, flags_help(), "--no-bare-loop", [](char**) { return 2; },
      [](const corolith::parsed_options& parsed) { return run(parse_settings(parsed)); });
}
