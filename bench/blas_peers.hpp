// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <dlfcn.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

/// Other implementations of BLAS, as they were found when the benchmarks were configured. Each is loaded by itself, since all
/// of them define the same names.
namespace bench {

template <class T>
using cblas_gemm = void (*)(int order, int transpose_a, int transpose_b, int m, int n, int k, T alpha, const T* a,
                            int lda, const T* b, int ldb, T beta, T* c, int ldc);

inline constexpr int cblas_row_major = 101;
inline constexpr int cblas_no_transpose = 111;

struct blas_peer {
  std::string name;
  cblas_gemm<float> sgemm = nullptr;
  cblas_gemm<double> dgemm = nullptr;

  template <class T>
  void operator()(std::size_t m, std::size_t n, std::size_t k, const T* a, const T* b, T* c) const {
    const auto of = [](std::size_t size) { return static_cast<int>(size); };
    const auto run = [&](auto gemm) {
      gemm(cblas_row_major, cblas_no_transpose, cblas_no_transpose, of(m), of(n), of(k), T{1}, a, of(k), b, of(n), T{0},
           c, of(n));
    };
    if constexpr (sizeof(T) == sizeof(float))
      run(sgemm);
    else
      run(dgemm);
  }
};

/// Has the peers run at their best on `threads` threads: must come before they are loaded, which is when they read it.
inline void prepare_blas_peers(unsigned threads) {
  for (const char* const variable : {"OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"})
    if (std::getenv(variable) != nullptr) {
      std::fprintf(stderr, "%s is ignored: it slows OpenBLAS\n", variable);
      ::unsetenv(variable);
    }
  const std::string number = std::to_string(threads);
  for (const char* const variable : {"OPENBLAS_NUM_THREADS", "BLIS_NUM_THREADS"}) ::setenv(variable, number.c_str(), 1);
  constexpr const char* blis_kernels = "BLIS_ARCH_TYPE";
  const char* const told = std::getenv(blis_kernels);
  if (__builtin_cpu_supports("avx512f")) {
    ::setenv(blis_kernels, "0", 0);  // skx; on new machines it chooses "generic"
  } else if (told != nullptr && std::string(told) == "0") {
    std::fprintf(stderr, "%s=0 is ignored: this processor has no AVX-512, which it would make BLIS use\n",
                 blis_kernels);
    ::unsetenv(blis_kernels);
  }
}

inline std::vector<blas_peer> load_blas_peers() {
  std::vector<blas_peer> peers;
  const auto load = [&](const char* name, const char* path) {
    void* const library = *path == '\0' ? nullptr : ::dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
      std::fprintf(stderr, "%s is not compared with: it was not found (tools/setup bench installs it)\n", name);
      return;
    }
    blas_peer peer{name, reinterpret_cast<cblas_gemm<float>>(::dlsym(library, "cblas_sgemm")),
                   reinterpret_cast<cblas_gemm<double>>(::dlsym(library, "cblas_dgemm"))};
    if (peer.sgemm != nullptr && peer.dgemm != nullptr) peers.push_back(std::move(peer));
  };
  load("openblas", BENCH_OPENBLAS);
  load("blis", BENCH_BLIS);
  return peers;
}

}  // namespace bench
