// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "commands.hpp"
#include "doctor/finding.hpp"
#include "doctor/folders.hpp"
#include "doctor/machine.hpp"
#include "doctor/network.hpp"
#include "doctor/slurm.hpp"
#include "text.hpp"

#include <corolith/core/error.hpp>

#include <fmt/format.h>

#include <cstdio>
#include <string>

/// `corolith doctor`.
namespace tool {

inline const char* name_of(doctor::state how) {
  switch (how) {
    case doctor::state::good: return "ok";
    case doctor::state::note: return "note";
    case doctor::state::warning: return "warning";
    case doctor::state::problem: return "problem";
  }
  return "";
}

/// All checks. One that cannot be made is a finding, too.
inline doctor::report examine(const invocation& call) {
  doctor::report found;
  corolith::options how;
  try {
    how = call.options();
    found.good("settings", "they can be read; `corolith config show` lists them");
  } catch (const corolith::config_error& failure) {
    found.problem("settings", failure.what(), "correct it there; what follows is for the defaults");
  }
  for (void (*check)(doctor::report&, const corolith::options&) :
       {doctor::check_machine, doctor::check_folders, doctor::check_network, doctor::check_slurm})
    try {
      check(found, how);
    } catch (const std::exception& failure) {
      found.problem("doctor", fmt::format("a check could not be made: {}", failure.what()), "report it");
    }
  return found;
}

inline int run_doctor(const invocation& call) {
  const doctor::report found = examine(call);
  std::size_t problems = 0, warnings = 0;
  std::string text;
  for (const doctor::finding& each : found.findings()) {
    problems += each.how == doctor::state::problem;
    warnings += each.how == doctor::state::warning;
    if (call.has("json")) {
      text += fmt::format(R"({{"check":{},"state":"{}","text":{},"cure":{}}})"
                          "\n",
                          json_string(each.check), name_of(each.how), json_string(each.text),
                          each.cure.empty() ? "null" : json_string(each.cure));
      continue;
    }
    text += fmt::format("{:<8} {:<17} {}\n", name_of(each.how), each.check, printable(each.text));
    if (!each.cure.empty()) text += fmt::format("{:<8} {:<17} cure: {}\n", "", "", printable(each.cure));
  }
  if (!call.has("json"))
    text += problems + warnings == 0 ? "nothing was found that would stop corolith here\n"
                                     : fmt::format("{} problem{}, {} warning{}\n", problems, problems == 1 ? "" : "s",
                                                   warnings, warnings == 1 ? "" : "s");
  std::fputs(text.c_str(), stdout);
  return problems == 0 ? 0 : 1;
}

inline command doctor_command() {
  return {
      "doctor",
      "",
      "looks for what would stop corolith here, and says what to do",
      "Checks io_uring, limits (locked memory, open files, processes), the folders of a run (whether they can be "
      "written, by\n"
      "whom, what room there is), the clock, ports and addresses, and with --launcher slurm Slurm's commands, "
      "controller,\n"
      "partition and the route to a node. Give it the flags that the run will have. Exit status 1: there are problems.",
      {{"json", 0, "", "one JSON object a line: check, state (ok, note, warning, problem), text, cure"}},
      takes::settings,
      0,
      0,
      run_doctor};
}

}  // namespace tool
