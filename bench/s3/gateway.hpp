// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "client_process.hpp"
#include "command_line.hpp"
#include "contender.hpp"
#include "figures.hpp"
#include "raw.hpp"
#include "server.hpp"
#include "settings.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

/// Against a real S3 server, beside the clients that people use.
namespace bench::s3 {

class gateway_part {
 public:
  explicit gateway_part(const settings& with) : with_(with), figures_(1e6) {}

  void run() {
    server_ = server::start(BENCH_SERVERS "/ceph_rgw", "S3_TEST_", {"size=12884901888"});
    if (!server_) return tell_progress("nothing is measured against Ceph's gateway");
    server_->watch(std::filesystem::path((*server_)["S3_TEST_CERTIFICATES"]).parent_path());
    start_contenders();
    warm_up();
    for (std::uint32_t i = 0; i < with_.gateway_rounds; ++i) {
      tell_progress(fmt::format("Ceph's gateway, round {} of {}", i + 1, with_.gateway_rounds));
      measure_large();
      measure_small();
    }
    tell();
  }

 private:
  static void set_environment(const server& at) {
    for (const char* const name : {"AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"})
      ::unsetenv(name);
    ::setenv("AWS_ACCESS_KEY_ID", at["S3_TEST_ACCESS_KEY"].c_str(), 1);
    ::setenv("AWS_SECRET_ACCESS_KEY", at["S3_TEST_SECRET_KEY"].c_str(), 1);
    for (const char* const name : {"AWS_REGION", "AWS_DEFAULT_REGION"}) ::setenv(name, at["S3_TEST_REGION"].c_str(), 1);
  }

  /// Contenders that answer lines move whole folders by `put_files`, small objects from memory.
  void start_contenders() {
    const server& at = *server_;
    set_environment(at);
    client_settings ours;
    ours.endpoint = at["S3_TEST_ENDPOINT"];
    ours.bucket = bucket;
    ours.part_mib = with_.part_mib;
    ours.sign_payload = true;  // as the others do where there is no TLS
    for (const bool poll : {false, true}) processes_.push_back(start_client(ours, poll));
    processes_.front()->run("make", nullptr);
    if (with_.compares("boto3")) start_boto3();
    find_command(command_line::kind::rclone, {"rclone"});
    find_command(command_line::kind::awscli, with_.aws.empty() ? words{"/usr/bin/aws", "aws"} : words{with_.aws});
  }
  /// Connections and memory of those that stay; commands begin anew each time.
  void warm_up() {
    tell_progress("Ceph's gateway: connections and memory");
    const std::size_t count = with_.gateway_at_once;
    const std::string source = scratch_.files("source", count, with_.gateway_bytes);
    for (const auto& each : processes_) {
      each->run(fmt::format("put_files warm/ {} {} {}", count, count, source), nullptr);
      each->run(fmt::format("get_files warm/ {} {} {}", count, count, scratch_.fresh("target")), nullptr);
      clear();
    }
  }
  void start_boto3() {
    for (const std::string& python :
         with_.python.empty() ? words{"/usr/bin/python3", "python3"} : words{with_.python}) {
      if (run_command({python, "-c", "import boto3"}, noise::dropped).status != 0) continue;
      words command{python, "-B", BENCH_PEERS "/s3_boto3.py", (*server_)["S3_TEST_ENDPOINT"], bucket};
      processes_.push_back(std::make_unique<contender>("boto3_", std::move(command)));
      return;
    }
    missing("boto3");
  }
  void find_command(command_line::kind which, const words& programs) {
    const std::string name = which == command_line::kind::rclone ? "rclone" : "awscli";
    if (!with_.compares(name)) return;
    for (const std::string& program : programs)
      if (auto found = command_line::find(which, program, *server_, bucket, scratch_.path())) {
        commands_.push_back(std::move(*found));
        return;
      }
    missing(name);
  }
  static void missing(const std::string& name) {
    tell_progress(name + " is not compared with: tools/setup s3 installs it");
  }

