// SPDX-License-Identifier: Apache-2.0
// The words of all objects of a store: one call for each slice of a MiB, which ends at a newline, so that
// no word is cut; added up by one remote call for each object.
//   word_count STORE [PREFIX]
#include <corolith/corolith.hpp>

#include <cctype>
#include <cstddef>
#include <iostream>
#include <map>
#include <numeric>
#include <string>
#include <vector>

namespace cl = corolith;

// What `wc -w` counts: runs of bytes that are no white space.
cl::task<long> count_words(cl::object_slice slice) {
  long words = 0;
  bool inside = false;
  auto pieces = slice.stream();
  while (auto piece = co_await pieces.next()) {
    for (const std::byte each : *piece) {
      const bool space = std::isspace(std::to_integer<unsigned char>(each)) != 0;
      words += !space && !inside;
      inside = !space;
    }
  }
  co_return words;
}

long sum(const std::vector<long>& counts) { return std::accumulate(counts.begin(), counts.end(), 0L); }

cl::task<int> run(cl::executor& ex, std::vector<std::string> arguments) {
  if (arguments.empty() || arguments.size() > 2) {
    std::cerr << "usage: word_count STORE [PREFIX]\n";
    co_return 2;
  }
  const cl::store texts = cl::store::open(arguments[0]);
  co_await texts.check();
  const std::string prefix = arguments.size() == 2 ? arguments[1] : "";
  auto slices = texts.objects(prefix, {.bytes = 1 << 20, .newline = '\n'});
  const std::map<std::string, long> words = co_await ex.map_reduce_by_key<count_words, sum>(std::move(slices));
  long all = 0;
  for (const auto& [key, count] : words) all += count;
  std::cout << all << " words in " << words.size() << " objects\n";
  co_return 0;
}

int main(int argc, char** argv) { return cl::main(argc, argv, run); }
