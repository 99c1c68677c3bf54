// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "histogram.hpp"
#include "json.hpp"
#include "measure.hpp"
#include "nodes.hpp"
#include "place.hpp"

#include <corolith/core/version.hpp>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <string>
#include <vector>

/// What the reports of benchmarks that run maps have in common.
namespace bench {

inline void write_head(json_writer& json, const std::string& schema) {
  json.value("schema", schema);
  json.value("corolith",
             fmt::format("{}.{}.{}", COROLITH_VERSION_MAJOR, COROLITH_VERSION_MINOR, COROLITH_VERSION_PATCH));
  json.value("written", fmt::format("{:%FT%TZ}", fmt::gmtime(std::time(nullptr))));
}

inline void write_rates(json_writer& json, const std::vector<double>& rates, const std::vector<bin>& bins) {
  const auto [least, greatest] = std::minmax_element(rates.begin(), rates.end());
  json.begin_object("rates");
  json.value("least", *least).value("median", median(rates)).value("greatest", *greatest);
  json.begin_array("histogram");
  for (const bin& each : bins)
    json.begin_object().value("from", each.from).value("to", each.to).value("calls", each.count).end_object();
  json.end_array().end_object();
}

inline void write_nodes(json_writer& json, const std::vector<node>& nodes) {
  json.begin_array("nodes");
  for (const node& each : nodes) {
    json.begin_object().value("name", each.name).value("workers", each.workers).value("calls", each.calls);
    json.value("clock_offset_s", each.clock_offset_s).end_object();
  }
  json.end_array();
}

/// All calls; `rest(call)` writes what is special to them.
template <class Call, class Rest>
void write_calls(json_writer& json, const std::vector<Call>& calls, const std::vector<place>& workers, Rest&& rest) {
  json.begin_array("calls");
  for (const Call& call : calls) {
    const place& where = workers[call.worker];
    json.begin_object().value("index", call.index).value("attempt", call.attempt).value("worker", call.worker);
    json.value("node", where.agent).value("pid", where.pid);
    json.value("sent_s", call.sent_s).value("began_s", call.began_s).value("ended_s", call.ended_s);
    json.value("received_s", call.received_s);
    rest(call);
    json.end_object();
  }
  json.end_array();
}

}  // namespace bench
