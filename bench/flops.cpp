// SPDX-License-Identifier: Apache-2.0
// The FLOPS benchmark of Lithops: products of matrices as a map over workers, and what rates they reach together.
//   flops [--tasks N] [--loopcount N] [--matn N] ... and corolith's own flags; --help lists them
// In the same run it measures the peak of the workers, a bare loop without corolith, numpy with multiprocessing, and MPI.
#include "flops/bare_loop.hpp"
#include "flops/calls.hpp"
#include "flops/files.hpp"
#include "flops/measured_map.hpp"
#include "flops/outcome.hpp"
#include "flops/peers.hpp"
#include "flops/scaling.hpp"
#include "flops/settings.hpp"
#include "flops/summary.hpp"
#include "flops/workers.hpp"
#include "place.hpp"
#include "program.hpp"
#include "report.hpp"
#include "workers.hpp"

#include <corolith/corolith.hpp>

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>

namespace cl = corolith;
using namespace bench;
using namespace bench::flops;

namespace {

/// What a map is compared with, as far as it was asked for and found.
struct peers {
  std::optional<bare_loops> bare;
  std::optional<peer> numpy;
  std::optional<peer> mpi;
};

void find(peers& into, const settings& with, std::size_t workers) {
  if (with.bare) into.bare.emplace(workers, with.what);
  if (with.numpy) into.numpy = find_numpy(with, workers);
  if (with.mpi) into.mpi = find_mpi(with, workers);
}

round_result measure(cl::executor& ex, const settings& with, const std::set<place>& workers, peers& beside) {
  round_result one;
  one.peak = run_peak(ex, workers.size(), with.what);
  const flops::measured_map map = run_map(ex, with.tasks, with.what);
  if (map.calls.empty()) throw std::runtime_error("no call gave a result");
  one.map = summarise(map, with.what, workers);
  one.failed = map.failed;
  if (beside.bare) one.bare = beside.bare->run(with.tasks);
  if (beside.mpi) one.mpi_gflops = beside.mpi->run();
  if (beside.numpy) one.numpy_gflops = beside.numpy->run();
  return one;
}

void tell(const std::string& metric, std::optional<double> value, const char* unit,
          const std::optional<bench::comparison>& to = {}) {
  if (value) bench::report("flops", metric, *value, unit, to);
}

double rate(const round_result& each) { return each.map.total_gflops; }
double peak(const round_result& each) { return each.peak.gflops; }
double utilisation(const round_result& each) { return each.map.cpu_utilisation; }
double waiting(const round_result& each) { return each.map.cpu_waiting; }
double kernel_share(const round_result& each) { return each.map.kernel_share; }

void report(const settings& with, const outcome& all) {
  const double share = *all.median_of(&round_result::share_of_peak);
  bench::comparison to{share, "peak_gflops"};
  if (const auto ratio = all.median_of(&round_result::to_numpy)) to = {*ratio, "numpy_total_gflops"};
  tell("total_gflops", all.median_of(rate), "GFLOPS", to);
  tell("numpy_total_gflops", all.median_of(&round_result::numpy_gflops), "GFLOPS");
  tell("bare_total_gflops", all.median_of(&round_result::bare_gflops), "GFLOPS");
  tell("mpi_total_gflops", all.median_of(&round_result::mpi_gflops), "GFLOPS");
  tell("peak_gflops", all.median_of(peak), "GFLOPS");
  tell("share_of_peak", share, "fraction");
  tell("framework_overhead", all.median_of(&round_result::framework_overhead), "fraction");
  tell("mpi_overhead", all.median_of(&round_result::mpi_overhead), "fraction");
  tell("cpu_utilisation", all.median_of(utilisation), "fraction");
  tell("cpu_waiting", all.median_of(waiting), "fraction");
  tell("kernel_share", all.median_of(kernel_share), "fraction");
  for (const scaling_point& each : all.scaling)
    tell("scaling_efficiency_" + std::to_string(each.calls_at_a_time), each.efficiency, "fraction");
  tell("startup_s", all.startup_s, "s");
  fmt::print(stderr, "flops: {:.4g} GFLOPS {} on {}, {:.0f}% of the measured peak\n", *all.median_of(rate),
             with.what.is_double ? "double" : "float",
             counted(all.rounds[0].map.workers.size() * with.what.threads, "slot"), share * 100);
}

int run(const settings& with) {
  outcome all;
  const auto begin = std::chrono::steady_clock::now();
  cl::executor ex(with.options);
  const std::set<place> workers = start_workers<prepare_worker>(ex, with.options, with.what);
  all.startup_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  fmt::print(stderr, "flops: {}\n", counted(workers.size(), "worker"));
  peers beside;
  find(beside, with, workers.size());
  std::uint32_t failed = 0;
  for (std::uint32_t i = 0; i < with.rounds; ++i) {
    fmt::print(stderr, "flops: round {} of {}\n", i + 1, with.rounds);
    all.rounds.push_back(measure(ex, with, workers, beside));
    failed += all.rounds.back().failed;
  }
  if (with.scaling) all.scaling = measure_scaling(ex, with, workers.size());
  report(with, all);
  if (!with.outdir.empty()) write_files(with, all);
  return failed == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  return bench::run_main("flops", argc, argv, flags_help(), bare_loop_flag, serve_bare_loop,
                         [](const cl::parsed_options& parsed) { return run(parse_settings(parsed)); });
}
