// SPDX-License-Identifier: Apache-2.0
#include <corolith/codec/archive.hpp>

#include <catch2/catch.hpp>

#include "measured_allocator.hpp"

#include <array>
#include <bitset>
#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_set>
#include <variant>
#include <vector>

namespace cl = corolith;
namespace codec = corolith::codec;

namespace {

struct nothing {
  auto operator<=>(const nothing&) const = default;
};
struct large_nothing {  // takes 4 KiB of memory and no byte on the wire
  std::array<char, 4096> unused{};
  template <class Archive>
  void serialize(Archive&) {}
};
struct chain {
  int value = 0;
  std::unique_ptr<chain> next;
};
struct nest {
  std::vector<nest> inside;
};

/// LEB128, as lengths are written.
cl::byte_buffer length(std::uint64_t n) {
  cl::byte_buffer buffer;
  codec::output_archive(buffer).write_length(n);
  return buffer;
}

/// A huge length and then some bytes; the containers must not believe it.
template <class T>
void refuses_lengths() {
  for (const std::uint64_t n :
       {std::uint64_t{100}, std::uint64_t{1} << 20, std::uint64_t{1} << 32, std::uint64_t{1} << 61,
        (std::uint64_t{1} << 61) + 1, ~std::uint64_t{0} / 8, ~std::uint64_t{0} / 8 + 1, ~std::uint64_t{0}}) {
    for (const std::size_t extra : {0u, 5u, 64u}) {
      cl::byte_buffer buffer = length(n);
      for (std::size_t i = 0; i < extra; ++i) buffer.append_value(std::uint8_t{0});
      measured::reset();
      const std::size_t before = measured::in_use;
      CHECK_THROWS_AS(codec::decode_all<T>(buffer.span()), cl::codec_error);
      CHECK(measured::peak - before < 64 * 1024);
    }
  }
}

}  // namespace

TEST_CASE("lengths are believed only as far as the bytes reach") {
  refuses_lengths<measured_vector<double>>();
  refuses_lengths<measured_vector<measured_string>>();
  refuses_lengths<measured_vector<measured_vector<int>>>();
  refuses_lengths<measured_string>();
  refuses_lengths<measured_map<int, int>>();
  refuses_lengths<measured_hash_map<int, int>>();
  refuses_lengths<measured_vector<std::array<double, 100>>>();
  refuses_lengths<std::vector<bool>>();
  refuses_lengths<std::wstring>();
  refuses_lengths<std::deque<int>>();
  refuses_lengths<std::list<std::string>>();
  refuses_lengths<std::set<int>>();
  refuses_lengths<std::unordered_set<std::string>>();
  refuses_lengths<cl::shared_bytes>();
}

TEST_CASE("a length of more than 64 bits is refused") {
  cl::byte_buffer buffer;
  for (int i = 0; i < 12; ++i) buffer.append_value(std::uint8_t{0xff});
  CHECK_THROWS_AS(codec::decode_all<std::string>(buffer.span()), cl::codec_error);
  cl::byte_buffer zeros;  // ten bytes, but a zero: longer than needed and still a length
  for (int i = 0; i < 9; ++i) zeros.append_value(std::uint8_t{0x80});
  zeros.append_value(std::uint8_t{0});
  CHECK(codec::decode_all<std::string>(zeros.span()).empty());
}

