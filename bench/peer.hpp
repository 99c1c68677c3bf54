// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "command.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <cstdio>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>

/// Other ways to do the same work, as programs of bench/peers that print lines of JSON as benchmarks do.
namespace bench {

/// The first value of `metric` in lines of JSON.
inline std::optional<double> value_of(const std::string& lines, std::string_view metric) {
  simdjson::dom::parser parser;
  std::istringstream stream(lines);
  for (std::string line; std::getline(stream, line);) {
    simdjson::dom::object fields;
    std::string_view name;
    double value = 0;
    if (parser.parse(line).get(fields) == simdjson::SUCCESS && fields["metric"].get(name) == simdjson::SUCCESS &&
        name == metric && fields["value"].get(value) == simdjson::SUCCESS)
      return value;
  }
  return std::nullopt;
}

/// One peer, once it was found on this machine.
class peer {
 public:
  /// `metric` is the one that its output is asked for; `bench` is compared with it.
  peer(std::string bench, std::string name, words command, std::string metric)
      : bench_(std::move(bench)), name_(std::move(name)), command_(std::move(command)), metric_(std::move(metric)) {}

  const std::string& name() const { return name_; }

  /// Nothing when it does not work here; why is on standard error.
  std::optional<double> run() const {
    const command_result result = run_command(command_, noise::shown);
    const std::optional<double> value = value_of(result.output, metric_);
    if (result.status == 0 && value) return value;
    fmt::print(stderr, "{}: no comparison with {}: it failed\n", bench_, name_);
    return std::nullopt;
  }

 private:
  std::string bench_;
  std::string name_;
  words command_;
  std::string metric_;
};

/// The first of `candidates` that has a module.
inline std::optional<std::string> python_with(const std::string& module, const words& candidates) {
  for (const std::string& python : candidates)
    if (run_command({python, "-c", "import " + module}, noise::dropped).status == 0) return python;
  return std::nullopt;
}

}  // namespace bench
