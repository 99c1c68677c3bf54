// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../json.hpp"
#include "../measure.hpp"
#include "outcome.hpp"
#include "settings.hpp"

#include <corolith/core/version.hpp>
#include <corolith/simd/instruction_set.hpp>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <optional>
#include <string>
#include <vector>

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
  json.value("cpu_utilisation", map.cpu_utilisation).value("kernel_share", map.kernel_share);
  json.value("peak_gflops", typical.peak.gflops).value("clock_ghz", typical.peak.clock_ghz);
  json.value("share_of_peak", typical.share_of_peak()).end_object();
}

inline void write_rates(json_writer& json, const summary& map) {
  const std::vector<double> rates = call_rates(map);
  const auto [least, greatest] = std::minmax_element(rates.begin(), rates.end());
  json.begin_object("rates");
  json.value("least", *least).value("median", median(rates)).value("greatest", *greatest);
  json.begin_array("histogram");
  for (const bin& each : map.rates)
    json.begin_object().value("from", each.from).value("to", each.to).value("calls", each.count).end_object();
  json.end_array().end_object();
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

inline void write_nodes(json_writer& json, const summary& map) {
  json.begin_array("nodes");
  for (const node& each : map.nodes) {
    json.begin_object().value("name", each.name).value("workers", each.workers).value("calls", each.calls);
    json.value("clock_offset_s", each.clock_offset_s).end_object();
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
  json.begin_array("calls");
  for (const timed_call& call : map.calls) {
    const place& where = map.workers[call.worker];
    json.begin_object().value("index", call.index).value("attempt", call.attempt).value("worker", call.worker);
    json.value("node", where.agent).value("pid", where.pid);
    json.value("sent_s", call.sent_s).value("began_s", call.began_s).value("ended_s", call.ended_s);
    json.value("received_s", call.received_s).value("kernel_s", call.kernel_s);
    json.value("user_s", call.user_s).value("system_s", call.system_s).value("gflops", call.gflops).end_object();
  }
  json.end_array();
}

}  // namespace detail

inline std::string report_text(const settings& with, const outcome& all) {
  const round_result& typical = all.typical();
  json_writer json;
  json.begin_object();
  json.value("schema", "corolith flops report 1");
  json.value("corolith",
             fmt::format("{}.{}.{}", COROLITH_VERSION_MAJOR, COROLITH_VERSION_MINOR, COROLITH_VERSION_PATCH));
  json.value("written", fmt::format("{:%FT%TZ}", fmt::gmtime(std::time(nullptr))));
  json.value("launcher", with.options.launcher);
  json.value("instruction_set", corolith::simd::name_of(corolith::simd::active_instruction_set()));
  json.value("startup_s", all.startup_s);
  detail::write_work(json, with);
  detail::write_total(json, with, typical);
  detail::write_rates(json, typical.map);
  detail::write_rounds(json, all);
  detail::write_scaling(json, all);
  detail::write_nodes(json, typical.map);
  detail::write_calls(json, typical.map);
  json.end_object();
  return json.text();
}

}  // namespace bench::flops
