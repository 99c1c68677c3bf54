// SPDX-License-Identifier: Apache-2.0
// GFLOPS of the product of matrices over sizes, beside OpenBLAS and BLIS and the machine's peak, in turns.
//   gemm [--threads N] [--rounds N] [--precision double|single|both] [N or MxNxK ...]
// With several threads it is measured on one, too. A ratio is the median over the rounds of our rate over that of the better peer in the same round. Each turn begins with a call
// that is not timed, and matrices are on huge pages where there are any.
#include "blas_peers.hpp"
#include "huge_pages.hpp"
#include "measure.hpp"
#include "report.hpp"

#include <corolith/simd/gemm.hpp>
#include <corolith/simd/peak.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <limits>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

namespace simd = corolith::simd;

namespace {

struct shape {
  std::size_t m, n, k;

  double work() const { return 2.0 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k); }
  std::string name() const {
    const std::string first = std::to_string(m);
    return m == n && n == k ? first : first + "x" + std::to_string(n) + "x" + std::to_string(k);
  }
};

struct settings {
  unsigned threads = 1;
  std::size_t rounds = 0;  // 0: by size
  bool single = true, twofold = true;
  std::vector<shape> shapes;
};

const std::vector<shape> usual_shapes{
    {32, 32, 32},       {48, 48, 48},       {64, 64, 64},       {80, 80, 80},       {96, 96, 96},
    {100, 100, 100},    {128, 128, 128},    {160, 160, 160},    {192, 192, 192},    {200, 200, 200},
    {255, 255, 255},    {256, 256, 256},    {320, 320, 320},    {384, 384, 384},    {500, 500, 500},
    {512, 512, 512},    {640, 640, 640},    {768, 768, 768},    {1000, 1000, 1000}, {1023, 1023, 1023},
    {1024, 1024, 1024}, {1536, 1536, 1536}, {2048, 2048, 2048}, {4096, 4096, 4096}, {4096, 64, 64},
    {64, 4096, 64},     {64, 64, 4096},     {2048, 2048, 64},   {2048, 64, 2048},   {64, 2048, 2048}};

/// Of one call, once the caches hold this one's data instead of what the one before in turn left there.
double seconds_of(const auto& job, std::size_t times) {
  job();
  const auto begin = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < times; ++i) job();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count() / static_cast<double>(times);
}

template <class T>
bench::huge_page_vector<T> random_matrix(std::size_t size, unsigned seed) {
  bench::huge_page_vector<T> values(size);
  std::mt19937 engine(seed);
  std::uniform_real_distribution<T> uniform(-1, 1);
  for (T& each : values) each = uniform(engine);
  return values;
}

template <class T>
void check(const bench::huge_page_vector<T>& ours, const bench::huge_page_vector<T>& theirs, const shape& of,
           const std::string& peer) {
  const double bound = 8.0 * static_cast<double>(of.k) * static_cast<double>(std::numeric_limits<T>::epsilon());
  for (std::size_t i = 0; i < ours.size(); ++i)
    if (std::abs(static_cast<double>(ours[i]) - static_cast<double>(theirs[i])) > bound)
      throw std::runtime_error("gemm " + of.name() + ": element " + std::to_string(i) + " differs from that of " +
                               peer);
}

/// The peer nearest to us or ahead of us, and our ratio to it.
bench::comparison to_better(const bench::rounds& seen, const std::vector<bench::blas_peer>& peers) {
  bench::comparison least{0, ""};
  for (const bench::blas_peer& peer : peers)
    if (const double ratio = seen.ratio("ours", peer.name); least.to.empty() || ratio < least.ratio)
      least = {ratio, peer.name};
  return least;
}

