// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../object_memory.hpp"

#include <sys/resource.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <memory>
#include <string>
#include <vector>

/// What the programs share that bench/s3 compares corolith with. Each answers lines of standard input,
///   put|get PREFIX REQUESTS KEYS BYTES CONNECTIONS
/// with the seconds and the processor seconds that it took; the first line that it prints says that it is ready. Request number r
/// is for the key PREFIX followed by r modulo KEYS. Connections and memory are kept from one line to the next.
namespace bench::s3_peer {

struct work {
  bool put = false;
  std::string prefix;
  std::size_t requests = 0;
  std::size_t keys = 0;
  std::size_t bytes = 0;
  std::size_t connections = 0;

  std::string key(std::size_t request) const { return prefix + std::to_string(request % keys); }
};

inline bool parse(const char* line, work& into) {
  char verb[8] = {}, prefix[200] = {};
  const int fields = std::sscanf(line, "%7s %199s %zu %zu %zu %zu", verb, prefix, &into.requests, &into.keys,
                                 &into.bytes, &into.connections);
  into.put = std::string(verb) == "put";
  into.prefix = prefix;
  return fields == 6 && (into.put || std::string(verb) == "get") && into.keys > 0 && into.connections > 0;
}

/// What is sent, and a place for each connection to receive at; made once, since the first touch of memory is dear.
class memory {
 public:
  std::byte* source(std::size_t bytes) {
    if (!source_ || source_->size() < bytes) {
      source_ = std::make_unique<object_memory>(bytes);
      fill(source_->span(), 1);
    }
    return source_->data();
  }
  std::byte* target(std::size_t connection, std::size_t bytes) {
    if (targets_.size() <= connection) targets_.resize(connection + 1);
    std::unique_ptr<object_memory>& one = targets_[connection];
    if (!one || one->size() < bytes) one = std::make_unique<object_memory>(bytes);
    return one->data();
  }
  /// All that `what` needs, before the clock runs.
  void prepare(const work& what) {
    if (what.put) source(what.bytes);
    for (std::size_t i = 0; i < what.connections && !what.put; ++i) target(i, what.bytes);
  }

 private:
  std::unique_ptr<object_memory> source_;
  std::vector<std::unique_ptr<object_memory>> targets_;
};

inline double processor_seconds_of_this() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  return processor_seconds(used);
}

/// `prepare(work)` before the clock runs, then `run(work)`.
template <class Prepare, class Run>
int serve(Prepare&& prepare, Run&& run) {
  std::puts("ready");
  std::fflush(stdout);
  try {
    for (char line[512]; std::fgets(line, sizeof line, stdin) != nullptr;) {
      work what;
      if (!parse(line, what)) {
        std::fprintf(stderr, "no such work: %s", line);
        return 2;
      }
      prepare(what);
      const double used = processor_seconds_of_this();
      const auto begin = std::chrono::steady_clock::now();
      run(what);
      const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
      std::printf("%.9f %.9f\n", seconds, processor_seconds_of_this() - used);
      std::fflush(stdout);
    }
  } catch (const std::exception& failed) {
    std::fprintf(stderr, "%s\n", failed.what());
    return 1;
  }
  return 0;
}

}  // namespace bench::s3_peer
