// SPDX-License-Identifier: Apache-2.0
// A node agent without a program of its own: it takes the program from the driver that it connects to.
#include <corolith/agent/agent.hpp>
#include <corolith/core/error.hpp>
#include <corolith/core/log.hpp>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

namespace {

constexpr const char* usage =
    "usage: corolith-agent --connect ADDRESS [FLAGS]\n"
    "\n"
    "Offers this node's slots to the driver at ADDRESS (unix:/path or tcp:host:port) until the driver is gone.\n"
    "Several addresses, separated by commas, are tried in turn.\n"
    "\n"
    "  --secret-file PATH    the driver's secret, needed for TCP; - reads it from standard input\n"
    "  --connect-timeout MS  for finding the driver (60000)\n"
    "  --rejoin MS           for finding it again when the network lost it, 0 for never (30000)\n"
    "  --environment slurm   take what is not given here from Slurm's variables: name, slots, memory, GPUs\n"
    "  --node-name NAME      how this node is called in results (the host's name)\n"
    "  --slots N             calls at a time (one for each processor)\n"
    "  --cpu-list N,N,...    pin workers to these processors\n"
    "  --memory BYTES        memory that calls may ask for together (not counted)\n"
    "  --gpus N              GPUs that calls may ask for (0)\n"
    "  --cache-folder PATH   where programs are kept that came over the wire\n"
    "  --log-level LEVEL     trace, debug, info, warning, error or off (warning)\n"
    "  --help\n";

// `--secret-file=F` and `--secret-file F` become `secret_file=F`.
std::vector<std::string> to_words(int argc, char** argv) {
  std::vector<std::string> words;
  for (int i = 1; i < argc; ++i) {
    std::string word = argv[i];
    if (!word.starts_with("--")) throw corolith::config_error("'" + word + "' is no flag; --help lists them");
    word.erase(0, 2);
    if (word.find('=') == std::string::npos) {
      if (i + 1 == argc) throw corolith::config_error("flag --" + word + " needs a value");
      word += "=" + std::string(argv[++i]);
    }
    std::replace(word.begin(), word.begin() + static_cast<std::ptrdiff_t>(word.find('=')), '-', '_');
    words.push_back(std::move(word));
  }
  return words;
}

}  // namespace

int main(int argc, char** argv) {
  if (auto status = corolith::agent::serve(argc, argv)) return *status;
  const std::vector<std::string> given(argv + 1, argv + argc);
  if (given.empty() || std::find(given.begin(), given.end(), "--help") != given.end()) {
    std::fputs(usage, given.empty() ? stderr : stdout);
    return given.empty() ? 2 : 0;
  }
  try {
    return corolith::agent::run_agent(corolith::agent::parse_agent_options(to_words(argc, argv)));
  } catch (const corolith::config_error& e) {
    std::fprintf(stderr, "corolith-agent: %s\n", e.what());
    return 2;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "corolith-agent: %s\n", e.what());
    return 1;
  }
}
