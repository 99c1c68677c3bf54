// SPDX-License-Identifier: Apache-2.0
// The command line of corolith. Each command has a row in the table (corolith/commands.hpp), from which help, completion and man page are
// written, too.
#include "corolith/commands.hpp"
#include "corolith/config_show.hpp"
#include "corolith/doctor.hpp"
#include "corolith/hello.hpp"
#include "corolith/help.hpp"
#include "corolith/jobs.hpp"
#include "corolith/logs.hpp"
#include "corolith/pool.hpp"
#include "corolith/run_program.hpp"
#include "corolith/store.hpp"
#include "corolith/store_commands.hpp"

#include <corolith/core/error.hpp>
#include <corolith/run/main.hpp>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

namespace {

using namespace tool;

int write_completion(const invocation& call);
int write_man_page(const invocation& call);

const std::vector<command>& commands() {
  static const std::vector<command> all = [] {
    std::vector<command> rows{hello_command(), doctor_command(), run_command(),        jobs_command(),
                              logs_command(),  cancel_command(), config_show_command()};
    for (command& each : pool_commands()) rows.push_back(std::move(each));
    for (command& each : store_commands()) rows.push_back(std::move(each));
    rows.push_back({"completion bash",
                    "",
                    "writes the completion of a shell",
                    "For bash: source <(corolith completion bash)",
                    {},
                    takes::nothing,
                    0,
                    0,
                    write_completion});
    rows.push_back(
        {"man", "", "writes the man page", "corolith man | man -l -", {}, takes::nothing, 0, 0, write_man_page});
    return rows;
  }();
  return all;
}

int write_completion(const invocation&) {
  std::fputs(bash_completion(commands()).c_str(), stdout);
  return 0;
}
int write_man_page(const invocation&) {
  std::fputs(man_page(commands()).c_str(), stdout);
  return 0;
}

const command* find_command(const std::string& name) {
  const auto found =
      std::find_if(commands().begin(), commands().end(), [&](const command& each) { return each.name == name; });
  return found == commands().end() ? nullptr : &*found;
}

/// Whether --help is among the words in front of a program and of `--`.
bool asks_for_help(const command& of, const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    if (word == "--help" || word == "-h") return true;
    if (word == "--" || (of.also == takes::program && !word.starts_with('-'))) return false;
  }
  return false;
}

/// Of a word that begins commands of two words: "config" has "show".
int run_family(const std::string& first, const std::vector<std::string>& words) {
  std::vector<command> family;
  std::string seconds;
  for (const command& each : commands())
    if (each.name.starts_with(first + " ")) {
      family.push_back(each);
      seconds += (seconds.empty() ? "" : ", ") + each.name.substr(first.size() + 1);
    }
  if (family.empty()) throw corolith::config_error("'" + first + "' is no command of corolith; --help lists them");
  if (words.size() > 1 && (words[1] == "--help" || words[1] == "-h")) {
    for (const command& each : family) std::fputs(help_of(each).c_str(), stdout);
    return 0;
  }
  throw corolith::config_error(
      words.size() < 2 ? "corolith " + first + ": one of these was expected behind it: " + seconds
                       : "'" + words[1] + "' is no command of corolith " + first + ", which has " + seconds);
}

int run(const std::vector<std::string>& words) {
  if (words.empty()) {
    std::fputs(overview(commands()).c_str(), stderr);
    return 2;
  }
  if (words[0] == "store") return store_command({words.begin() + 1, words.end()});
  if (words[0] == "--help" || words[0] == "-h" || words[0] == "help") {
    std::fputs(overview(commands()).c_str(), stdout);
    return 0;
  }
  if (words[0] == "--version") {
    std::puts(version_text().c_str());
    return 0;
  }
  const command* two = words.size() > 1 ? find_command(words[0] + " " + words[1]) : nullptr;
  const command* found = two != nullptr ? two : find_command(words[0]);
  if (found == nullptr || found->run == nullptr) return run_family(words[0], words);
  const std::vector<std::string> rest(words.begin() + (two != nullptr ? 2 : 1), words.end());
  if (asks_for_help(*found, rest)) {
    std::fputs(help_of(*found).c_str(), stdout);
    return 0;
  }
  return found->run(parse_words(*found, rest));
}

int complain(const std::exception& failure, int status) {
  std::fflush(stdout);
  std::fprintf(stderr, "corolith: %s\n", failure.what());
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  if (auto status = corolith::serve_role(argc, argv))
    return *status;  // of a pool, and of `hello`, which calls functions of this program
  try {
    return run({argv + 1, argv + argc});
  } catch (const corolith::config_error& failure) {
    return complain(failure, 2);
  } catch (const std::exception& failure) {
    return complain(failure, 1);
  }
}
