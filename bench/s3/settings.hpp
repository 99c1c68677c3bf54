// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../flags.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace bench::s3 {

struct settings {
  bool raw = true, gateway = true, memory = true;
  std::uint32_t rounds = 5;
  std::size_t objects = 16, bytes = std::size_t{64} << 20U, connections = 4;
  std::size_t small = 10'000, small_bytes = 4096, small_connections = 32;
  std::uint32_t gateway_rounds = 1;
  std::size_t gateway_objects = 8, gateway_bytes = std::size_t{64} << 20U, gateway_at_once = 4;
  std::size_t gateway_small = 10'000, gateway_small_peers = 2000, gateway_small_at_once = 32;
  std::size_t part_mib = 8;
  std::uint64_t stream_bytes = std::uint64_t{20} << 30U;
  std::size_t budget_mib = 256;
  std::vector<std::string> peers{"ring", "curl", "wrk", "awscli", "boto3", "rclone"};
  std::string python, aws;  ///< empty: what is found

  bool compares(const std::string& peer) const {
    for (const std::string& each : peers)
      if (each == peer) return true;
    return false;
  }
};

namespace detail {

inline void choose_parts(settings& s, const flag_value& from) {
  s.raw = s.gateway = s.memory = false;
  for (const std::string& part : choose(from, {"raw", "gateway", "memory"}))
    (part == "raw" ? s.raw : part == "gateway" ? s.gateway : s.memory) = true;
}

using row = flag_row<settings>;
inline constexpr std::array flag_rows{
    row{"parts", "LIST", "what to measure: raw,gateway,memory (all)", choose_parts},
    row{"compare", "LIST", "all, none, or some of ring,curl,wrk,awscli,boto3,rclone",
        [](settings& s, const flag_value& e) { s.peers = choose(e, settings().peers); }},
    row{"rounds", "N", "against nginx: how often each thing is measured, in turn (5)",
        [](settings& s, const flag_value& e) { s.rounds = count_of(e, 1000); }},
    row{"objects", "N", "against nginx: large objects (16)",
        [](settings& s, const flag_value& e) { s.objects = count_of(e, 100'000); }},
    row{"mib", "N", "against nginx: their size in MiB (64)",
        [](settings& s, const flag_value& e) { s.bytes = std::size_t{count_of(e, 5000)} << 20U; }},
    row{"connections", "N", "against nginx: connections for large objects (4)",
        [](settings& s, const flag_value& e) { s.connections = count_of(e, 250); }},
    row{"small", "N", "against nginx: requests for 4 KiB (10000)",
        [](settings& s, const flag_value& e) { s.small = count_of(e, 100'000'000); }},
    row{"small-connections", "N", "against nginx: connections for them (32)",
        [](settings& s, const flag_value& e) { s.small_connections = count_of(e, 250); }},
    row{"gateway-rounds", "N", "against Ceph's gateway: as above (1)",
        [](settings& s, const flag_value& e) { s.gateway_rounds = count_of(e, 1000); }},
    row{"gateway-objects", "N", "against Ceph's gateway: large objects (8)",
        [](settings& s, const flag_value& e) { s.gateway_objects = count_of(e, 1000); }},
    row{"gateway-mib", "N", "against Ceph's gateway: their size in MiB (64)",
        [](settings& s, const flag_value& e) { s.gateway_bytes = std::size_t{count_of(e, 5000)} << 20U; }},
    row{"gateway-at-once", "N", "against Ceph's gateway: large objects at once (4)",
        [](settings& s, const flag_value& e) { s.gateway_at_once = count_of(e, 250); }},
    row{"gateway-small", "N", "against Ceph's gateway: objects of 4 KiB (10000)",
        [](settings& s, const flag_value& e) { s.gateway_small = count_of(e, 1'000'000); }},
    row{"peers-small", "N", "against Ceph's gateway: as many for the others, which take long (2000)",
        [](settings& s, const flag_value& e) { s.gateway_small_peers = count_of(e, 1'000'000); }},
    row{"part-mib", "N", "size of parts of the client (8)",
        [](settings& s, const flag_value& e) { s.part_mib = count_of(e, 5000); }},
    row{"stream-gib", "N", "size of the object that streams (20)",
        [](settings& s, const flag_value& e) { s.stream_bytes = std::uint64_t{count_of(e, 100'000)} << 30U; }},
    row{"budget-mib", "N", "memory that the client may have for it (256)",
        [](settings& s, const flag_value& e) { s.budget_mib = count_of(e, 1'000'000); }},
    row{"python", "PROGRAM", "a Python that has boto3 (/usr/bin/python3, python3)",
        [](settings& s, const flag_value& e) { s.python = e.value; }},
    row{"aws", "PROGRAM", "awscli (/usr/bin/aws, aws)", [](settings& s, const flag_value& e) { s.aws = e.value; }},
};

}  // namespace detail

inline std::string flags_help() { return "s3 [FLAGS]\n" + flags_text(detail::flag_rows); }

/// Throws config_error.
inline settings parse_settings(const std::vector<std::string>& given) {
  settings made;
  parse_flags(detail::flag_rows, "s3", given, made);
  return made;
}

}  // namespace bench::s3
