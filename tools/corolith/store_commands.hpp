// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "commands.hpp"
#include "store.hpp"

#include <string>
#include <vector>

/// `corolith store` in the table of commands. It reads its words by itself.
namespace tool {

inline std::vector<command> store_commands() {
  std::vector<command> all;
  all.push_back({"store",
                 "VERB ...",
                 "puts, gets, lists, copies and removes objects in S3 and in directories",
                 store_places,
                 {},
                 takes::nothing,
                 0,
                 any_number,
                 nullptr});
  for (const verb_row& row : verb_rows) {
    std::vector<flag> flags;
    for (const flag_row& each : flag_rows)
      if ((each.verbs & row.bit) != 0)
        flags.push_back({std::string(each.name), each.letter, each.value == nullptr ? "" : each.value, each.help});
    all.push_back({"store " + std::string(row.name), row.words, row.help, row.more, std::move(flags), takes::nothing,
                   row.least, row.most, nullptr});
  }
  return all;
}

}  // namespace tool
