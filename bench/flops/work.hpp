// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "job.hpp"

#include <corolith/simd/gemm.hpp>

#include <sys/mman.h>
#include <sys/resource.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <new>
#include <numeric>
#include <span>
#include <stdexcept>
#include <vector>

/// The work itself. It knows nothing of calls: remote functions, the bare loop and the MPI program all run it.
namespace bench::flops {
namespace detail {

/// Values that nobody has written yet, on huge pages where there are any: the first touch of a page costs more than its use.
template <class T>
class matrix {
 public:
  explicit matrix(std::size_t n) : n_(n), values_(static_cast<T*>(std::aligned_alloc(alignment, rounded(n)))) {
    if (!values_) throw std::bad_alloc();
    ::madvise(values_.get(), rounded(n), MADV_HUGEPAGE);
  }
  std::size_t n() const { return n_; }
  T* data() const { return values_.get(); }
  std::span<T> row(std::size_t i) const { return {data() + i * n_, n_}; }

 private:
  static constexpr std::size_t alignment = std::size_t{2} << 20U;
  static std::size_t rounded(std::size_t n) { return (n * n * sizeof(T) + alignment) / alignment * alignment; }
  struct release {
    void operator()(T* values) const { std::free(values); }
  };

  std::size_t n_;
  std::unique_ptr<T, release> values_;
};

template <class T>
struct operands {
  explicit operands(std::size_t n) : a(n), b(n), c(n), b_sums(n) {
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) {
        a.row(i)[j] = static_cast<T>((i + 2 * j) % 7);
        b.row(i)[j] = static_cast<T>((3 * i + j) % 5);
        c.row(i)[j] = 0;
      }
      b_sums[i] = std::accumulate(b.row(i).begin(), b.row(i).end(), 0.0);
    }
  }

  void multiply(unsigned threads) {
    const std::size_t n = a.n();
    corolith::simd::gemm(n, n, n, 1, a.data(), n, b.data(), n, 0, c.data(), n, {.threads = threads});
  }

  /// The sums of a few rows, which cost nothing beside a product. All values are small integers, so the sums are exact.
  void check() const {
    for (const std::size_t i : {std::size_t{0}, a.n() / 2, a.n() - 1}) {
      const double sum = std::accumulate(c.row(i).begin(), c.row(i).end(), 0.0);
      const double expected = std::inner_product(a.row(i).begin(), a.row(i).end(), b_sums.begin(), 0.0);
      if (sum != expected) throw std::runtime_error("a product of matrices is wrong");
    }
  }

  matrix<T> a, b, c;
  std::vector<double> b_sums;  // of its rows
};

/// Made once in a process and used again by each of its calls.
template <class T>
operands<T>& operands_of(std::size_t n) {
  static std::unique_ptr<operands<T>> made;
  if (!made || made->a.n() != n) {
    made.reset();
    made = std::make_unique<operands<T>>(n);
  }
  return *made;
}

inline double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

inline std::int64_t system_ns() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

/// How long this thread has been ready to run without a processor; 0 where the kernel does not count it.
inline double waited_s() {
  std::ifstream file("/proc/thread-self/schedstat");
  std::uint64_t ran_ns = 0, waited_ns = 0;
  return file >> ran_ns >> waited_ns ? static_cast<double>(waited_ns) * 1e-9 : 0;
}

template <class T>
double timed_products(const job& what) {
  operands<T>& matrices = operands_of<T>(what.matn);
  const auto begin = std::chrono::steady_clock::now();
  for (std::uint32_t i = 0; i < what.loopcount; ++i) matrices.multiply(what.threads);
  const double kernel_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  matrices.check();
  return kernel_s;
}

}  // namespace detail

inline work_times work(const job& what) {
  rusage before{}, after{};
  work_times times;
  ::getrusage(RUSAGE_SELF, &before);
  const double waited_s = detail::waited_s();
  times.began_ns = detail::system_ns();
  times.kernel_s = what.is_double ? detail::timed_products<double>(what) : detail::timed_products<float>(what);
  times.ended_ns = detail::system_ns();
  times.waited_s = detail::waited_s() - waited_s;
  ::getrusage(RUSAGE_SELF, &after);
  times.user_s = detail::seconds(after.ru_utime) - detail::seconds(before.ru_utime);
  times.system_s = detail::seconds(after.ru_stime) - detail::seconds(before.ru_stime);
  return times;
}

/// Makes the matrices and whatever the kernel keeps, so that no measured call pays for it.
inline void prepare(job what) {
  what.loopcount = 1;
  work(what);
}

}  // namespace bench::flops
