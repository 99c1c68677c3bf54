// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../command.hpp"
#include "../line_process.hpp"
#include "client_process.hpp"
#include "contender.hpp"
#include "figures.hpp"
#include "server.hpp"
#include "settings.hpp"

#include <corolith/core/own_executable.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

/// Against nginx, which is quicker than any S3 server: what the client can move.
namespace bench::s3 {

/// The client in a process of its own, on what the machine has or on poll.
inline std::unique_ptr<contender> start_client(const client_settings& with, bool poll) {
  std::vector<std::string> words{"env", poll ? "COROLITH_IO=poll" : "COROLITH_IO=auto",
                                 corolith::own_executable_path()};
  for (std::string& word : with.words()) words.push_back(std::move(word));
  return std::make_unique<contender>(poll ? "poll_" : "", std::move(words));
}

/// Requests a second that wrk reaches; nothing without it.
inline std::optional<double> run_wrk(const std::string& url, std::size_t connections) {
  const command_result told =
      run_command({"wrk", "-t1", "-c" + std::to_string(connections), "-d1s", url}, noise::dropped);
  constexpr std::string_view mark = "Requests/sec:";
  const std::size_t at = told.output.find(mark);
  if (told.status != 0 || at == std::string::npos) return std::nullopt;
  if (told.output.find("Non-2xx") != std::string::npos) throw std::runtime_error("wrk got no objects");
  return std::stod(told.output.substr(at + mark.size()));
}

class raw_part {
 public:
  explicit raw_part(const settings& with) : with_(with), figures_(1) {}

  void run() {
    server_ = server::start(BENCH_PEERS "/nginx_raw", "RAW_");
    if (!server_) return tell_progress("nothing is measured against nginx");
    server_->watch((*server_)["RAW_FOLDER"]);
    start_contenders();
    warm_up();
    for (std::uint32_t i = 0; i < with_.rounds; ++i) {
      tell_progress(fmt::format("nginx, round {} of {}", i + 1, with_.rounds));
      for (const bool put : {true, false})
        for (const auto& each : contenders_) measure_large(*each, put);
      measure_small();
    }
    tell();
  }

 private:
  const load large() const { return {"large/", with_.objects, with_.objects, with_.bytes, with_.connections}; }
  const load small() const { return {"small/", with_.small, 1, with_.small_bytes, with_.small_connections}; }

  void start_contenders() {
    const server& at = *server_;
    const std::string path = "/" + bucket + "/";
    const auto add_peer = [&](const std::string& name, const std::string& program) {
      if (!with_.compares(name)) return;
      if (program.empty()) return tell_progress(name + " is not compared with: tools/setup bench installs it");
      std::vector<std::string> words{program, at["RAW_HOST"], at["RAW_PORT"], path};
      contenders_.push_back(std::make_unique<contender>("bare_" + name + "_", std::move(words)));
    };
    add_peer("ring", BENCH_S3_RING);
    add_peer("curl", BENCH_S3_CURL);
    client_settings ours;
    ours.endpoint = "http://" + at["RAW_HOST"] + ":" + at["RAW_PORT"];
    ours.bucket = bucket;
    ours.part_mib = std::max(with_.part_mib, with_.bytes >> 20U);  // nginx knows no uploads in parts
    for (const bool poll : {false, true}) {
      ours.connections = with_.connections;
      contenders_.push_back(start_client(ours, poll));
      ours.connections = with_.small_connections;
      small_clients_.push_back(start_client(ours, poll));
    }
    wrk_ = with_.compares("wrk");
  }

  void warm_up() {
    tell_progress("nginx: connections and memory");
    load few = large(), one = small();
    few.requests = few.keys;
    contenders_.front()->run(few.line("put"), nullptr);
    one.requests = 1;
    contenders_.front()->run(one.line("put"), nullptr);
    few.requests = few.connections;
    for (const auto& each : contenders_) {
      each->run(few.line("put"), nullptr);
      each->run(few.line("get"), nullptr);
    }
    one.requests = 10 * one.connections;
    for (const auto& each : small_clients_) each->run(one.line("get"), nullptr);
    for (const auto& each : contenders_)
      if (each->name() == "bare_ring_") each->run(one.line("get"), nullptr);
  }

  void measure_large(contender& one, bool put) {
    const load what = large();
    const cost took = one.run(what.line(put ? "put" : "get"), server_.get());
    figures_.add(one.name() + (put ? "put_raw" : "get_raw"), what.megabytes() / took.seconds, took);
    figures_.add(one.name() + (put ? "put_raw" : "get_raw") + "_cpu_s_per_gb",
                 took.client_cpu_s / what.megabytes() * 1e3);
  }

  void measure_small() {
    const load what = small();
    const auto run_one = [&](contender& one) {
      const cost took = one.run(what.line("get"), server_.get());
      figures_.add(one.name() + "small_raw_per_s", static_cast<double>(what.requests) / took.seconds, took);
    };
    if (wrk_) {
      const std::string url =
          fmt::format("http://{}:{}/{}/{}0", (*server_)["RAW_HOST"], (*server_)["RAW_PORT"], bucket, what.prefix);
      const std::optional<double> rate = run_wrk(url, what.connections);
      if (rate)
        figures_.add("wrk_small_raw_per_s", *rate);
      else
        tell_progress("wrk is not compared with: tools/setup bench installs it");
      wrk_ = rate.has_value();
    }
    for (const auto& each : contenders_)
      if (each->name() == "bare_ring_") run_one(*each);
    for (const auto& each : small_clients_) run_one(*each);
  }

  void tell() const {
    for (const std::string name : {"get_raw", "put_raw"}) {
      figures_.tell(name, "MB/s", figures_.best_of({"bare_ring_" + name, "bare_curl_" + name}, better::more));
      figures_.tell("poll_" + name, "MB/s", name);
      for (const std::string peer : {"bare_ring_", "bare_curl_"}) figures_.tell(peer + name, "MB/s");
      const std::string cpu = name + "_cpu_s_per_gb";
      figures_.tell(cpu, "s/GB", figures_.best_of({"bare_ring_" + cpu, "bare_curl_" + cpu}, better::less));
      for (const std::string other : {"poll_", "bare_ring_", "bare_curl_"}) figures_.tell(other + cpu, "s/GB");
    }
    figures_.tell("small_raw_per_s", "1/s", "wrk_small_raw_per_s");
    figures_.tell("poll_small_raw_per_s", "1/s", "small_raw_per_s");
    for (const char* const peer : {"wrk_small_raw_per_s", "bare_ring_small_raw_per_s"}) figures_.tell(peer, "1/s");
  }

  inline static const std::string bucket = "bench";
  const settings& with_;
  figures figures_;
  std::unique_ptr<server> server_;
  std::vector<std::unique_ptr<contender>> contenders_, small_clients_;
  bool wrk_ = false;
};

}  // namespace bench::s3
