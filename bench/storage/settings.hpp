// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../flags.hpp"
#include "job.hpp"

#include <corolith/core/error.hpp>
#include <corolith/run/options.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace bench::storage {

struct settings {
  job what;
  std::uint32_t number = 8;
  std::uint32_t rounds = 3;
  bool writes = true;
  bool reads = true;
  bool removes = true;  ///< the objects, when all is done
  bool bare = true;
  std::string outdir;  ///< empty: no files are written
  std::string name;
  corolith::options options;

  bool does(phase which) const { return which == phase::write ? writes : reads; }
};

namespace detail {

inline checksum checksum_of(const flag_value& from) {
  constexpr std::array names{"crc32c", "md5", "none"};
  for (std::size_t i = 0; i < names.size(); ++i)
    if (from.value == names[i]) return static_cast<checksum>(i);
  reject(from, fmt::format("'{}' is none of crc32c, md5, none", from.value));
}

using row = flag_row<settings>;
inline constexpr std::array flag_rows{
    row{"mb_per_file", "N", "MiB of an object (64)",
        [](settings& s, const flag_value& e) { s.what.bytes = std::uint64_t{count_of(e, 1'000'000)} << 20U; }},
    row{"number", "N", "objects, one call each (8)",
        [](settings& s, const flag_value& e) { s.number = count_of(e, 1'000'000); }},
    row{"key_prefix", "TEXT", "what their keys begin with; their number follows (bench/)",
        [](settings& s, const flag_value& e) { s.what.key_prefix = e.value; }},
    row{"read_times", "N", "how often a call reads its object (1)",
        [](settings& s, const flag_value& e) { s.what.read_times = count_of(e, 1'000); }},
    row{"checksum", "NAME", "of what is read: crc32c, md5 or none (crc32c)",
        [](settings& s, const flag_value& e) { s.what.sum = checksum_of(e); }},
    row{"rounds", "N", "how often each thing is measured, in turn (3)",
        [](settings& s, const flag_value& e) { s.rounds = count_of(e, 1'000); }},
    row{"compare", "LIST", "bare (the default, but not with Slurm) or none",
        [](settings& s, const flag_value& e) { s.bare = !choose(e, {"bare"}).empty(); }},
    row{"outdir", "FOLDER", "write a report and plots there",
        [](settings& s, const flag_value& e) { s.outdir = e.value; }},
    row{"name", "NAME", "what these files are called (NUMBER_storage)",
        [](settings& s, const flag_value& e) { s.name = e.value; }},
};

/// "write", "read" or "delete"; without one, all three.
inline void take_command(settings& into, std::vector<std::string>& words) {
  if (words.empty() || words[0].starts_with("--")) return;
  const std::string command = words[0];
  words.erase(words.begin());
  if (command != "write" && command != "read" && command != "delete")
    throw corolith::config_error(fmt::format("'{}' is none of write, read, delete", command));
  into.writes = command == "write";
  into.reads = command == "read";
  into.removes = command == "delete";
}

}  // namespace detail

inline std::string flags_help() {
  return "\nstorage [write|read|delete] [FLAGS]; without a command all three, one after another. Its own flags:\n" +
         flags_text(detail::flag_rows);
}

/// From what corolith's own options left. Throws config_error.
inline settings parse_settings(const corolith::parsed_options& parsed) {
  settings made;
  made.what.bytes = std::uint64_t{64} << 20U;
  made.what.key_prefix = "bench/";
  made.options = parsed.value;
  if (made.options.slots == 0 && made.options.agents < 2 && made.options.launcher == "local") made.options.slots = 2;
  if (parsed.value.launcher != "local" || parsed.value.store.starts_with("s3:")) made.bare = false;
  std::vector<std::string> words = parsed.rest;
  detail::take_command(made, words);
  for (std::string& word : words)  // the names that Lithops has, and those that other flags look like
    if (word.starts_with("--"))
      std::replace(word.begin() + 2, word.begin() + static_cast<std::ptrdiff_t>(std::min(word.find('='), word.size())),
                   '-', '_');
  parse_flags(detail::flag_rows, "storage", words, made);
  if (!(made.writes && made.reads && made.removes)) {
    if (made.options.store.empty())
      throw corolith::config_error("write, read and delete alone need to know where: --store URL");
    made.bare = false;
    made.rounds = 1;
  }
  if (made.outdir.empty() && !made.name.empty()) made.outdir = ".";
  if (made.name.empty()) made.name = fmt::format("{}_storage", made.number);
  return made;
}

}  // namespace bench::storage
