// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "text.hpp"

#include <corolith/launch/pool_record.hpp>
#include <corolith/wire/pool_messages.hpp>

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <string>

/// How pools are shown.
namespace tool {

struct pool_sums {
  std::uint64_t slots = 0;
  std::uint64_t leased = 0;
};
inline pool_sums sums_of(const corolith::wire::pool_status& now) {
  pool_sums sums;
  for (const auto& node : now.nodes) {
    sums.slots += node.slots;
    sums.leased += node.leased;
  }
  return sums;
}

inline std::string json_of(const corolith::launch::pool_record& record, const corolith::wire::pool_status& now) {
  const auto list = [](const auto& all, auto&& one) {
    std::string text;
    for (const auto& each : all) text += (text.empty() ? "" : ",") + one(each);
    return "[" + text + "]";
  };
  using namespace corolith::wire;
  const std::string jobs = list(now.jobs, [](const pool_job_status& job) {
    return fmt::format(R"({{"id":{},"state":{},"nodes":{},"up":{}}})", json_string(job.id), json_string(job.state),
                       job.nodes, job.up);
  });
  const std::string nodes = list(now.nodes, [](const pool_node_status& node) {
    return fmt::format(R"({{"host":{},"job":{},"slots":{},"leased":{},"ending":{}}})", json_string(node.host),
                       json_string(node.job), node.slots, node.leased, node.ending);
  });
  const std::string drivers = list(now.drivers, [](const pool_driver_status& driver) {
    return fmt::format(
        R"({{"program":{},"host":{},"pid":{},"open":{},"running":{},"slots":{},"share":{},"mean_seconds":{:.6f}}})",
        json_string(driver.program), json_string(driver.host), driver.pid, driver.open, driver.running, driver.slots,
        driver.share, static_cast<double>(driver.mean_ns) / 1e9);
  });
  const pool_sums sums = sums_of(now);
  return fmt::format(
      R"({{"name":{},"state":{},"launcher":{},"head":{{"host":{},"pid":{},"since":{}}},"min":{},"max":{},"slots":{},"leased":{},)"
      R"("trouble":{},"jobs":{},"nodes":{},"drivers":{}}})",
      json_string(record.name), json_string(now.state), json_string(record.launcher), json_string(record.host),
      record.pid, record.since, now.min_nodes, now.max_nodes, sums.slots, sums.leased, json_string(now.trouble), jobs,
      nodes, drivers);
}

inline std::string limits_of(const corolith::wire::pool_status& now) {
  return now.min_nodes == now.max_nodes ? std::to_string(now.max_nodes)
                                        : fmt::format("{}-{}", now.min_nodes, now.max_nodes);
}

inline std::string text_of(const corolith::launch::pool_record& record, const corolith::wire::pool_status& now) {
  const pool_sums sums = sums_of(now);
  std::string text =
      fmt::format("pool {}: {}, {} launcher, head {} on {}, since {}\n", record.name, now.state, record.launcher,
                  record.pid, record.host, local_time(std::chrono::system_clock::from_time_t(record.since)));
  text += fmt::format("{} of {} nodes, {} slots of which {} are leased\n", now.nodes.size(), limits_of(now), sums.slots,
                      sums.leased);
  if (!now.trouble.empty()) text += "trouble: " + now.trouble + "\n";
  for (const auto& job : now.jobs)
    text += fmt::format("  job {}: {} of {} nodes{}{}\n", job.id, job.up, job.nodes, job.state.empty() ? "" : ", ",
                        job.state);
  for (const auto& node : now.nodes)
    text += fmt::format("  node {} (job {}): {} of {} slots leased{}\n", printable(node.host), printable(node.job),
                        node.leased, node.slots, node.ending ? ", ending" : "");
  for (const auto& driver : now.drivers)
    text += fmt::format("  driver {} ({} on {}): {} calls open, {} at agents; {} slots, its share is {}\n",
                        printable(driver.program), driver.pid, printable(driver.host), driver.open, driver.running,
                        driver.slots, driver.share);
  return text;
}

}  // namespace tool
