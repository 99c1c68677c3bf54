// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "commands.hpp"

#include <corolith/core/error.hpp>

#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

/// `corolith run`.
namespace tool {

/// Becomes the program, with the settings as variables: it has them whatever it does with its arguments.
inline int run_program(const invocation& call) {
  for (const corolith::setting& each : call.list_settings()) {
    if (!each.source.starts_with("flag ") || each.name == "nodes") continue;
    const std::string value = each.name == "config" ? std::filesystem::absolute(each.value).string() : each.value;
    ::setenv(each.variable.c_str(), value.c_str(), 1);
    if (each.name == "agents") ::unsetenv("COROLITH_NODES");
  }
  std::vector<std::string> words = call.words;
  std::vector<char*> argv;
  for (std::string& each : words) argv.push_back(each.data());
  argv.push_back(nullptr);
  ::execvp(argv[0], argv.data());
  throw corolith::error(corolith::errc::launch_failed,
                        fmt::format("cannot run '{}': {}", words[0], std::strerror(errno)));
}

inline command run_command() {
  return {"run",
          "APP [ARGUMENTS]...",
          "runs a program of corolith with these settings",
          "The flags in front of APP are settings of the run; everything behind it is the program's own. They reach it "
          "as COROLITH_\n"
          "variables, so they hold for programs whose main reads no flags of corolith, too. The exit status is the "
          "program's.",
          {},
          takes::program,
          1,
          static_cast<std::size_t>(-1),
          run_program};
}

}  // namespace tool
