// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "client_tasks.hpp"

#include <corolith/coro/run_on.hpp>
#include <corolith/coro/sync_wait.hpp>
#include <corolith/s3/client.hpp>
#include <corolith/s3/client_options.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// corolith's client, alone in a process that answers lines, as those do that it is compared with. The environment has the credentials,
/// and COROLITH_IO says what it runs on.
namespace bench::s3 {

inline constexpr std::string_view client_flag = "--client";

/// What such a process is told by its arguments.
struct client_settings {
  std::string endpoint;
  std::string bucket;
  std::size_t connections = 0;  ///< 0: as many as the client takes by default
  std::size_t part_mib = 8;
  std::size_t budget_mib = 512;
  bool sign_payload = false;

  std::vector<std::string> words() const {
    return {std::string(client_flag),
            endpoint,
            bucket,
            std::to_string(connections),
            std::to_string(part_mib),
            std::to_string(budget_mib),
            sign_payload ? "signed" : "unsigned"};
  }
  static client_settings of(char** words) {
    return {words[0],
            words[1],
            std::stoul(words[2]),
            std::stoul(words[3]),
            std::stoul(words[4]),
            std::string_view(words[5]) == "signed"};
  }
  corolith::s3::client_options options() const {
    corolith::s3::client_options made;
    made.endpoint = endpoint;
    made.most_connections = connections;
    made.part_size = part_mib << 20U;
    made.memory_budget = budget_mib << 20U;
    made.signing = sign_payload ? corolith::s3::payload_signing::always : corolith::s3::payload_signing::never;
    return made;
  }
};

/// The most that was resident of this process, in MiB. (getrusage knows of what was here before it became this program, too.)
inline double peak_rss_mib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return std::strtod(line.c_str() + 6, nullptr) / 1024;
  return 0;
}

class client_process {
 public:
  explicit client_process(const client_settings& with) : client_(with.options()), bucket_(with.bucket) {}

  /// The lines of peers/s3_peer.hpp, and
  ///   put_files|get_files PREFIX FILES CONNECTIONS FOLDER
  ///   make | remove PREFIX | stream KEY BYTES
  void answer(const std::string& line) {
    std::istringstream words(line);
    std::string verb, name;
    words >> verb;
    if (verb == "make") return timed([&] { corolith::sync_wait(client_.create_bucket(bucket_)); });
    if (verb == "remove") {
      words >> name;
      return timed([&] { corolith::sync_wait(remove_all(&client_, bucket_, name)); });
    }
    if (verb == "stream") {
      std::size_t bytes = 0;
      words >> name >> bytes;
      return timed([&] { corolith::sync_wait(stream_all(&client_, bucket_, name, bytes)); });
    }
    requests all{&client_, bucket_, {}, &memory_, {}, 0};
    if (verb == "put_files" || verb == "get_files") {
      all.what.put = verb == "put_files";
      words >> all.what.prefix >> all.what.requests >> all.what.connections >> all.folder;
      all.what.keys = all.what.requests;
    } else {
      if (!s3_peer::parse(line.c_str(), all.what)) throw std::runtime_error("no such work: " + line);
      memory_.prepare(all.what);
    }
    timed([&] { corolith::sync_wait(corolith::run_on(client_.own_loop(), work_on(&all))); });
    if (!all.what.put && all.folder.empty()) check(all.what);
  }

 private:
  /// Prints what it took.
  template <class Work>
  static void timed(Work&& what) {
    const double used = s3_peer::processor_seconds_of_this();
    const auto begin = std::chrono::steady_clock::now();
    what();
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    fmt::print("{:.9f} {:.9f} {:.1f}\n", seconds, s3_peer::processor_seconds_of_this() - used, peak_rss_mib());
    std::fflush(stdout);
  }
  /// Whether it is what was put. All contenders put the same.
  void check(const work& got) {
    const std::size_t bytes = got.bytes;
    if (std::memcmp(memory_.source(bytes), memory_.target(0, bytes), bytes) != 0)
      throw std::runtime_error("what was got is not what was put");
  }

  corolith::s3::client client_;
  std::string bucket_;
  s3_peer::memory memory_;
};

/// What follows the flag: client_settings.
inline int serve_client(char** words) {
  try {
    client_process process(client_settings::of(words));
    std::puts("ready");
    std::fflush(stdout);
    for (char line[512]; std::fgets(line, sizeof line, stdin) != nullptr;) process.answer(line);
    return 0;
  } catch (const std::exception& failed) {
    fmt::print(stderr, "s3: the client failed: {}\n", failed.what());
    return 1;
  }
}

}  // namespace bench::s3
