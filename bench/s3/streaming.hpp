// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../line_process.hpp"
#include "client_process.hpp"
#include "figures.hpp"
#include "raw.hpp"
#include "settings.hpp"
#include "synthetic_server.hpp"

#include <corolith/core/own_executable.hpp>

#include <fmt/format.h>

#include <memory>
#include <string>

/// An object that is larger than the memory of the machine, as a stream: how much of it is there at a time.
namespace bench::s3 {

inline void measure_streaming(const settings& with) {
  line_process synthetic(
      {corolith::own_executable_path(), std::string(synthetic_server_flag), std::to_string(with.stream_bytes)});
  client_settings ours;
  ours.endpoint = "http://127.0.0.1:" + synthetic.answer();
  ours.bucket = "bench";
  ours.part_mib = with.part_mib;
  ours.budget_mib = with.budget_mib;
  for (const bool poll : {false, true}) {
    const std::unique_ptr<contender> client = start_client(ours, poll);
    tell_progress(fmt::format("{}a stream of {} GiB", poll ? "by poll, " : "", with.stream_bytes >> 30U));
    const double server_before = processor_seconds_of(synthetic.pid());
    cost took = client->run(fmt::format("stream object {}", with.stream_bytes), nullptr);
    took.server_cpu_s = processor_seconds_of(synthetic.pid()) - server_before;
    const double threads = 2;  // the client's own, and that of whoever takes the pieces
    const std::string limit = limit_of(took, threads, 1e6, std::thread::hardware_concurrency());
    const std::string name = poll ? "poll_" : "";
    report("s3", name + "stream_mb_s", static_cast<double>(with.stream_bytes) / 1e6 / took.seconds, "MB/s", {}, limit);
    report("s3", name + "peak_rss_mib", took.peak_rss_mib, "MiB",
           comparison{took.peak_rss_mib / static_cast<double>(with.budget_mib), "budget_mib"});
  }
}

}  // namespace bench::s3
