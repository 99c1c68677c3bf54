// SPDX-License-Identifier: Apache-2.0
// What people write: a letter that says what it is to be (a JSON file, a duration, a size, a number, an address), then
// the text. The outcome is a value or a config_error.
#include "../fuzz.hpp"

#include <corolith/core/config.hpp>
#include <corolith/core/error.hpp>
#include <corolith/wire/address.hpp>

#include <sys/mman.h>
#include <unistd.h>

#include <chrono>

using namespace corolith;

namespace {

// A file in memory: a million inputs should not go to a disk.
const std::string& file_of(const std::string& text) {
  static const int file = ::memfd_create("corolith-fuzz", 0);
  static const std::string path = "/proc/self/fd/" + std::to_string(file);
  fuzz::require(
      ::ftruncate(file, 0) == 0 && ::pwrite(file, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()),
      "the file can be written");
  return path;
}

void read_json(const std::string& text) {
  corolith::config read;
  read.read_file(file_of(text));
  std::size_t size = 0;
  for (const auto& [key, entry] : read.entries()) {
    fuzz::require(!entry.source.empty(), "each setting says where it comes from");
    size += entry.value.size();
  }
  fuzz::require(size <= 32 * text.size() + 64, "values are not much larger than the file");
}

void read_address(const std::string& text) {
  const wire::address read = wire::address::parse(text);
  bool same = false;
  try {
    same = wire::address::parse(read.to_string()) == read;
  } catch (const config_error&) {
  }
  fuzz::require(same, "an address can be written and read again");
}

void run(byte_span input) {
  const auto kind = static_cast<char>(fuzz::take_byte(input));
  const std::string text = fuzz::text_of(input);
  const corolith::config::entry entry{text, "flag --x"};
  try {
    switch (kind) {
      case 'd': fuzz::require(parse_duration(entry) >= std::chrono::nanoseconds(0), "no duration is negative"); break;
      case 's': fuzz::require(parse_size(entry) <= 9'000'000'000'000'000'000u, "sizes are bounded"); break;
      case 'n': {
        const std::uint64_t number = parse_number(entry, 1, 4096);
        fuzz::require(number >= 1 && number <= 4096, "numbers are within their limits");
        break;
      }
      case 'a': read_address(text); break;
      default: read_json(text);
    }
  } catch (const config_error& refused) {
    fuzz::require(*refused.what() != 0, "an error says what is wrong");
  }
}

std::vector<std::string> seeds() {
  return {
      R"j(j{"agents": 4, "timeout": "1.5min", "log": {"level": "debug", "colour": true}, "size": 1e3})j",
      R"j(j{"a": {"b": {"c": {"d": -1}}}, "u": "\u00e9\n", "big": 18446744073709551615})j",
      R"j(j{"list": [1, 2], "none": null})j",
      "j[]",
      "j",
      "d250ms",
      "d1.5min",
      "d9e9",
      "d2 h",
      "s512MiB",
      "s4GiB",
      "s1e18",
      "s10 MB",
      "n4096",
      "n0",
      "aunix:/run/corolith/driver",
      "atcp:node7:4000",
      "atcp:[::1]:4000",
      "atcp:[a:0",
  };
}

}  // namespace

const fuzz::target fuzz::config{"config", run, seeds};
