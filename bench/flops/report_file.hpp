// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../json.hpp"
#include "../report_parts.hpp"
#include "outcome.hpp"
#include "settings.hpp"

#include <corolith/simd/instruction_set.hpp>

#include <optional>
#include <string>

/// The report: docs/flops_report.schema.json says what is in it.
namespace bench::flops {
namespace detail {

inline void write_work(json_writer& json, const settings& with) {
  json.begin_object("work");
  json.value("tasks", with.tasks).value("loopcount", with.what.loopcount).value("matn", with.what.matn);
  json.value("precision", with.what.is_double ? "double" : "float").value("threads_per_call", with.what.threads);
  json.value("flop_per_call", with.what.flop()).end_object();
}

inline void write_total(json_writer& json, const settings& with, const round_result& typical) {
  const summary& map = typical.map;
  json.begin_object("total");
  json.value("gflops", map.total_gflops).value("wall_s", map.wall_s);
  json.value("calls", map.calls.size()).value("failed", typical.failed).value("workers", map.workers.size());
  json.value("slots", map.workers.size() * with.what.threads);
  json.value("cpu_utilisation", map.cpu_utilisation).value("cpu_waiting", map.cpu_waiting);
  json.value("kernel_share", map.kernel_share);
  json.value("peak_gflops", typical.peak.gflops).value("clock_ghz", typical.peak.clock_ghz);
  json.value("share_of_peak", typical.share_of_peak()).end_object();
}

inline void write_rounds(json_writer& json, const outcome& all) {
  json.begin_array("rounds");
  for (const round_result& each : all.rounds) {
    json.begin_object().value("gflops", each.map.total_gflops).value("wall_s", each.map.wall_s);
    json.value("cpu_utilisation", each.map.cpu_utilisation).value("peak_gflops", each.peak.gflops);
    const auto optional = [&](const char* key, const std::optional<double>& value) {
      if (value) json.value(key, *value);
    };
    optional("bare_gflops", each.bare_gflops());
    optional("framework_overhead", each.framework_overhead());
    optional("numpy_gflops", each.numpy_gflops);
    optional("mpi_gflops", each.mpi_gflops);
    optional("mpi_overhead", each.mpi_overhead());
    json.end_object();
  }
  json.end_array();
}

inline void write_scaling(json_writer& json, const outcome& all) {
  json.begin_array("scaling");
  for (const scaling_point& each : all.scaling) {
    json.begin_object().value("calls_at_a_time", each.calls_at_a_time).value("gflops", each.gflops);
    json.value("efficiency", each.efficiency).end_object();
  }
  json.end_array();
}

inline void write_calls(json_writer& json, const summary& map) {
  bench::write_calls(json, map.calls, map.workers, [&json](const timed_call& call) {
    json.value("kernel_s", call.kernel_s).value("user_s", call.user_s).value("system_s", call.system_s);
    json.value("waited_s", call.waited_s).value("gflops", call.gflops);
  });
}

}  // namespace detail

inline std::string report_text(const settings& with, const outcome& all) {
  const round_result& typical = all.typical();
  json_writer json;
  json.begin_object();
  write_head(json, "corolith flops report 1");
  json.value("launcher", with.options.launcher);
  json.value("instruction_set", corolith::simd::name_of(corolith::simd::active_instruction_set()));
  json.value("startup_s", all.startup_s);
  detail::write_work(json, with);
  detail::write_total(json, with, typical);
  write_rates(json, call_rates(typical.map), typical.map.rates);
  detail::write_rounds(json, all);
  detail::write_scaling(json, all);
  write_nodes(json, typical.map.nodes);
  detail::write_calls(json, typical.map);
  json.end_object();
  return json.text();
}

}  // namespace bench::flops
