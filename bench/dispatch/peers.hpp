// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../peer.hpp"
#include "settings.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

namespace bench::dispatch {

inline std::optional<peer> find_python_peer(const std::string& name, const std::string& module, std::size_t workers) {
  const std::string script = BENCH_PEERS "/dispatch_" + name + ".py";
  const std::optional<std::string> python = python_with(module, {"python3", "/usr/bin/python3"});
  if (python && ::access(script.c_str(), R_OK) == 0)
    return peer("dispatch", name + "_calls_per_s",
                {"timeout", "120", *python, script, "--workers", std::to_string(workers)}, "noop_calls_per_s");
  fmt::print(stderr, "dispatch: no comparison with {}: no python3 has the module {}\n", name, module);
  return std::nullopt;
}

/// What is to be compared with and is there.
inline std::vector<peer> find_peers(const settings& with, std::size_t workers) {
  std::vector<peer> found;
  const auto add = [&](bool wanted, const char* name, const char* module) {
    if (!wanted) return;
    if (std::optional<peer> one = find_python_peer(name, module, workers)) found.push_back(std::move(*one));
  };
  add(with.pool, "pool", "concurrent.futures");
  add(with.dask, "dask", "distributed");
  return found;
}

}  // namespace bench::dispatch
