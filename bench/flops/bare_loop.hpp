// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../bare_process.hpp"
#include "job.hpp"
#include "work.hpp"

#include <corolith/core/machine.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// The same work without corolith: processes of this program that loop over it and do nothing else.
namespace bench::flops {

inline constexpr std::string_view bare_loop_flag = "--bare-loop";

/// What such a process does: so many calls as a line says.
inline int serve_bare_loop(char** arguments) {
  job what;
  what.matn = static_cast<std::uint32_t>(std::stoul(arguments[0]));
  what.loopcount = static_cast<std::uint32_t>(std::stoul(arguments[1]));
  what.threads = static_cast<std::uint32_t>(std::stoul(arguments[2]));
  what.is_double = std::string_view(arguments[3]) == "double";
  prepare(what);
  return serve_bare_process([&](const char* line) {
    for (unsigned long left = std::stoul(line); left > 0; --left) work(what);
  });
}

class bare_loops {
 public:
  using result = bare_processes::result;

  bare_loops(std::size_t count, const job& what)
      : processes_(count,
                   {std::string(bare_loop_flag), std::to_string(what.matn), std::to_string(what.loopcount),
                    std::to_string(what.threads), what.is_double ? "double" : "float"},
                   // As corolith's own agent does it where the processors suffice.
                   what.threads == 1 ? corolith::usable_cpus() : std::vector<int>{}) {}

  /// `calls` in all, shared out evenly.
  result run(std::size_t calls) {
    return processes_.run(calls, [](std::size_t, std::size_t count) { return std::to_string(count); });
  }

 private:
  bare_processes processes_;
};

}  // namespace bench::flops
