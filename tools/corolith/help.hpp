// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "commands.hpp"

#include <corolith/core/version.hpp>

#include <fmt/format.h>

#include <set>
#include <string>
#include <string_view>
#include <vector>

/// What is written from the table of commands: texts of --help, the man page, the completion of bash.
namespace tool {

inline std::string version_text() {
  return fmt::format("corolith {}.{}.{}", COROLITH_VERSION_MAJOR, COROLITH_VERSION_MINOR, COROLITH_VERSION_PATCH);
}

inline std::string spelled(const flag& each) {
  return fmt::format("--{}{}{}{}", each.name, each.letter == 0 ? "" : fmt::format(", -{}", each.letter),
                     each.value.empty() ? "" : " ", each.value);
}

inline std::string flag_lines(const std::vector<flag>& flags) {
  std::string text;
  for (const flag& each : flags) text += fmt::format("  {:<26} {}\n", spelled(each), each.help);
  return text;
}

inline const std::string& text_of(const command& of) { return of.more.empty() ? of.summary : of.more; }

inline std::string overview(const std::vector<command>& commands) {
  std::string text = "usage: corolith COMMAND ...\n\n";
  std::set<std::string> told;
  for (const command& each : commands) {
    const std::string first = each.name.substr(0, each.name.find(' '));
    if (!told.insert(first).second) continue;
    text += fmt::format("  {:<12} {}\n", first, each.summary);
  }
  return text + "\n  --version\n  --help       also behind each command\n";
}

inline std::string help_of(const command& of) {
  std::string text = fmt::format("usage: corolith {} [FLAGS]{}{}\n\n{}\n", of.name, of.words.empty() ? "" : " ",
                                 of.words, text_of(of));
  if (!of.flags.empty()) text += "\n" + flag_lines(of.flags);
  if (of.also != takes::nothing)
    text +=
        "\nflags of runs, each also a variable (--log-level is COROLITH_LOG_LEVEL) and a key of the file of "
        "--config:\n" +
        flag_lines(setting_flags());
  return text;
}

// --- the man page ---------------------------------------------------------------------------------------------------

/// A text that troff takes as it is.
inline std::string roff(std::string_view text) {
  std::string safe;
  bool at_begin = true;
  for (const char c : text) {
    if (at_begin && (c == '.' || c == '\'')) safe += "\\&";
    if (c == '\\') {
      safe += "\\e";
    } else if (c == '-') {
      safe += "\\-";
    } else {
      safe += c;
    }
    at_begin = c == '\n';
  }
  return safe;
}

inline std::string roff_flags(const std::vector<flag>& flags) {
  std::string text;
  for (const flag& each : flags) {
    text += fmt::format(".TP\n\\fB{}\\fR{}", roff("--" + each.name),
                        each.letter == 0 ? "" : fmt::format(", \\fB{}\\fR", roff(fmt::format("-{}", each.letter))));
    if (!each.value.empty()) text += fmt::format(" \\fI{}\\fR", roff(each.value));
    text += "\n" + roff(each.help.empty() ? each.name : each.help) + "\n";
  }
  return text;
}

inline std::string man_page(const std::vector<command>& commands) {
  std::string text = fmt::format(
      ".TH COROLITH 1 \"\" \"{}\"\n.SH NAME\ncorolith \\- remote futures for C++: installations, runs, jobs and "
      "objects\n.SH SYNOPSIS\n.B corolith\n.I COMMAND\n.RI [ FLAGS ]\n.RI [ WORDS ]\n.SH COMMANDS\n",
      version_text());
  for (const command& each : commands) {
    text += fmt::format(".SS {}{}{}\n{}\n", roff(each.name), each.words.empty() ? "" : " ", roff(each.words),
                        roff(text_of(each)));
    text += roff_flags(each.flags);
    if (each.also != takes::nothing) text += ".P\nIt also takes the flags of runs.\n";
  }
  text +=
      ".SH FLAGS OF RUNS\nEach is also an environment variable (\\-\\-log\\-level is COROLITH_LOG_LEVEL) and a key of "
      "the JSON file that \\-\\-config names. Flags come first, then the environment, then the file.\n" +
      roff_flags(setting_flags());
  text +=
      ".SH EXIT STATUS\n0: done. 1: it failed, or something was found. 2: a wrong flag, word or setting. 130, 143: "
      "interrupted by Ctrl\\-C, SIGTERM.\n";
  return text;
}

// --- completion -----------------------------------------------------------------------------------------------------

inline std::string bash_words(const std::vector<flag>& flags) {
  std::string words;
  for (const flag& each : flags) words += " --" + each.name;
  return words;
}

/// First words, then second ones where there are any, then flags and files.
inline std::string bash_completion(const std::vector<command>& commands) {
  std::set<std::string> firsts;
  std::map<std::string, std::string> seconds;
  std::string cases, values;
  for (const command& each : commands) {
    const std::size_t space = each.name.find(' ');
    firsts.insert(each.name.substr(0, space));
    if (space != std::string::npos) seconds[each.name.substr(0, space)] += " " + each.name.substr(space + 1);
    cases += fmt::format("    '{}') flags='--help{}{}' ;;\n", each.name, bash_words(each.flags),
                         each.also == takes::nothing ? "" : bash_words(setting_flags()));
  }
  std::string second_cases;
  for (const auto& [first, words] : seconds)
    second_cases += fmt::format("      {}) words='{}' ;;\n", first, words.substr(1));
  std::string text =
      "# bash completion of corolith: source it, or put it into /usr/share/bash-completion/completions/corolith\n"
      "_corolith() {\n"
      "  local current=${COMP_WORDS[COMP_CWORD]} words='' flags='' name=${COMP_WORDS[1]}\n"
      "  COMPREPLY=()\n"
      "  if [ \"$COMP_CWORD\" = 1 ]; then\n"
      "    COMPREPLY=($(compgen -W '";
  for (const std::string& each : firsts) text += each + " ";
  text += "--help --version' -- \"$current\"))\n    return\n  fi\n  case $name in\n" + second_cases +
          "  esac\n"
          "  if [ -n \"$words\" ]; then\n"
          "    if [ \"$COMP_CWORD\" = 2 ]; then\n"
          "      COMPREPLY=($(compgen -W \"$words --help\" -- \"$current\"))\n"
          "      return\n"
          "    fi\n"
          "    name=\"$name ${COMP_WORDS[2]}\"\n"
          "  fi\n"
          "  case $name in\n" +
          cases +
          "  esac\n"
          "  case $current in\n"
          "    -*) COMPREPLY=($(compgen -W \"$flags\" -- \"$current\")) ;;\n"
          "    *) COMPREPLY=($(compgen -f -- \"$current\")) ;;\n"
          "  esac\n"
          "}\n"
          "complete -o filenames -F _corolith corolith\n";
  return text;
}

}  // namespace tool
