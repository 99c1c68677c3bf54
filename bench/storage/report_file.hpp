// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../json.hpp"
#include "../report_parts.hpp"
#include "outcome.hpp"
#include "settings.hpp"

#include <array>
#include <cstddef>
#include <string>

/// The report: docs/storage_report.schema.json says what is in it.
namespace bench::storage {
namespace detail {

inline void write_work(json_writer& json, const settings& with) {
  constexpr std::array sums{"crc32c", "md5", "none"};
  json.begin_object("work");
  json.value("number", with.number).value("bytes_per_object", with.what.bytes);
  json.value("key_prefix", with.what.key_prefix).value("read_times", with.what.read_times);
  json.value("checksum", sums[static_cast<std::size_t>(with.what.sum)]).end_object();
}

inline void write_total(json_writer& json, const summary& map) {
  json.begin_object("total");
  json.value("mb_s", map.mb_s).value("wall_s", map.wall_s).value("mb", map.mb);
  json.value("calls", map.calls.size()).value("failed", map.failed).value("workers", map.workers.size());
  json.value("cpu_s_per_gb", map.cpu_s_per_gb).end_object();
}

inline void write_rounds(json_writer& json, const phase_outcome& all) {
  json.begin_array("rounds");
  for (const measured_phase& each : all.rounds) {
    json.begin_object().value("mb_s", each.map.mb_s).value("wall_s", each.map.wall_s);
    json.value("cpu_s_per_gb", each.map.cpu_s_per_gb);
    if (each.bare_s) json.value("bare_mb_s", *each.bare_mb_s());
    json.end_object();
  }
  json.end_array();
}

inline void write_calls(json_writer& json, const summary& map) {
  bench::write_calls(json, map.calls, map.workers, [&json](const timed_call& call) {
    json.value("store_s", call.store_s).value("cpu_s", call.cpu_s).value("mb_s", call.mb_s).value("checksum", call.sum);
  });
}

inline void write_phase(json_writer& json, const char* name, const phase_outcome& all) {
  if (all.rounds.empty()) return;
  const summary& typical = all.typical().map;
  json.begin_object(name);
  write_total(json, typical);
  bench::write_rates(json, call_rates(typical), typical.rates);
  write_rounds(json, all);
  bench::write_nodes(json, typical.nodes);
  write_calls(json, typical);
  json.end_object();
}

}  // namespace detail

inline std::string report_text(const settings& with, const outcome& all) {
  json_writer json;
  json.begin_object();
  write_head(json, "corolith storage report 1");
  json.value("launcher", with.options.launcher).value("store", with.options.store).value("startup_s", all.startup_s);
  detail::write_work(json, with);
  detail::write_phase(json, "write", all.write);
  detail::write_phase(json, "read", all.read);
  json.end_object();
  return json.text();
}

}  // namespace bench::storage
