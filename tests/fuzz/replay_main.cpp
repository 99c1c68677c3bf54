// SPDX-License-Identifier: Apache-2.0
// Runs a target without libFuzzer: on its corpus, and on mutations of it.
//
//   test_fuzz TARGET CORPUS             the corpus in that folder, then COROLITH_FUZZ_RUNS mutated inputs
//                                       from COROLITH_FUZZ_SEED on
//   test_fuzz TARGET FILE               that input alone
//   test_fuzz TARGET --write FOLDER     writes the seeds of the target there
#include "fuzz.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>

#if defined(COROLITH_TEST_SANITIZED)
inline constexpr std::uint64_t usual_runs = 10'000;
#else
inline constexpr std::uint64_t usual_runs = 50'000;
#endif

namespace {

namespace fs = std::filesystem;
using inputs = std::vector<std::string>;

std::string content(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path.string());
  return {std::istreambuf_iterator<char>(file), {}};
}

std::uint64_t number(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr || *text == 0 ? otherwise : std::strtoull(text, nullptr, 10);
}

// One to four changes of one of the inputs.
std::string mutated(const inputs& from, fuzz::generator& random) {
  static constexpr char telling[] = {0,   1,   0x7f, '[', ']', '{', '}', '"', ':',
                                     '.', ',', '-',  '+', 'e', '0', ' ', -1,  -128};
  std::string made = from[random.below(from.size())];
  for (std::size_t changes = 1 + random.below(4); changes > 0; --changes) {
    const std::size_t at = made.empty() ? 0 : random.below(made.size());
    const char byte =
        random.below(2) == 0 ? telling[random.below(sizeof telling)] : static_cast<char>(random.below(256));
    switch (made.empty() ? 2 : random.below(8)) {
      case 0: made[at] = static_cast<char>(made[at] ^ (1 << random.below(8))); break;
      case 1: made[at] = byte; break;
      case 2: made.insert(at, 1 + random.below(9), byte); break;
      case 3: made.erase(at, 1 + random.below(9)); break;
      case 4: made.resize(at); break;
      case 5:  // a part once more
        made.insert(at, made.substr(random.below(made.size()), 1 + random.below(64)));
        break;
      case 6: {  // a part of another one
        const std::string& other = from[random.below(from.size())];
        if (!other.empty()) made.replace(at, random.below(32), other, random.below(other.size()), random.below(64));
        break;
      }
      default: {  // a number, large or close to what is there
        const std::uint64_t value = random.below(2) == 0 ? random.next() >> random.below(64) : random.below(300);
        std::memcpy(made.data() + at, &value, std::min(made.size() - at, std::size_t{1} << random.below(4)));
      }
    }
  }
  return made;
}

// The input is in a file while it runs, so that it is there after a crash of any kind.
class keeper {
 public:
  keeper(const fuzz::target& of, const fs::path& path)
      : of_(of), file_(::open(path.c_str(), O_CREAT | O_TRUNC | O_RDWR, 0644)) {}
  ~keeper() { ::close(file_); }
  keeper(const keeper&) = delete;
  keeper& operator=(const keeper&) = delete;
  void run(const std::string& input) {
    if (::ftruncate(file_, 0) != 0 || ::pwrite(file_, input.data(), input.size(), 0) < 0)
      throw std::runtime_error("cannot write the input to a file");
    try {
      of_.run(std::as_bytes(std::span(input)));
    } catch (const std::exception& problem) {
      std::printf("%s\n", problem.what());
      throw;
    }
  }

 private:
  const fuzz::target& of_;
  int file_;
};

int replay(const fuzz::target& target, const fs::path& from, const char* self) {
  inputs corpus;
  std::vector<fs::path> files;
  if (fs::is_directory(from)) {
    for (const auto& entry : fs::directory_iterator(from)) files.push_back(entry.path());
    std::ranges::sort(files);
  } else {
    files.push_back(from);
  }
  for (const fs::path& file : files) corpus.push_back(content(file));
  if (corpus.empty()) throw std::runtime_error("there are no inputs in " + from.string());

  const std::uint64_t runs = fs::is_directory(from) ? number("COROLITH_FUZZ_RUNS", usual_runs) : 0;
  const std::uint64_t seed = number("COROLITH_FUZZ_SEED", 1);
  const std::string name(target.name);
  const fs::path current = fs::current_path() / (name + ".input");
  std::printf("%s: %zu files, then %llu mutated inputs from seed %llu\n", name.c_str(), corpus.size(),
              static_cast<unsigned long long>(runs), static_cast<unsigned long long>(seed));
  std::printf("if this ends early, the input is in %s; to see it again: %s %s %s\n", current.c_str(), self,
              name.c_str(), current.c_str());
  std::fflush(stdout);
  keeper keep(target, current);
  for (const std::string& input : corpus) keep.run(input);
  if (runs != 0)
    for (const std::string& input : target.seeds()) corpus.push_back(input);
  for (std::uint64_t i = 0; i < runs; ++i) {
    fuzz::generator random(seed + i);
    keep.run(mutated(corpus, random));
  }
  fs::remove(current);
  std::printf("passed\n");
  return 0;
}

void write(const fuzz::target& target, const fs::path& folder) {
  fs::create_directories(folder);
  std::size_t i = 0;
  for (const std::string& seed : target.seeds())
    std::ofstream(folder / ("seed_" + std::to_string(i++)), std::ios::binary) << seed;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view name = argc > 1 ? argv[1] : "";
  try {
    for (const fuzz::target* target :
         {&fuzz::frame_decoder, &fuzz::handshake, &fuzz::messages, &fuzz::archives, &fuzz::config, &fuzz::journal,
          &fuzz::s3_http_response, &fuzz::s3_xml, &fuzz::s3_profile}) {
      if (target->name != name) continue;
      if (argc == 3) return replay(*target, argv[2], argv[0]);
      if (argc == 4 && std::string_view(argv[2]) == "--write") return write(*target, argv[3]), 0;
    }
  } catch (const std::exception&) {
    std::printf("%s: FAILED\n", argv[1]);
    return 1;
  }
  std::fprintf(stderr, "usage: %s TARGET CORPUS|FILE|--write FOLDER\n", argv[0]);
  return 2;
}
