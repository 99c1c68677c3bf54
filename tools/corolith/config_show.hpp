// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "commands.hpp"
#include "text.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <string>

/// `corolith config show`.
namespace tool {

inline int config_show(const invocation& call) {
  std::string text;
  for (const corolith::setting& each : call.list_settings()) {
    if (each.name == "nodes") continue;  // another name of agents
    const bool given = !each.source.empty();
    if (call.has("given") && !given) continue;
    if (call.has("json"))
      text += fmt::format(R"({{"name":{},"value":{},"default":{},"source":{}}})"
                          "\n",
                          json_string(each.name), given ? json_string(each.value) : "null", json_string(each.standard),
                          json_string(given ? each.source : "default"));
    else
      text += fmt::format("{:<16} {:<28} {}\n", each.name,
                          given                   ? printable(each.value)
                          : each.standard.empty() ? "-"
                                                  : "(" + each.standard + ")",
                          given ? printable(each.source) : "default");
  }
  std::fputs(text.c_str(), stdout);
  return 0;
}

inline command config_show_command() {
  return {"config show",
          "",
          "every setting, its value and where that comes from",
          "Each line has a setting, its value (in parentheses: what holds when nothing is given) and where it comes "
          "from: a flag,\n"
          "an environment variable, a key of the file, or default. A wrong value is an error, with exit status 2.",
          {{"given", 0, "", "only those that are given somewhere"}, {"json", 0, "", "one JSON object a line"}},
          takes::settings,
          0,
          0,
          config_show};
}

}  // namespace tool
