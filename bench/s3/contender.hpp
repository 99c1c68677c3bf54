// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../line_process.hpp"
#include "server.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

/// What takes part in a comparison: each in a process of its own, corolith's client, too.
namespace bench::s3 {

/// Requests as peers/s3_peer.hpp says them.
struct load {
  std::string prefix;
  std::size_t requests = 0;
  std::size_t keys = 0;
  std::size_t bytes = 0;
  std::size_t connections = 0;

  std::string line(const std::string& verb) const {
    return fmt::format("{} {} {} {} {} {}", verb, prefix, requests, keys, bytes, connections);
  }
  double megabytes() const { return static_cast<double>(requests * bytes) / 1e6; }
};

/// What something took, on both sides.
struct cost {
  double seconds = 0;
  double client_cpu_s = 0;
  double server_cpu_s = 0;
  double peak_rss_mib = 0;  ///< of the client, where it was asked for
};

/// Which side kept it from being quicker: the one whose threads, or processors, were busy nearly all the time. Where both share all
/// processors, it is the one that needed more of them. Neither: something was waited for.
inline std::string limit_of(const cost& of, double client_threads, double server_threads, double processors) {
  const double client = of.client_cpu_s / of.seconds, server = of.server_cpu_s / of.seconds;
  constexpr double busy = 0.85;
  if (client + server >= busy * processors) return client > server ? "client" : "server";
  if (server >= busy * server_threads) return "server";
  if (client >= busy * client_threads) return "client";
  return "neither";
}

class contender {
 public:
  contender(std::string name, std::vector<std::string> words) : name_(std::move(name)), process_(std::move(words)) {
    process_.answer();
  }

  const std::string& name() const { return name_; }

  cost run(const std::string& line, const server* against) {
    const double before = against != nullptr ? against->processor_seconds() : 0;
    process_.ask(line);
    cost took;
    const std::string answer = process_.answer();
    if (std::sscanf(answer.c_str(), "%lf %lf %lf", &took.seconds, &took.client_cpu_s, &took.peak_rss_mib) < 2)
      throw std::runtime_error(name_ + " answered " + answer);
    if (against != nullptr) took.server_cpu_s = against->processor_seconds() - before;
    return took;
  }

 private:
  std::string name_;
  line_process process_;
};

}  // namespace bench::s3
