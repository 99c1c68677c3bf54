// SPDX-License-Identifier: Apache-2.0
// The command line of corolith: objects in stores, pools of agents.
#include "corolith/pool.hpp"
#include "corolith/store.hpp"

#include <corolith/agent/agent.hpp>
#include <corolith/core/error.hpp>
#include <corolith/core/version.hpp>

#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <string>
#include <vector>

namespace {

constexpr const char* usage =
    "usage: corolith COMMAND ...\n"
    "\n"
    "  pool       starts, lists, scales and ends pools of agents that drivers share\n"
    "  store      puts, gets, lists, copies and removes objects in S3 and in directories\n"
    "  --version\n"
    "  --help     also behind each command\n";

int run(const std::vector<std::string>& words) {
  if (words.empty()) {
    std::fputs(usage, stderr);
    return 2;
  }
  if (words[0] == "pool") return tool::pool_command({words.begin() + 1, words.end()});
  if (words[0] == "store") return tool::store_command({words.begin() + 1, words.end()});
  if (words[0] == "--help" || words[0] == "help") {
    std::fputs(usage, stdout);
    return 0;
  }
  if (words[0] == "--version") {
    std::fputs(
        fmt::format("corolith {}.{}.{}\n", COROLITH_VERSION_MAJOR, COROLITH_VERSION_MINOR, COROLITH_VERSION_PATCH)
            .c_str(),
        stdout);
    return 0;
  }
  throw corolith::config_error("'" + words[0] + "' is no command of corolith; --help lists them");
}

int complain(const std::exception& failure, int status) {
  std::fprintf(stderr, "corolith: %s\n", failure.what());
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  if (const auto status = corolith::agent::serve(argc, argv)) return *status;  // what a pool runs on nodes
  try {
    return run({argv + 1, argv + argc});
  } catch (const corolith::config_error& failure) {
    return complain(failure, 2);
  } catch (const std::exception& failure) {
    return complain(failure, 1);
  }
}