TEST_CASE("elements that take no bytes are bounded by the memory that they take") {
  cl::byte_buffer buffer;
  codec::encode(buffer, std::vector<nothing>(1000));
  CHECK(codec::decode_all<std::vector<nothing>>(buffer.span()).size() == 1000);
  CHECK(buffer.size() == 2);

  codec::encode(buffer, std::vector<nothing>(codec::max_empty_bytes));
  const std::size_t before = buffer.size();
  CHECK_THROWS_AS(codec::encode(buffer, std::vector<nothing>(codec::max_empty_bytes + 1)), cl::codec_error);
  CHECK(buffer.size() == before);
  CHECK_THROWS_AS(codec::encode(buffer, std::vector<large_nothing>(codec::max_empty_bytes / 4096 + 1)),
                  cl::codec_error);

  for (const std::uint64_t n : {codec::max_empty_bytes + 1, std::size_t{1} << 40}) {
    CHECK_THROWS_AS(codec::decode_all<std::vector<nothing>>(length(n).span()), cl::codec_error);
    CHECK_THROWS_AS(codec::decode_all<std::list<std::monostate>>(length(n).span()), cl::codec_error);
    CHECK_THROWS_AS(codec::decode_all<std::vector<large_nothing>>(length(n).span()), cl::codec_error);
    CHECK_THROWS_AS(codec::decode_all<std::set<nothing>>(length(n).span()), cl::codec_error);
  }

  // Many containers share the bound: a few bytes each would otherwise make much of little.
  cl::byte_buffer many = length(1000);
  for (int i = 0; i < 1000; ++i) many.append(length(codec::max_empty_bytes / 2).span());
  measured::reset();
  const std::size_t used = measured::in_use;
  CHECK_THROWS_AS(codec::decode_all<measured_vector<measured_vector<nothing>>>(many.span()), cl::codec_error);
  CHECK(measured::peak - used < 16 * codec::max_empty_bytes);
}

TEST_CASE("nesting is bounded on both ends") {
  const auto make = [](int length_of_chain) {
    auto first = std::make_unique<chain>();
    chain* last = first.get();
    for (int i = 1; i < length_of_chain; ++i) last = (last->next = std::make_unique<chain>()).get();
    return first;
  };
  cl::byte_buffer buffer;
  codec::encode(buffer, make(static_cast<int>(codec::max_depth) - 1));
  CHECK(codec::decode_all<std::unique_ptr<chain>>(buffer.span()) != nullptr);
  buffer.clear();
  CHECK_THROWS_AS(codec::encode(buffer, make(static_cast<int>(codec::max_depth) + 1)), cl::codec_error);

  for (const std::size_t size : {std::size_t{2000}, std::size_t{3'000'000}}) {
    cl::byte_buffer ones;  // "one element" or "not null", as deep as one likes
    for (std::size_t i = 0; i < size; ++i) ones.append_value(std::uint8_t{1});
    CHECK_THROWS_AS(codec::decode_all<nest>(ones.span()), cl::codec_error);
    CHECK_THROWS_AS(codec::decode_all<std::unique_ptr<chain>>(ones.span()), cl::codec_error);
  }
}

TEST_CASE("values that no sender writes are refused") {
  const auto bytes = [](std::initializer_list<int> list) {
    cl::byte_buffer buffer;
    for (const int byte : list) buffer.append_value(static_cast<std::uint8_t>(byte));
    return buffer;
  };
  CHECK_THROWS_AS(codec::decode_all<bool>(bytes({2}).span()), cl::codec_error);
  CHECK_THROWS_AS((codec::decode_all<std::array<bool, 2>>(bytes({1, 7}).span())), cl::codec_error);
  CHECK_THROWS_AS(codec::decode_all<std::optional<int>>(bytes({255, 1, 1, 1, 1}).span()), cl::codec_error);
  CHECK_THROWS_AS((codec::decode_all<std::variant<int, char>>(bytes({2, 1}).span())), cl::codec_error);
  CHECK_THROWS_AS((codec::decode_all<std::variant<int, char>>(bytes({0xff, 0xff, 0xff, 0xff, 0x0f, 1}).span())),
                  cl::codec_error);
  using pointer = std::shared_ptr<int>;
  using text_pointer = std::shared_ptr<std::string>;
  CHECK_THROWS_AS(codec::decode_all<pointer>(bytes({2, 1, 0, 0, 0}).span()), cl::codec_error);
  CHECK_THROWS_AS((codec::decode_all<std::pair<pointer, text_pointer>>(bytes({1, 1, 0, 0, 0, 1}).span())),
                  cl::codec_error);
  CHECK(*codec::decode_all<std::pair<pointer, pointer>>(bytes({1, 1, 0, 0, 0, 1}).span()).second == 1);
  CHECK_THROWS_AS(codec::decode_all<int>(bytes({1, 2, 3}).span()), cl::codec_error);
  CHECK_THROWS_AS(codec::decode_all<int>(bytes({1, 2, 3, 4, 5}).span()), cl::codec_error);
}
