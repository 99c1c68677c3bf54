// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/coro/task.hpp>
#include <corolith/run/executor.hpp>

#include <optional>
#include <string>
#include <vector>

namespace corolith {
inline namespace v0 {

/// Makes one executable driver, agent and worker. Call it first in a `main` of your own:
/// `if (auto status = corolith::serve_role(argc, argv)) return *status;`. In a process that was started as an agent or a worker
/// it does that work and returns the exit status; otherwise it returns nothing, at once. `corolith::main` does it for you.
COROLITH_DECL std::optional<int> serve_role(int argc, char** argv);

/// Runs `run` on an executor made from flags, environment and configuration file (--help lists them), and returns its value as
/// the exit status. 1: an exception ended it (its text is on standard error); 2: a wrong flag or setting; 130: Ctrl-C, which
/// cancels every call and asks `run` to stop (a second one ends the process at once, its agents and workers with it).
COROLITH_DECL int main(int argc, char** argv, task<int> (*run)(executor&));

/// The same for a program with arguments of its own: those that are not corolith's, without the program's name.
COROLITH_DECL int main(int argc, char** argv, task<int> (*run)(executor&, std::vector<std::string>));

}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/run/impl/main.ipp>
#endif
