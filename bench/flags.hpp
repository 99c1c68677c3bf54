// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/config.hpp>
#include <corolith/core/error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// The flags of a benchmark as a table.
namespace bench {

using flag_value = corolith::config::entry;

template <class Settings>
struct flag_row {
  std::string_view name;
  const char* value;  ///< null: it takes none
  const char* help;
  void (*set)(Settings&, const flag_value&);
};

inline std::uint32_t count_of(const flag_value& from, std::uint32_t most) {
  return static_cast<std::uint32_t>(corolith::parse_number(from, 1, most));
}

/// Words between commas, each of which has to be known; "all" and "none" are, too.
inline std::vector<std::string> choose(const flag_value& from, const std::vector<std::string>& known) {
  if (from.value == "all") return known;
  std::vector<std::string> chosen;
  std::string_view list = from.value == "none" ? "" : std::string_view(from.value);
  while (!list.empty()) {
    const std::string word(list.substr(0, list.find(',')));
    list.remove_prefix(std::min(word.size() + 1, list.size()));
    if (std::find(known.begin(), known.end(), word) == known.end())
      reject(from, fmt::format("'{}' is none of all, none, {}", word, fmt::join(known, ", ")));
    chosen.push_back(word);
  }
  return chosen;
}

template <class Settings, std::size_t N>
std::string flags_text(const std::array<flag_row<Settings>, N>& rows) {
  std::string text;
  for (const auto& row : rows)
    text += fmt::format("  --{:<24} {}\n", std::string(row.name) + " " + (row.value ? row.value : ""), row.help);
  return text;
}

/// Throws config_error that names `bench` where a word is no flag of these.
template <class Settings, std::size_t N>
void parse_flags(const std::array<flag_row<Settings>, N>& rows, const std::string& bench,
                 const std::vector<std::string>& given, Settings& into) {
  for (std::size_t i = 0; i < given.size(); ++i) {
    const std::string& word = given[i];
    const std::size_t equals = word.find('=');
    const std::string_view name = std::string_view(word).substr(0, equals);
    const auto row = std::find_if(rows.begin(), rows.end(), [&](const auto& each) {
      return name.starts_with("--") && name.substr(2) == each.name;
    });
    if (row == rows.end())
      throw corolith::config_error(fmt::format("'{}' is no flag of {}; --help lists them", word, bench));
    flag_value from{"", fmt::format("flag --{}", row->name)};
    if (row->value != nullptr && equals == std::string::npos && i + 1 == given.size())
      reject(from, "a value was expected after it");
    if (equals != std::string::npos)
      from.value = word.substr(equals + 1);
    else if (row->value != nullptr)
      from.value = given[++i];
    row->set(into, from);
  }
}

}  // namespace bench