/// Rates in GFLOPS by name: ours, the peak's, each peer's.
template <class T>
bench::rounds measure(const shape& of, const settings& with, const std::vector<bench::blas_peer>& peers) {
  const bench::huge_page_vector<T> a = random_matrix<T>(of.m * of.k, 1);
  const bench::huge_page_vector<T> b = random_matrix<T>(of.k * of.n, 2);
  bench::huge_page_vector<T> c(of.m * of.n), d(of.m * of.n);
  const auto on = [&](unsigned threads) {
    simd::gemm(of.m, of.n, of.k, 1, a.data(), of.k, b.data(), of.n, 0, c.data(), of.n, {.threads = threads});
  };
  const auto ours = [&] { on(with.threads); };
  const auto times = static_cast<std::size_t>(std::max(1.0, 1e9 / of.work()));
  const std::size_t rounds = with.rounds > 0 ? with.rounds : of.work() > 5e10 ? 5 : of.work() > 1e10 ? 9 : 21;
  ours();  // first touch
  for (const bench::blas_peer& peer : peers) {
    peer(of.m, of.n, of.k, a.data(), b.data(), d.data());
    check(c, d, of, peer.name);
  }
  const auto rate_of = [&](const auto& job) { return of.work() / seconds_of(job, times) / 1e9; };
  // Long beside long products, since its mean is to be interrupted as they are.
  const std::chrono::nanoseconds of_peak(
      std::max<long>(2'000'000, std::lround(of.work() * static_cast<double>(times) / 1e3)));
  bench::rounds seen;
  for (std::size_t round = 0; round < rounds; ++round) {
    const simd::peak peak = simd::measure_peak<T>(of_peak, with.threads);
    seen.add("peak", peak.flops_per_second / 1e9);
    seen.add("mean peak", peak.mean_flops_per_second / 1e9);
    seen.add("ours", rate_of(ours));
    if (with.threads > 1) seen.add("one thread", rate_of([&] { on(1); }));
    for (const bench::blas_peer& peer : peers)
      seen.add(peer.name, rate_of([&] { peer(of.m, of.n, of.k, a.data(), b.data(), d.data()); }));
  }
  return seen;
}

template <class T>
double run(const std::string& name, const settings& with, const std::vector<bench::blas_peer>& peers) {
  double worst = 1e9;
  for (const shape& of : with.shapes) {
    const bench::rounds seen = measure<T>(of, with, peers);
    const bench::comparison better = to_better(seen, peers);
    const std::string metric = name + "_" + of.name();
    const double rate = seen.median("ours");
    const double share = seen.ratio("ours", "peak");
    bench::report("gemm", metric, rate, "GFLOPS", peers.empty() ? bench::comparison{share, "peak"} : better);
    bench::report("gemm", metric + "_share_of_peak", share, "fraction");
    bench::report("gemm", metric + "_share_of_mean_peak", seen.ratio("ours", "mean peak"), "fraction");
    std::string each;
    if (with.threads > 1) {
      const double speedup = seen.ratio("ours", "one thread");
      bench::report("gemm", metric + "_speedup", speedup, "ratio", bench::comparison{speedup, "one_thread"});
      each = fmt::format("  {:.3f} x one thread", speedup);
    }
    for (const bench::blas_peer& peer : peers)
      each += fmt::format("  {} x {:.3f}", peer.name, seen.ratio("ours", peer.name));
    fmt::print(stderr, "{:<22} {:7.1f} GFLOPS  {:5.1f}% of peak{}\n", metric, rate, share * 100, each);
    if (!peers.empty() && std::min({of.m, of.n, of.k}) >= 64) worst = std::min(worst, better.ratio);
  }
  return worst;
}

shape parse_shape(const std::string& text) {
  shape of{};
  char rest = 0;
  if (std::sscanf(text.c_str(), "%zux%zux%zu%c", &of.m, &of.n, &of.k, &rest) == 3) return of;
  if (std::sscanf(text.c_str(), "%zu%c", &of.m, &rest) == 1) return {of.m, of.m, of.m};
  throw std::invalid_argument("'" + text + "' is neither N nor MxNxK");
}

settings parse(const std::vector<std::string>& arguments) {
  settings with;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& flag = arguments[i];
    if (!flag.starts_with("--")) {
      with.shapes.push_back(parse_shape(flag));
      continue;
    }
    if (++i == arguments.size()) throw std::invalid_argument(flag + " wants a value");
    const std::string& value = arguments[i];
    if (flag == "--threads")
      with.threads = static_cast<unsigned>(parse_shape(value).m);
    else if (flag == "--rounds")
      with.rounds = parse_shape(value).m;
    else if (flag == "--precision" && (value == "double" || value == "single" || value == "both")) {
      with.single = value != "double";
      with.twofold = value != "single";
    } else
      throw std::invalid_argument(flag + " " + value + " is not known");
  }
  if (with.shapes.empty()) with.shapes = usual_shapes;
  return with;
}

}  // namespace

int main(int argc, char** argv) try {
  const settings with = parse({argv + 1, argv + argc});
  bench::prepare_blas_peers(with.threads);
  const std::vector<bench::blas_peer> peers = bench::load_blas_peers();
  std::fprintf(stderr, "kernels for %s, %u thread(s)\n", std::string(name_of(simd::active_instruction_set())).c_str(),
               with.threads);
  double worst = 1e9;
  if (with.twofold) worst = std::min(worst, run<double>("dgemm", with, peers));
  if (with.single) worst = std::min(worst, run<float>("sgemm", with, peers));
  if (worst < 1e9) bench::report("gemm", "worst_ratio_from_64", worst, "ratio");
} catch (const std::exception& failure) {
  std::fprintf(stderr, "gemm: %s\n", failure.what());
  return 2;
}
