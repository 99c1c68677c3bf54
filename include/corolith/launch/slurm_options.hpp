// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>

#include <string>

namespace corolith {
inline namespace v0 {

/// How the agents of a pool learn its secret.
enum class secret_way {
  file,    ///< from the 0600 file in the session folder, which is on a file system that the nodes share
  script,  ///< from srun's standard input, which the job script holds: for sites where nothing is shared
};

/// What `--launcher slurm` asks Slurm for. Empty strings leave the choice to Slurm.
struct slurm_options {
  std::string partition = {};
  std::string account = {};
  std::string qos = {};
  std::string time = {};  ///< as sbatch writes it: "30" minutes, "2:00:00", "1-12"
  std::string constraint = {};
  std::string reservation = {};
  std::string arguments = {};      ///< more arguments for sbatch, in words as a shell would split them
  std::string preamble = {};       ///< lines of shell before the agents start: "module load gcc"
  std::string log_folder = {};     ///< keeps the jobs' logs; empty: the session folder, which goes with the driver
  std::string agent_program = {};  ///< what nodes run as the agent; empty: this program
  std::string shared_folder = {};  ///< where the session folder is made, seen by all nodes; empty: ~/.corolith
  secret_way secret_by = secret_way::file;
};

}  // namespace v0
}  // namespace corolith
