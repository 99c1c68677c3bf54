// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

namespace bench {

using words = std::vector<std::string>;

struct command_result {
  int status = 0;
  std::string output;
};

/// What becomes of a command's standard error.
enum class noise { shown, dropped };

/// Runs a command to its end.
inline command_result run_command(const words& command, noise errors) {
  std::string line;
  for (const std::string& word : command) {
    line += '\'';
    for (const char c : word) line += c == '\'' ? std::string("'\\''") : std::string(1, c);
    line += "' ";
  }
  line += errors == noise::shown ? "</dev/null" : "</dev/null 2>/dev/null";
  std::FILE* pipe = ::popen(line.c_str(), "re");
  if (pipe == nullptr) throw std::runtime_error("cannot run " + command[0]);
  command_result result;
  char buffer[4096];
  while (const std::size_t got = std::fread(buffer, 1, sizeof buffer, pipe)) result.output.append(buffer, got);
  result.status = ::pclose(pipe);
  return result;
}

}  // namespace bench
