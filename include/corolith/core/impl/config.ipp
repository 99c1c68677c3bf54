// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/config.hpp>
#include <corolith/core/number.hpp>

#include <fmt/format.h>
#include <simdjson.h>

#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace corolith {
inline namespace v0 {
namespace detail {

inline void flatten_json(config& into, const std::string& path, const std::string& prefix,
                         simdjson::dom::object object) {
  for (auto [name, value] : object) {
    const std::string key = prefix + std::string(name);
    const std::string source = path + ", key " + key;
    using type = simdjson::dom::element_type;
    switch (value.type()) {
      case type::OBJECT: flatten_json(into, path, key + ".", value.get_object()); break;
      case type::STRING: into.set(key, std::string(std::string_view(value)), source); break;
      case type::INT64:
      case type::UINT64:
      case type::DOUBLE:
      case type::BOOL: into.set(key, simdjson::minify(value), source); break;
      case type::ARRAY:
      case type::NULL_VALUE: throw config_error(source + ": a string, a number or true/false was expected here");
    }
  }
}

struct unit {
  std::string_view name;
  double factor;
};

// A non-negative number with one of `units` behind it; the first unit is meant where there is none.
template <std::size_t N>
std::optional<double> parse_with_unit(std::string_view text, const std::array<unit, N>& units) {
  double number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc() || !(number >= 0) || !std::isfinite(number)) return std::nullopt;
  std::string_view rest(end, static_cast<std::size_t>(text.data() + text.size() - end));
  while (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
  if (rest.empty()) return number * units[0].factor;
  for (const unit& each : units)
    if (each.name == rest) return number * each.factor;
  return std::nullopt;
}

}  // namespace detail

COROLITH_DECL void config::set(const std::string& key, std::string value, std::string source) {
  entries_.try_emplace(key_of(key), entry{std::move(value), std::move(source)});
}

COROLITH_DECL void config::read_file(const std::string& path) {
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  auto parsed = parser.load(path);
  if (parsed.error() == simdjson::IO_ERROR) throw config_error("configuration file " + path + ": it cannot be read");
  if (parsed.error())
    throw config_error("configuration file " + path + ": no valid JSON: " + simdjson::error_message(parsed.error()));
  if (parsed.get_object().get(object))
    throw config_error("configuration file " + path + ": it must hold a JSON object");
  detail::flatten_json(*this, path, "", object);
}

COROLITH_DECL const config::entry* config::find(const std::string& key) const {
  const auto found = entries_.find(key_of(key));
  return found == entries_.end() ? nullptr : &found->second;
}

COROLITH_DECL void reject(const config::entry& from, const std::string& what) {
  throw config_error(from.source + ": " + what);
}

COROLITH_DECL std::uint64_t parse_number(const config::entry& from, std::uint64_t least, std::uint64_t most) {
  const auto number = whole_number<std::uint64_t>(from.value);
  if (!number || *number < least || *number > most)
    reject(from, fmt::format("'{}' is no whole number from {} to {}", from.value, least, most));
  return *number;
}

COROLITH_DECL std::chrono::nanoseconds parse_duration(const config::entry& from) {
  static constexpr std::array<detail::unit, 7> units{
      {{"s", 1.0}, {"ms", 1e-3}, {"us", 1e-6}, {"min", 60.0}, {"m", 60.0}, {"h", 3600.0}, {"d", 86400.0}}};
  const auto seconds = detail::parse_with_unit(from.value, units);
  if (!seconds || *seconds > 9e9)
    reject(from, fmt::format("'{}' is no duration: write for example 250ms, 2s, 1.5min or 2h", from.value));
  return std::chrono::nanoseconds(static_cast<std::int64_t>(std::llround(*seconds * 1e9)));
}

COROLITH_DECL std::uint64_t parse_size(const config::entry& from) {
  static constexpr std::array<detail::unit, 10> units{{{"B", 1.0},
                                                       {"KiB", 1024.0},
                                                       {"MiB", 1048576.0},
                                                       {"GiB", 1073741824.0},
                                                       {"TiB", 1099511627776.0},
                                                       {"kB", 1e3},
                                                       {"KB", 1e3},
                                                       {"MB", 1e6},
                                                       {"GB", 1e9},
                                                       {"TB", 1e12}}};
  const auto bytes = detail::parse_with_unit(from.value, units);
  if (!bytes || *bytes > 9e18)
    reject(from, fmt::format("'{}' is no size: write for example 512MiB, 4GiB or a number of bytes", from.value));
  return static_cast<std::uint64_t>(*bytes);
}

}  // namespace v0
}  // namespace corolith
