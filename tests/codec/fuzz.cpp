// SPDX-License-Identifier: Apache-2.0
#include <corolith/codec/archive.hpp>

#include <catch2/catch.hpp>

#include "measured_allocator.hpp"

#include <bitset>
#include <chrono>
#include <complex>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <list>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <unordered_set>
#include <variant>
#include <vector>

// Bytes that were valid once, cut and changed at random: the outcome is a value or a codec_error, and memory in
// proportion.

namespace cl = corolith;
namespace codec = corolith::codec;

namespace {

struct point {
  double x = 0;
  std::int16_t y = 0;
};
struct record {
  int id = 0;
  measured_string name;
  measured_vector<double> values;
  std::optional<point> where;
  std::variant<std::monostate, int, measured_string, measured_vector<point>> extra;
  bool flags[3] = {};
};
struct tree {
  std::uint8_t value = 0;
  measured_vector<tree> children;
};
struct chain {
  std::uint8_t value = 0;
  std::unique_ptr<chain> next;
};
struct versioned {
  int a = 0;
  measured_string b;
  template <class Archive>
  void serialize(Archive& archive, std::uint32_t version) {
    archive(a);
    if (version < 2) archive(b);
  }
};

tree some_tree(int depth) {
  tree t{static_cast<std::uint8_t>(depth), {}};
  for (int i = 0; i < depth; ++i) t.children.push_back(some_tree(depth - 1));
  return t;
}

// The bytes that one element may take in memory for every byte on the wire, generously.
constexpr std::size_t memory_per_byte = 1024;
constexpr std::size_t memory_allowed = 4 * codec::max_empty_bytes;

template <class T>
void torture(const T& value, std::uint32_t seed) {
  cl::byte_buffer valid;
  codec::encode(valid, value);
  static_cast<void>(codec::decode_all<T>(valid.span()));

  std::mt19937 random(seed);
  const auto below = [&](std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random); };
  std::size_t values = 0, errors = 0;
  const auto attempt = [&](const std::vector<std::byte>& bytes) {
    measured::reset();
    const std::size_t before = measured::in_use;
    try {
      static_cast<void>(codec::decode_all<T>(cl::byte_span(bytes)));
      ++values;
    } catch (const cl::codec_error&) {
      ++errors;
    }
    REQUIRE(measured::peak - before <= memory_allowed + memory_per_byte * bytes.size());
  };

  const std::vector<std::byte> original(valid.data(), valid.data() + valid.size());
  for (std::size_t size = 0; size < std::min<std::size_t>(original.size(), 300); ++size) {
    attempt({original.begin(), original.begin() + static_cast<std::ptrdiff_t>(size)});
  }
  for (int round = 0; round < 1500; ++round) {
    std::vector<std::byte> bytes = original;
    for (std::size_t changes = 1 + below(4); changes > 0; --changes) {
      const std::size_t place = bytes.empty() ? 0 : below(bytes.size());
      switch (bytes.empty() ? 3 : below(6)) {
        case 0: bytes[place] ^= std::byte{1} << static_cast<int>(below(8)); break;
        case 1: bytes[place] = static_cast<std::byte>(below(256)); break;
        case 2: bytes.resize(place); break;
        case 3: bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(place), 1 + below(9), std::byte{0xff}); break;
        case 4: bytes.erase(bytes.begin() + static_cast<std::ptrdiff_t>(place)); break;
        default: bytes[place] = std::byte{0x7f}; break;
      }
    }
    attempt(bytes);
  }
  CHECK(values + errors > 1500);
}

}  // namespace

TEST_CASE("mutated bytes of many types") {
  const auto seed = static_cast<std::uint32_t>(GENERATE(1, 2));
  CAPTURE(seed);
  torture(std::tuple<int, bool, double, std::string>{1, true, 2.5, "abc"}, seed);
  torture(measured_string(200, 'x'), seed);
  torture(measured_vector<double>(40, 1.0), seed);
  torture(measured_vector<measured_string>(20, "some text"), seed);
  torture(std::vector<bool>(300, true), seed);
  torture(measured_map<measured_string, int>{{"a", 1}, {"b", 2}, {"c", 3}}, seed);
  torture(measured_hash_map<int, measured_vector<int>>{{1, {1}}, {2, {2, 3}}}, seed);
  torture(std::set<int>{1, 2, 3}, seed);
  torture(std::unordered_set<std::string>{"a", "b"}, seed);
  torture(std::deque<std::list<std::uint16_t>>{{1, 2}, {}, {3}}, seed);
  torture(std::optional<std::pair<int, std::string>>{{1, "a"}}, seed);
  torture(std::variant<int, measured_vector<double>>{measured_vector<double>{1, 2}}, seed);
  torture(std::array<std::optional<bool>, 6>{true, {}, false}, seed);
  torture(std::bitset<70>(123456789), seed);
  torture(std::vector<std::complex<float>>{{1, 2}}, seed);
  torture(std::pair(std::chrono::system_clock::now(), std::chrono::milliseconds(3)), seed);
  torture(std::filesystem::path("/a/b"), seed);
  torture(record{1, "name", {1, 2, 3}, point{1, 2}, measured_vector<point>{{1, 2}}, {true, false, true}}, seed);
  torture(measured_vector<record>(5, record{1, "name", {1}, {}, 3, {}}), seed);
  torture(some_tree(4), seed);
  torture(chain{1, std::make_unique<chain>(chain{2, std::make_unique<chain>()})}, seed);
  const auto shared = std::make_shared<int>(1);
  torture(std::tuple(std::vector{shared, shared}, std::make_shared<std::string>("a"), std::shared_ptr<point>()), seed);
  torture(cl::shared_bytes::copy(cl::bytes_of(std::array<int, 10>{})), seed);
  torture(std::vector<versioned>{{1, "a"}, {2, "b"}}, seed);
}
