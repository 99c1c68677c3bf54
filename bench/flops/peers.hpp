// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../peer.hpp"
#include "settings.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <optional>
#include <string>
#include <utility>

namespace bench::flops {

namespace detail {

inline words with_work(words command, const settings& with) {
  const words flags{"--tasks", std::to_string(with.tasks),     "--loopcount", std::to_string(with.what.loopcount),
                    "--matn",  std::to_string(with.what.matn), "--precision", with.what.is_double ? "double" : "float"};
  command.insert(command.end(), flags.begin(), flags.end());
  return command;
}

}  // namespace detail

inline std::optional<peer> find_numpy(const settings& with, std::size_t workers) {
  const std::string script = BENCH_PEERS "/flops_numpy.py";
  const std::optional<std::string> python =
      python_with("numpy", with.python.empty() ? words{"python3", "/usr/bin/python3"} : words{with.python});
  if (python && ::access(script.c_str(), R_OK) == 0) {
    // These two variables would make OpenBLAS take kernels that are not those of this processor.
    words command{"env",  "-u",        "OPENBLAS_CORETYPE",    "-u", "OPENBLAS_L2_SIZE", *python,
                  script, "--workers", std::to_string(workers)};
    return peer("flops", "numpy", detail::with_work(std::move(command), with), "total_gflops");
  }
  fmt::print(stderr, "flops: no comparison with numpy: no python3 has it (tools/setup bench installs it)\n");
  return std::nullopt;
}

inline std::optional<peer> find_mpi(const settings& with, std::size_t workers) {
  const std::string mpirun = BENCH_MPIRUN, program = BENCH_FLOPS_MPI;
  if (mpirun.empty() || ::access(mpirun.c_str(), X_OK) != 0 || ::access(program.c_str(), X_OK) != 0) {
    fmt::print(stderr, "flops: no comparison with MPI: there is none, or there was none when this was configured\n");
    return std::nullopt;
  }
  // Open MPI asks root whether it means it, and refuses more processes than there are cores.
  words command{"env",
                "OMPI_ALLOW_RUN_AS_ROOT=1",
                "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1",
                "OMPI_MCA_rmaps_base_oversubscribe=1",
                BENCH_MPIRUN,
                "-n",
                std::to_string(workers),
                program,
                "--threads",
                std::to_string(with.what.threads)};
  return peer("flops", "MPI", detail::with_work(std::move(command), with), "total_gflops");
}

}  // namespace bench::flops
