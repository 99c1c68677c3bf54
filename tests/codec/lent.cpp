// SPDX-License-Identifier: Apache-2.0
// Parameters that are views look at the bytes that arrived.
#include <corolith/codec/function.hpp>

#include "call_here.hpp"

#include <catch2/catch.hpp>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cl = corolith;
namespace codec = corolith::codec;

namespace {

struct seen {
  std::uintptr_t at = 0;
  double sum = 0;
};

template <class Range>
seen see(const Range& all) {
  seen found;
  found.at = reinterpret_cast<std::uintptr_t>(all.data());
  for (const auto& each : all) found.sum += static_cast<double>(each);
  return found;
}

seen numbers(std::span<const double> all, std::span<const std::uint16_t> more) {
  seen found = see(all);
  found.sum += see(more).sum;
  return found;
}
seen letters(int, std::string_view text) { return see(text); }
seen letters_twice(std::string_view text, const std::string& copy) {
  if (copy != text) throw std::runtime_error("two of one text differ");
  return see(text);
}

bool is_in(std::uintptr_t at, cl::byte_span bytes) {
  const auto begin = reinterpret_cast<std::uintptr_t>(bytes.data());
  return at >= begin && at < begin + bytes.size();
}

/// The bytes at an address that is a multiple of 64, plus `off`.
struct placed {
  placed(cl::byte_span bytes, std::size_t off) : memory(static_cast<std::byte*>(std::aligned_alloc(64, room))) {
    REQUIRE(bytes.size() + off <= room);
    std::memcpy(memory.get() + off, bytes.data(), bytes.size());
    span = {memory.get() + off, bytes.size()};
  }
  static constexpr std::size_t room = 1 << 20;
  struct free_it {
    void operator()(std::byte* bytes) const { std::free(bytes); }
  };
  std::unique_ptr<std::byte, free_it> memory;
  cl::byte_span span;
};

}  // namespace

TEST_CASE("a span of numbers sees them where they arrived when they lie as they must, else a copy") {
  using function = codec::single_call<codec::fixed<&numbers>, std::vector<double>, std::vector<std::uint16_t>>;
  std::vector<double> all(5000);
  std::iota(all.begin(), all.end(), 1.0);
  const std::vector<std::uint16_t> more(3000, 2);
  cl::byte_buffer element;
  function::encode_element(element, all, more);
  const double expected = 5000.0 * 5001 / 2 + 6000;
  for (const std::size_t off : {0, 64, 8, 1, 4, 63}) {
    const placed bytes(element.span(), off);
    const seen found = here::run<function>({}, bytes.span);
    CHECK(found.sum == expected);
    CHECK(is_in(found.at, bytes.span) == (off % alignof(double) == 0));
    if (off % 64 == 0) CHECK(found.at % 64 == 0);
  }
  // What is encoded behind something else in a buffer is aligned to that buffer, too.
  cl::byte_buffer second;
  second.append(std::as_bytes(std::span("a longer text", 13)));
  function::encode_element(second, all, more);
  const placed bytes(second.span(), 0);
  const seen found = here::run<function>({}, bytes.span.subspan(13));
  CHECK(found.sum == expected);
  CHECK(found.at % 64 == 0);
  CHECK(is_in(found.at, bytes.span));
}

TEST_CASE("a short run of numbers is seen or copied") {
  const std::vector<double> all(3, 2.0);
  CHECK(here::call<&numbers>(all, std::vector<std::uint16_t>()).sum == 6);
  CHECK(here::call<&numbers>(std::vector<double>(), std::vector<std::uint16_t>(2, 1)).sum == 2);
}

TEST_CASE("text is seen where it arrived, as an argument and as a shared one") {
  const std::string text(100'000, 'x');
  using mapped = codec::map_call<codec::fixed<&letters>, int, std::string>;
  cl::byte_buffer shared, element;
  mapped::function::encode_shared(shared, {}, text);
  mapped::encode_element(element, 1);
  std::shared_ptr<void> cache;
  for (int i = 0; i < 2; ++i) {
    const seen found = here::run<mapped::function>(shared.span(), element.span(), &cache);
    CHECK(found.sum == 100'000.0 * 'x');
    CHECK(is_in(found.at, shared.span()));
  }
  CHECK(here::call<&letters_twice>(text, text).sum == 100'000.0 * 'x');
}

TEST_CASE("padding that no sender writes is refused") {
  const std::vector<std::uint32_t> all(2000, 7);
  cl::byte_buffer good;
  codec::encode(good, all);
  CHECK(codec::decode_all<std::vector<std::uint32_t>>(good.span()) == all);
  REQUIRE(good.size() == 64 + 8000);
  cl::byte_buffer bad;
  bad.append(good.span());
  for (const int zeros : {64, 200, 255}) {
    bad.data()[2] = static_cast<std::byte>(zeros);
    CHECK_THROWS_AS(codec::decode_all<std::vector<std::uint32_t>>(bad.span()), cl::codec_error);
  }
  for (std::size_t size = 0; size < 70; ++size)
    CHECK_THROWS_AS(codec::decode_all<std::vector<std::uint32_t>>(good.span().first(size)), cl::codec_error);
}
