// SPDX-License-Identifier: Apache-2.0
// A map whose calls leave a mark each, for tests of journals.
//   journaled COUNTED CALLS [lazy] [sleep MS] [large BYTES]
// Each call adds a byte to COUNTED. Prints a number made of all results in their order, how many there were, and this process's peak memory in MiB.
#include <corolith/corolith.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <iostream>
#include <numeric>
#include <ranges>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace cl = corolith;

struct work {
  std::string counted;
  int milliseconds = 0;
  std::size_t bytes = 0;
};

std::string result_of(int x, const work& how) {
  const int file = ::open(how.counted.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  const bool written = file >= 0 && ::write(file, "x", 1) == 1;
  ::close(file);
  if (!written) throw std::runtime_error("cannot write to " + how.counted);
  if (how.milliseconds != 0) std::this_thread::sleep_for(std::chrono::milliseconds(how.milliseconds));
  return std::to_string(x) + std::string(how.bytes, static_cast<char>('a' + x % 26));
}

std::uint64_t mix(std::uint64_t so_far, const std::string& text) {
  for (const char c : text) so_far = (so_far ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return so_far;
}

long peak_mib() {
  std::ifstream status("/proc/self/status");
  long kib = 0;
  for (std::string word; status >> word;)
    if (word == "VmHWM:") status >> kib;
  return kib >> 10;
}

cl::task<int> run(cl::executor& ex, std::vector<std::string> words) {
  work how{words.at(0)};
  const int calls = std::stoi(words.at(1));
  bool lazy = false;
  for (std::size_t i = 2; i < words.size(); ++i) {
    if (words[i] == "lazy") lazy = true;
    if (words[i] == "sleep") how.milliseconds = std::stoi(words.at(++i));
    if (words[i] == "large") how.bytes = std::stoul(words.at(++i));
  }
  std::uint64_t sum = 0;
  int count = 0;
  if (lazy) {
    auto numbers = std::views::iota(0, calls);
    cl::batch<std::string> all = ex.map<result_of>(numbers, how);
    while (auto done = co_await all.next()) {  // in any order, so the sum must not depend on it
      sum += mix(done->index, done->value);
      ++count;
    }
  } else {
    std::vector<int> numbers(static_cast<std::size_t>(calls));
    std::iota(numbers.begin(), numbers.end(), 0);
    const std::vector<std::string> all = co_await ex.map<result_of>(numbers, how);
    for (const std::string& each : all) sum = mix(sum, each);
    count = static_cast<int>(all.size());
  }
  std::cout << sum << ' ' << count << " results, " << peak_mib() << " MiB\n";
  co_return 0;
}

int main(int argc, char** argv) { return cl::main(argc, argv, run); }
