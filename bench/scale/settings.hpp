// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../flags.hpp"

#include <corolith/run/options.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bench::scale {

struct settings {
  std::vector<std::uint32_t> agents{1, 10, 100, 1000};
  std::uint32_t slots = 112;  // of a node of MareNostrum 5
  std::uint32_t calls = 1'000'000;
  std::uint32_t load = 100'000;
  corolith::options options;
};

namespace detail {

inline std::vector<std::uint32_t> numbers_of(const flag_value& from) {
  std::vector<std::uint32_t> made;
  std::string_view list = from.value;
  while (!list.empty()) {
    const std::string word(list.substr(0, list.find(',')));
    list.remove_prefix(std::min(word.size() + 1, list.size()));
    made.push_back(count_of({word, from.source}, 100'000));
  }
  if (made.empty()) reject(from, "numbers with commas between them were expected");
  return made;
}

using row = flag_row<settings>;
inline constexpr std::array flag_rows{
    row{"counts", "LIST", "of agents, one measurement each (1,10,100,1000)",
        [](settings& s, const flag_value& e) { s.agents = numbers_of(e); }},
    row{"agent-slots", "N", "slots of each agent (112)",
        [](settings& s, const flag_value& e) { s.slots = count_of(e, 10'000); }},
    row{"calls", "N", "of each map (1000000)",
        [](settings& s, const flag_value& e) { s.calls = count_of(e, 1'000'000'000); }},
    row{"load", "N", "calls that end in a second when those take time, on average (100000)",
        [](settings& s, const flag_value& e) { s.load = count_of(e, 10'000'000); }},
};

}  // namespace detail

inline std::string flags_help() { return "\nflags of scale:\n" + flags_text(detail::flag_rows); }

/// From what corolith's own options left. Throws config_error.
inline settings parse_settings(const corolith::parsed_options& parsed) {
  settings made;
  made.options = parsed.value;
  parse_flags(detail::flag_rows, "scale", parsed.rest, made);
  made.options.agents = 1;
  made.options.slots = made.slots;
  made.options.progress = corolith::progress_mode::never;
  return made;
}

}  // namespace bench::scale
