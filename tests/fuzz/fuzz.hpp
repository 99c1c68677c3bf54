// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/bytes.hpp>

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

// A target takes any bytes. It may refuse them in the way that the library promises; every other exception, every
// report of a sanitizer and every promise that does not hold is a finding.
namespace fuzz {

struct target {
  std::string_view name;
  void (*run)(corolith::byte_span input);
  std::vector<std::string> (*seeds)();  ///< inputs to begin with
};

extern const target frame_decoder, handshake, messages, archives, config, journal;
extern const target s3_http_response, s3_xml, s3_profile;

struct broken_promise : std::logic_error {
  using std::logic_error::logic_error;
};

inline void require(bool holds, const char* promise) {
  if (!holds) throw broken_promise(promise);
}

inline std::string text_of(corolith::byte_span bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline bool same(corolith::byte_span a, corolith::byte_span b) {
  return std::string_view(reinterpret_cast<const char*>(a.data()), a.size()) ==
         std::string_view(reinterpret_cast<const char*>(b.data()), b.size());
}

/// Takes the first byte off; 0 when there is none.
inline unsigned take_byte(corolith::byte_span& input) {
  if (input.empty()) return 0;
  const auto first = std::to_integer<unsigned>(input[0]);
  input = input.subspan(1);
  return first;
}

/// splitmix64: the same numbers on every machine.
class generator {
 public:
  explicit generator(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(next() % n); }

 private:
  std::uint64_t state_;
};

}  // namespace fuzz
