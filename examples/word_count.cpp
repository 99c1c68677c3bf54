// SPDX-License-Identifier: Apache-2.0
// The words of all files of a directory, one call a file, added up by one remote call.
//   word_count DIRECTORY
#include <corolith/corolith.hpp>

#include <cctype>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

namespace cl = corolith;

// What `wc -w` counts: runs of bytes that are no white space.
long count_words(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path);
  long words = 0;
  bool inside = false;
  for (std::istreambuf_iterator<char> c(file), end; c != end; ++c) {
    const bool space = std::isspace(static_cast<unsigned char>(*c)) != 0;
    words += !space && !inside;
    inside = !space;
  }
  return words;
}

long sum(const std::vector<long>& counts) { return std::accumulate(counts.begin(), counts.end(), 0L); }

cl::task<int> run(cl::executor& ex, std::vector<std::string> arguments) {
  if (arguments.size() != 1) {
    std::cerr << "usage: word_count DIRECTORY\n";
    co_return 2;
  }
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(arguments[0]))
    if (entry.is_regular_file()) files.push_back(entry.path().string());
  const long words = co_await ex.map_reduce<count_words, sum>(files);
  std::cout << words << " words in " << files.size() << " files\n";
  co_return 0;
}

int main(int argc, char** argv) { return cl::main(argc, argv, run); }
