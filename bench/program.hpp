// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/corolith.hpp>

#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <string>
#include <string_view>

namespace bench {

/// The main of a benchmark that is its own agent, worker and bare loop. `serve_bare` gets what follows `bare_flag`, three words and the
/// null behind them; `run` the options, and returns the exit status. A wrong setting is status 2, another failure 1.
template <class Serve, class Run>
int run_main(const char* name, int argc, char** argv, const std::string& flags_help, std::string_view bare_flag,
             Serve&& serve_bare, Run&& run) {
  if (auto status = corolith::serve_role(argc, argv)) return *status;
  if (argc == 6 && argv[1] == bare_flag) return serve_bare(argv + 2);
  try {
    const corolith::parsed_options parsed = corolith::parse_options(argc, argv);
    if (parsed.help.empty()) return run(parsed);
    fmt::print("{}{}", parsed.help, flags_help);
    return 0;
  } catch (const corolith::config_error& e) {
    fmt::print(stderr, "{}: {}\n", name, e.what());
    return 2;
  } catch (const std::exception& e) {
    fmt::print(stderr, "{}: {}\n", name, e.what());
    return 1;
  }
}

}  // namespace bench
