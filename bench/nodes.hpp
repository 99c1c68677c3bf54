// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "place.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

/// Nodes that ran the calls of a map, and the differences of their clocks. Calls have sent_s, began_s, ended_s and received_s, in
/// seconds since the map was called, and the position of their worker.
namespace bench {

struct node {
  std::string name;
  std::size_t workers = 0;
  std::size_t calls = 0;
  double clock_offset_s = 0;  ///< was added to its times
};

/// "1 worker", "2 workers".
inline std::string counted(std::size_t count, const std::string& what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

inline double since(std::chrono::system_clock::time_point begin, std::chrono::system_clock::time_point time) {
  return std::chrono::duration<double>(time - begin).count();
}

inline double since(std::chrono::system_clock::time_point begin, std::int64_t system_ns) {
  return since(begin, std::chrono::system_clock::time_point(std::chrono::nanoseconds(system_ns)));
}

/// The least shift of a node's clock with which none of its calls began before it was sent or ended after it was received.
template <class Call>
double clock_offset(const std::vector<Call>& calls, const std::vector<std::size_t>& node_of_worker, std::size_t node) {
  double low = -1e18, high = 1e18;
  for (const Call& call : calls) {
    if (node_of_worker[call.worker] != node) continue;
    low = std::max(low, call.sent_s - call.began_s);
    high = std::min(high, call.received_s - call.ended_s);
  }
  return low > high ? (low + high) / 2 : std::clamp(0.0, low, high);
}

/// The nodes of these workers, which are ordered by node, and for each worker the position of its node.
inline std::vector<std::size_t> nodes_of(const std::set<place>& workers, std::vector<node>& nodes) {
  std::vector<std::size_t> node_of_worker;
  for (const place& each : workers) {
    if (nodes.empty() || nodes.back().name != each.agent) nodes.push_back({each.agent, 0, 0, 0});
    ++nodes.back().workers;
    node_of_worker.push_back(nodes.size() - 1);
  }
  return node_of_worker;
}

/// Moves what the nodes' clocks said to the driver's, and counts each node's calls.
template <class Call>
void align_clocks(std::vector<Call>& calls, std::vector<node>& nodes, const std::vector<std::size_t>& node_of_worker) {
  for (std::size_t i = 0; i < nodes.size(); ++i) nodes[i].clock_offset_s = clock_offset(calls, node_of_worker, i);
  for (Call& call : calls) {
    node& where = nodes[node_of_worker[call.worker]];
    ++where.calls;
    call.began_s += where.clock_offset_s;
    call.ended_s += where.clock_offset_s;
  }
}

}  // namespace bench
