// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../command.hpp"
#include "settings.hpp"

#include <fmt/format.h>
#include <simdjson.h>
#include <unistd.h>

#include <cstdio>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>

/// Other ways to do the same work, as programs of bench/peers that print lines of JSON as this benchmark does.
namespace bench::flops {

/// Floating-point operations per second of all the work, in billions.
inline std::optional<double> total_gflops(const std::string& lines) {
  simdjson::dom::parser parser;
  std::istringstream stream(lines);
  for (std::string line; std::getline(stream, line);) {
    simdjson::dom::object fields;
    std::string_view metric;
    double value = 0;
    if (parser.parse(line).get(fields) == simdjson::SUCCESS && fields["metric"].get(metric) == simdjson::SUCCESS &&
        metric == "total_gflops" && fields["value"].get(value) == simdjson::SUCCESS)
      return value;
  }
  return std::nullopt;
}

/// One peer, once it was found on this machine.
class peer {
 public:
  peer(std::string name, words command) : name_(std::move(name)), command_(std::move(command)) {}

  /// Nothing when it does not work here; why is on standard error.
  std::optional<double> run() const {
    const command_result result = run_command(command_, noise::shown);
    const std::optional<double> gflops = total_gflops(result.output);
    if (result.status == 0 && gflops) return gflops;
    fmt::print(stderr, "flops: no comparison with {}: it failed\n", name_);
    return std::nullopt;
  }

 private:
  std::string name_;
  words command_;
};

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
  const words candidates = with.python.empty() ? words{"python3", "/usr/bin/python3"} : words{with.python};
  for (const std::string& python : candidates) {
    if (run_command({python, "-c", "import numpy"}, noise::dropped).status != 0 || ::access(script.c_str(), R_OK) != 0)
      continue;
    // These two variables would make OpenBLAS take kernels that are not those of this processor.
    words command{"env",  "-u",        "OPENBLAS_CORETYPE",    "-u", "OPENBLAS_L2_SIZE", python,
                  script, "--workers", std::to_string(workers)};
    return peer("numpy", detail::with_work(std::move(command), with));
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
  return peer("MPI", detail::with_work(std::move(command), with));
}

}  // namespace bench::flops
