// SPDX-License-Identifier: Apache-2.0
// The work of bench/flops, with the same kernel, as an MPI program does it: each rank has its share of the calls, rank 0 gathers what became of
// them. Built when CMake finds MPI.
//   mpirun -n N flops_mpi [--tasks N] [--loopcount N] [--matn N] [--precision double|float] [--threads N]
#include "../flops/job.hpp"
#include "../flops/work.hpp"
#include "../report.hpp"

#include <mpi.h>

#include <cstdint>
#include <cstdio>
#include <exception>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

namespace flops = bench::flops;

namespace {

struct given {
  flops::job what;
  int tasks = 100;
};

given read(int argc, char** argv) {
  given read;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string flag = argv[i], value = argv[i + 1];
    const auto number = [&] { return static_cast<std::uint32_t>(std::stoul(value)); };
    if (flag == "--tasks")
      read.tasks = static_cast<int>(number());
    else if (flag == "--loopcount")
      read.what.loopcount = number();
    else if (flag == "--matn")
      read.what.matn = number();
    else if (flag == "--threads")
      read.what.threads = number();
    else if (flag == "--precision")
      read.what.is_double = value == "double";
    else
      throw std::invalid_argument("unknown argument " + flag);
  }
  return read;
}

// User time of each call, of all ranks, at rank 0.
std::vector<double> gather(const std::vector<double>& own, int rank, int ranks, int tasks) {
  std::vector<int> counts(static_cast<std::size_t>(ranks)), places(counts.size());
  for (int i = 0; i < ranks; ++i) counts[static_cast<std::size_t>(i)] = tasks / ranks + (i < tasks % ranks ? 1 : 0);
  std::exclusive_scan(counts.begin(), counts.end(), places.begin(), 0);
  std::vector<double> all(rank == 0 ? static_cast<std::size_t>(tasks) : 0);
  MPI_Gatherv(own.data(), static_cast<int>(own.size()), MPI_DOUBLE, all.data(), counts.data(), places.data(),
              MPI_DOUBLE, 0, MPI_COMM_WORLD);
  return all;
}

void run(const given& with) {
  int rank = 0, ranks = 1;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  flops::prepare(with.what);
  MPI_Barrier(MPI_COMM_WORLD);
  const double begin = MPI_Wtime();
  std::vector<double> own;
  for (int i = rank; i < with.tasks; i += ranks) own.push_back(flops::work(with.what).user_s);
  const std::vector<double> user = gather(own, rank, ranks, with.tasks);
  if (rank != 0) return;
  const double wall = MPI_Wtime() - begin;
  bench::report("flops_mpi", "total_gflops", with.what.flop() * with.tasks / wall / 1e9, "GFLOPS");
  bench::report("flops_mpi", "cpu_utilisation", std::accumulate(user.begin(), user.end(), 0.0) / (ranks * wall),
                "fraction");
}

}  // namespace

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  try {
    run(read(argc, argv));
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "flops_mpi: %s\n", problem.what());
    MPI_Abort(MPI_COMM_WORLD, 1);
  }
  MPI_Finalize();
}