  void measure_large() {
    const std::size_t count = with_.gateway_objects, at_once = with_.gateway_at_once;
    const std::string source = scratch_.files("source", count, with_.gateway_bytes);
    const double megabytes = static_cast<double>(count * with_.gateway_bytes) / 1e6;
    const auto took = [&](const std::string& name, const cost& of) {
      figures_.add(name + "_mb_s", megabytes / of.seconds, of);
      figures_.add(name + "_cpu_s_per_gb", of.client_cpu_s / megabytes * 1e3);
    };
    for (const auto& each : processes_) {
      const auto line = [&](const char* verb, const std::string& folder) {
        return fmt::format("{} large/ {} {} {}", verb, count, at_once, folder);
      };
      took(each->name() + "put", each->run(line("put_files", source), server_.get()));
      took(each->name() + "get", each->run(line("get_files", scratch_.fresh("target")), server_.get()));
      compare_folders(source, count);
      clear();
    }
    for (const command_line& each : commands_) {
      took(each.name() + "_put", each.put(source, "large", at_once, server_.get()));
      took(each.name() + "_get", each.get("large", scratch_.fresh("target"), at_once, server_.get()));
      compare_folders(source, count);
      clear();
    }
    scratch_.fresh("source");
    scratch_.fresh("target");
  }

  void measure_small() {
    const std::size_t at_once = with_.gateway_small_at_once, count_of_peers = with_.gateway_small_peers;
    const auto took = [&](const std::string& name, std::size_t count, const cost& put, const cost& get) {
      const auto number = static_cast<double>(count);
      cost both{put.seconds + get.seconds, put.client_cpu_s + get.client_cpu_s, put.server_cpu_s + get.server_cpu_s};
      figures_.add(name + "small_puts_per_s", number / put.seconds, put);
      figures_.add(name + "small_gets_per_s", number / get.seconds, get);
      figures_.add(name + "small_objects_per_s", 2 * number / both.seconds, both);
    };
    for (const auto& each : processes_) {
      const std::size_t count = is_ours(*each) ? with_.gateway_small : count_of_peers;
      const load what{"small/", count, count, with_.small_bytes, at_once};
      const cost put = each->run(what.line("put"), server_.get());
      took(each->name(), count, put, each->run(what.line("get"), server_.get()));
      clear();
    }
    if (commands_.empty()) return;
    const std::string source = scratch_.files("source", count_of_peers, with_.small_bytes);
    for (const command_line& each : commands_) {
      const cost put = each.put(source, "small", at_once, server_.get());
      const cost get = each.get("small", scratch_.fresh("target"), at_once, server_.get());
      took(each.name() + "_", count_of_peers, put, get);
      compare_folders(source, count_of_peers);
      clear();
    }
    scratch_.fresh("source");
    scratch_.fresh("target");
  }

  static bool is_ours(const contender& one) { return one.name().empty() || one.name() == "poll_"; }
  void compare_folders(const std::string& source, std::size_t count) {
    const std::string target = scratch_.path() + "/target";
    if (run_command({"diff", "-rq", source, target}, noise::shown).status != 0)
      throw std::runtime_error(fmt::format("what was got are not the {} files that were put", count));
  }
  /// The server has its data in memory.
  void clear() { processes_.front()->run("remove ", nullptr); }

  void tell() const {
    const auto all = [&](const std::string& name) {
      return std::vector<std::string>{"boto3_" + name, "rclone_" + name, "awscli_" + name};
    };
    const auto tell_one = [&](const std::string& name, const char* unit, better which) {
      figures_.tell(name, unit, figures_.best_of(all(name), which));
      figures_.tell("poll_" + name, unit, name);
      for (const std::string& peer : all(name)) figures_.tell(peer, unit);
    };
    for (const std::string name : {"get", "put"}) tell_one(name + "_mb_s", "MB/s", better::more);
    for (const std::string name : {"get", "put"}) tell_one(name + "_cpu_s_per_gb", "s/GB", better::less);
    for (const std::string name : {"small_objects_per_s", "small_puts_per_s", "small_gets_per_s"})
      tell_one(name, "1/s", better::more);
  }

  inline static const std::string bucket = "bench";
  const settings& with_;
  figures figures_;
  std::unique_ptr<server> server_;
  scratch_folder scratch_;
  std::vector<std::unique_ptr<contender>> processes_;
  std::vector<command_line> commands_;
};

}  // namespace bench::s3
