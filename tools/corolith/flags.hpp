// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "settings.hpp"

#include <corolith/core/config.hpp>
#include <corolith/core/error.hpp>
#include <corolith/core/number.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// The flags of `corolith store`, their texts, and how they are read.
namespace tool {

inline corolith::progress_mode progress_of(const flag_value& from) {
  if (from.value == "never") return corolith::progress_mode::never;
  if (from.value == "lines") return corolith::progress_mode::lines;
  if (from.value != "auto") reject(from, "'" + from.value + "' is none of auto, lines, never");
  return corolith::progress_mode::automatic;
}

inline corolith::s3::checksum_kind checksum_of(const flag_value& from) {
  if (from.value == "crc32c") return corolith::s3::checksum_kind::crc32c;
  if (from.value == "crc32") return corolith::s3::checksum_kind::crc32;
  if (from.value != "sha256") reject(from, "'" + from.value + "' is none of crc32c, crc32, sha256");
  return corolith::s3::checksum_kind::sha256;
}

inline corolith::storage::byte_range range_of(const flag_value& from) {
  const std::size_t dash = from.value.find('-');
  corolith::storage::byte_range range;
  const auto read = [&](std::string_view text, std::optional<std::uint64_t>& into) {
    if (!text.empty() && !(into = corolith::whole_number<std::uint64_t>(text)))
      reject(from,
             "'" + from.value + "' is no range: 10-19 are ten bytes, 10- all from the eleventh on, -7 the last seven");
  };
  read(std::string_view(from.value).substr(0, dash), range.first);
  if (dash != std::string::npos) read(std::string_view(from.value).substr(dash + 1), range.last);
  if (dash == std::string::npos || (!range.first && !range.last)) reject(from, "'" + from.value + "' is no range");
  return range;
}

inline void add_metadata(settings& into, const flag_value& from) {
  const std::size_t equals = from.value.find('=');
  if (equals == 0 || equals == std::string::npos) reject(from, "NAME=VALUE was expected, not '" + from.value + "'");
  std::string name = from.value.substr(0, equals);
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
  into.put.headers.metadata[name] = from.value.substr(equals + 1);
}

inline void set_expires(settings& into, const flag_value& from) {
  into.expires = std::chrono::duration_cast<std::chrono::seconds>(corolith::parse_duration(from));
  if (into.expires < std::chrono::seconds(1) || into.expires > std::chrono::hours(7 * 24))
    reject(from, "between 1s and 168h (seven days) were expected");
}

inline void set_method(settings& into, const flag_value& from) {
  if (from.value != "GET" && from.value != "PUT" && from.value != "HEAD" && from.value != "DELETE")
    reject(from, "'" + from.value + "' is none of GET, PUT, HEAD, DELETE");
  into.method = from.value;
}

inline constexpr unsigned on_transfers = on_put | on_get | on_cp;
inline constexpr unsigned on_all = 511;

inline constexpr std::array<flag_row, 24> flag_rows{{
    {"recursive", 'r', nullptr, "all that lies below, too; what is copied keeps its place below TARGET",
     on_transfers | on_ls | on_rm, [](settings& s, const flag_value&) { s.recursive = true; }},
    {"jobs", 'j', "N", "so many objects at a time (8)", on_transfers | on_rm,
     [](settings& s, const flag_value& v) { s.jobs = static_cast<unsigned>(corolith::parse_number(v, 1, 256)); }},
    {"keep", 0, nullptr, "what is there already is an error, and is not replaced", on_put | on_get,
     [](settings& s, const flag_value&) { s.keep = true; }},
    {"resume", 0, nullptr, "a get that is interrupted leaves what it has, and the next one goes on from there", on_get,
     [](settings& s, const flag_value&) { s.resume = true; }},
    {"progress", 0, "HOW", "auto: a bar on a terminal; lines; never (auto)", on_transfers | on_rm,
     [](settings& s, const flag_value& v) { s.progress = progress_of(v); }},
    {"content-type", 0, "TYPE", "of the new objects; with presign of a PUT", on_put | on_presign,
     [](settings& s, const flag_value& v) { s.put.headers.content_type = v.value; }},
    {"content-encoding", 0, "CODING", "such as gzip", on_put,
     [](settings& s, const flag_value& v) { s.put.headers.content_encoding = v.value; }},
    {"cache-control", 0, "TEXT", "", on_put,
     [](settings& s, const flag_value& v) { s.put.headers.cache_control = v.value; }},
    {"metadata", 0, "NAME=VALUE", "kept with the new objects; may be repeated", on_put, add_metadata},
    {"storage-class", 0, "NAME", "such as STANDARD_IA", on_put,
     [](settings& s, const flag_value& v) { s.put.storage_class = v.value; }},
    {"checksum", 0, "KIND", "that the server verifies and keeps: crc32c, crc32, sha256", on_put,
     [](settings& s, const flag_value& v) { s.put.checksum = checksum_of(v); }},
    {"range", 0, "FIRST-LAST", "only these bytes, both ends included; FIRST- or -COUNT", on_cat,
     [](settings& s, const flag_value& v) { s.range = range_of(v); }},
    {"json", 0, nullptr, "one JSON object a line", on_ls, [](settings& s, const flag_value&) { s.json = true; }},
    {"human", 0, nullptr, "sizes as 1.5 MiB", on_ls, [](settings& s, const flag_value&) { s.human = true; }},
    {"force", 0, nullptr, "with all that is in it", on_rb, [](settings& s, const flag_value&) { s.force = true; }},
    {"method", 0, "METHOD", "what the URL allows: GET, PUT, HEAD, DELETE (GET)", on_presign, set_method},
    {"expires", 0, "DURATION", "how long it does: 30min, 12h (1h)", on_presign, set_expires},
    {"endpoint", 0, "URL", "of an S3 server that is not Amazon's: https://host:port", on_all,
     [](settings& s, const flag_value& v) { s.endpoint = v.value; }},
    {"region", 0, "NAME", "of the bucket", on_all, [](settings& s, const flag_value& v) { s.region = v.value; }},
    {"profile", 0, "NAME", "whose credentials in ~/.aws are used", on_all,
     [](settings& s, const flag_value& v) { s.profile = v.value; }},
    {"ca-file", 0, "PATH", "certificates of authorities to trust, in PEM", on_all,
     [](settings& s, const flag_value& v) { s.ca_file = v.value; }},
    {"insecure", 0, nullptr, "do not look at the server's certificate: whoever is in between can read and change all",
     on_all, [](settings& s, const flag_value&) { s.insecure = true; }},
    {"path-style", 0, nullptr, "the bucket in the path, not in the host's name", on_all,
     [](settings& s, const flag_value&) { s.path_style = true; }},
    {"part-size", 0, "SIZE", "of what goes at a time of a large object (8MiB)", on_transfers | on_cat,
     [](settings& s, const flag_value& v) {
       corolith::parse_size(v);
       s.part_size = v.value;
     }},
}};

/// The flags of a verb, a line each; those that say where and who, which all verbs have, come last.
inline std::string flags_text(unsigned verb) {
  std::string own, shared;
  for (const flag_row& row : flag_rows) {
    if ((row.verbs & verb) == 0) continue;
    const std::string name =
        fmt::format("--{}{}{}{}", row.name, row.letter == 0 ? "" : fmt::format(", -{}", row.letter),
                    row.value == nullptr ? "" : " ", row.value == nullptr ? "" : row.value);
    (row.verbs == on_all ? shared : own) += fmt::format("  {:<26} {}\n", name, row.help);
  }
  return own + (own.empty() ? "" : "\n") + "S3:\n" + shared;
}

/// Whether a word looks like a flag for a secret, which must not be repeated.
inline bool smells_of_secrets(std::string_view name) {
  for (const char* part : {"secret", "access-key", "access_key", "token", "password", "key-id"})
    if (name.find(part) != std::string_view::npos) return true;
  return false;
}

inline const flag_row& find_flag(std::string_view name, unsigned verb, const std::string& of) {
  const auto row = std::find_if(flag_rows.begin(), flag_rows.end(), [&](const flag_row& each) {
    if (name.starts_with("--")) return !each.name.empty() && name.substr(2) == each.name;
    return each.letter != 0 && name.size() == 2 && name[1] == each.letter;
  });
  if (row != flag_rows.end() && (row->verbs & verb) != 0) return *row;
  if (row == flag_rows.end() && smells_of_secrets(name))
    throw corolith::config_error(
        fmt::format("there is no '{}': a command line is seen by `ps`. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY "
                    "in the environment, or use --profile",
                    name));
  throw corolith::config_error(fmt::format("'{}' is no flag of {}; --help lists them", name, of));
}

/// Reads the flags, wherever they stand among the other words, which are returned. `--` ends them. Throws config_error.
inline std::vector<std::string> parse_flags(const std::vector<std::string>& given, unsigned verb, const std::string& of,
                                            settings& into) {
  std::vector<std::string> rest;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const std::string& word = given[i];
    if (word == "--") {
      rest.insert(rest.end(), given.begin() + static_cast<std::ptrdiff_t>(i) + 1, given.end());
      break;
    }
    if (word == "-" || !word.starts_with('-')) {
      rest.push_back(word);
      continue;
    }
    const std::size_t equals = word.find('=');
    const flag_row& row = find_flag(std::string_view(word).substr(0, equals), verb, of);
    flag_value from{"", fmt::format("flag --{}", row.name)};
    if (row.value == nullptr && equals != std::string::npos) reject(from, "it takes no value");
    if (row.value != nullptr && equals == std::string::npos && i + 1 == given.size())
      reject(from, "a value was expected after it");
    if (equals != std::string::npos)
      from.value = word.substr(equals + 1);
    else if (row.value != nullptr)
      from.value = given[++i];
    row.set(into, from);
  }
  return rest;
}

}  // namespace tool
