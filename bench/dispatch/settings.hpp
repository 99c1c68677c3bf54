// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../flags.hpp"

#include <corolith/run/options.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace bench::dispatch {

struct settings {
  std::uint32_t calls = 1'000'000;
  std::uint32_t latencies = 2'000;
  std::uint32_t rounds = 5;
  std::size_t payload = std::size_t{1} << 30;
  bool load = true;
  bool pool = true;
  bool dask = true;
  bool is_local = true;
  corolith::options options;
};

namespace detail {

inline void choose_peers(settings& into, const flag_value& from) {
  const std::vector<std::string> chosen = choose(from, {"pool", "dask"});
  const auto has = [&](const char* name) { return std::find(chosen.begin(), chosen.end(), name) != chosen.end(); };
  into.pool = has("pool");
  into.dask = has("dask");
}

using row = flag_row<settings>;
inline constexpr std::array flag_rows{
    row{"calls", "N", "calls of a map of no-ops (1000000)",
        [](settings& s, const flag_value& e) { s.calls = count_of(e, 1'000'000'000); }},
    row{"latencies", "N", "calls that are awaited one by one (2000)",
        [](settings& s, const flag_value& e) { s.latencies = count_of(e, 1'000'000); }},
    row{"rounds", "N", "how often each thing is measured, in turn (5)",
        [](settings& s, const flag_value& e) { s.rounds = count_of(e, 1'000); }},
    row{"payload", "SIZE", "of an argument that comes back as the result (1GiB); 0: not measured",
        [](settings& s, const flag_value& e) { s.payload = corolith::parse_size(e); }},
    row{"no-load", nullptr, "leave out calls that compute", [](settings& s, const flag_value&) { s.load = false; }},
    row{"compare", "LIST", "all, none, or some of pool,dask (all)", choose_peers},
};

}  // namespace detail

inline std::string flags_help() { return "\nflags of dispatch:\n" + flags_text(detail::flag_rows); }

/// From what corolith's own options left. Throws config_error.
inline settings parse_settings(const corolith::parsed_options& parsed) {
  settings made;
  made.options = parsed.value;
  if (made.options.slots == 0) made.options.slots = made.options.agents < 2 ? 2 : 1;
  made.is_local = made.options.launcher == "local" && made.options.listen.empty();
  parse_flags(detail::flag_rows, "dispatch", parsed.rest, made);
  return made;
}

}  // namespace bench::dispatch
