// SPDX-License-Identifier: Apache-2.0
#include <corolith/core/bytes.hpp>

#include <catch2/catch.hpp>

#include <string_view>

using namespace corolith;

namespace {

byte_span bytes(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }

std::string text(byte_span of) { return {reinterpret_cast<const char*>(of.data()), of.size()}; }

}  // namespace

TEST_CASE("a buffer keeps its bytes while it grows") {
  byte_buffer buffer;
  std::string expected;
  for (int i = 0; i < 2000; ++i) {
    const std::string piece = std::to_string(i);
    buffer.append(bytes(piece));
    expected += piece;
  }
  CHECK(buffer.size() == expected.size());
  CHECK(buffer.capacity() >= buffer.size());
  CHECK(text(buffer.span()) == expected);
}

TEST_CASE("appending nothing to an empty buffer leaves it empty") {
  byte_buffer buffer;
  buffer.append(byte_span{});
  CHECK(buffer.empty());
  CHECK(buffer.release().empty());
}

TEST_CASE("extend makes room that the caller fills") {
  byte_buffer buffer;
  buffer.append(bytes("ab"));
  std::memcpy(buffer.extend(3), "cde", 3);
  CHECK(text(buffer.span()) == "abcde");
}

TEST_CASE("truncate shortens and never lengthens") {
  byte_buffer buffer;
  buffer.append(bytes("abcde"));
  buffer.truncate(9);
  CHECK(buffer.size() == 5);
  buffer.truncate(2);
  CHECK(text(buffer.span()) == "ab");
  buffer.clear();
  CHECK(buffer.empty());
}

TEST_CASE("a moved-from buffer is empty and usable") {
  byte_buffer first;
  first.append(bytes("abc"));
  byte_buffer second = std::move(first);
  CHECK(text(second.span()) == "abc");
  first.append(bytes("x"));  // NOLINT(bugprone-use-after-move): its state after a move is part of the interface
  CHECK(text(first.span()) == "x");

  first = std::move(second);
  CHECK(text(first.span()) == "abc");
  byte_buffer& same = first;
  first = std::move(same);
  CHECK(text(first.span()) == "abc");
}

TEST_CASE("a value is appended as its bytes") {
  byte_buffer buffer;
  const std::uint32_t value = 0x04030201;
  buffer.append_value(value);
  REQUIRE(buffer.size() == 4);
  CHECK(std::memcmp(buffer.data(), &value, 4) == 0);
  CHECK(text(bytes_of(value)) == text(buffer.span()));
}

TEST_CASE("release hands over the same memory and empties the buffer") {
  byte_buffer buffer;
  buffer.append(bytes("abc"));
  const std::byte* place = buffer.data();
  const shared_bytes shared = buffer.release();
  CHECK(shared.data() == place);
  CHECK(text(shared) == "abc");
  CHECK(buffer.empty());
  CHECK(buffer.capacity() == 0);
}

TEST_CASE("a slice outlives what it was cut from and is clamped to it") {
  shared_bytes slice;
  {
    const shared_bytes whole = shared_bytes::copy(bytes("hello world"));
    slice = whole.slice(6);
    CHECK(whole.slice(0, 5).size() == 5);
    CHECK(whole.slice(8, 100).size() == 3);
    CHECK(whole.slice(50).empty());
    CHECK(whole.slice(3, 4).data() == whole.data() + 3);
  }
  CHECK(text(slice) == "world");
}
