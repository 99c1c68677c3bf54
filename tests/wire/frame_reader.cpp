// SPDX-License-Identifier: Apache-2.0
#include <corolith/wire/frame_reader.hpp>

#include "support.hpp"

#include <random>

using namespace wire_test;

namespace {

std::string frame(frame_header header, std::string_view payload = {}) {
  return text(bytes_of(header)) + std::string(payload);
}
frame_header small(std::uint32_t size, message_type type = message_type::call) { return {size, type, 3, 0, size}; }

std::vector<message> read_all(frame_reader& reader, std::string_view input) {
  std::vector<message> got;
  reader.feed(bytes(input), [&](message&& m) { got.push_back(std::move(m)); });
  return got;
}

void check_refused(const std::string& input, const char* why) {
  frame_reader reader;
  INFO(why);
  try {
    read_all(reader, input);
    FAIL("accepted");
  } catch (const error& e) {
    CHECK(e.code() == errc::protocol);
    CHECK_THAT(e.what(), Catch::Contains(why));
  }
}

}  // namespace

TEST_CASE("messages of one read are slices of one buffer") {
  frame_reader reader;
  auto got = read_all(reader, frame(small(5), "hello") + frame(small(0)) + frame(small(5), "world"));
  REQUIRE(got.size() == 3);
  CHECK(text(got[0].body) == "hello");
  CHECK(got[1].body.empty());
  CHECK(text(got[2].body) == "world");
  CHECK(got[2].body.data() == got[0].body.data() + 5 + 2 * frame_header_size);
  CHECK(reader.at_boundary());
}

TEST_CASE("a truncated frame is not delivered") {
  std::string whole = frame(small(100), std::string(100, 'x'));
  for (std::size_t size = 1; size < whole.size(); ++size) {
    frame_reader reader;
    CHECK(read_all(reader, whole.substr(0, size)).empty());
    CHECK_FALSE(reader.at_boundary());
  }
}

TEST_CASE("kept messages outlive the reads and the reader") {
  std::vector<message> kept;
  {
    frame_reader reader;
    for (int i = 0; i < 3000; ++i) {
      std::string payload = std::to_string(i) + std::string(static_cast<std::size_t>(i), 'p');
      for (message& m : read_all(reader, frame(small(static_cast<std::uint32_t>(payload.size())), payload)))
        kept.push_back(std::move(m));
    }
  }
  REQUIRE(kept.size() == 3000);
  for (std::size_t i = 0; i < kept.size(); ++i) REQUIRE(text(kept[i].body) == std::to_string(i) + std::string(i, 'p'));
}

TEST_CASE("frames that no honest peer sends are protocol errors") {
  auto none = static_cast<message_type>(0);
  auto beyond = static_cast<message_type>(static_cast<int>(last_message_type) + 1);
  std::uint64_t big = 3 * chunk_size;
  auto chunk = [&](std::uint8_t flags, std::uint32_t length, std::uint64_t total, std::uint16_t stream = 1) {
    return frame({length, message_type::call, flags, stream, total},
                 std::string(std::min<std::size_t>(length, chunk_size), 'x'));
  };
  check_refused(frame(small(0, none)), "does not exist");
  check_refused(frame(small(0, beyond)), "does not exist");
  check_refused(frame({chunk_size + 1, message_type::call, 3, 0, chunk_size + 1}), "a frame of");
  check_refused(frame({0xffffffff, message_type::call, 3, 0, 0xffffffff}), "a frame of");
  check_refused(frame({1, message_type::call, 1, 1, std::uint64_t{1} << 40}), "the limit is");
  check_refused(frame({1, message_type::call, 1, 1, ~std::uint64_t{0}}), "the limit is");
  check_refused(frame({0, message_type::call, 7, 0, 0}), "unknown frame flags");
  check_refused(frame({1, message_type::call, 1, 0, 1}), "contradicts itself");
  check_refused(frame({1, message_type::call, 3, 0, 2}), "contradicts itself");
  check_refused(chunk(0, 1, big), "without a beginning");
  check_refused(chunk(1, 0, big), "impossible length");
  check_refused(chunk(1, 5, 4), "impossible length");
  check_refused(chunk(1, 1, big) + chunk(1, 1, big), "begun twice");
  check_refused(chunk(1, 1, big) + chunk(0, 1, big + 1), "does not belong");
  check_refused(chunk(1, 5, 8) + chunk(0, 4, 8), "more bytes");
  check_refused(chunk(1, 5, 8) + chunk(0, 3, 8), "wrong place");
  check_refused(chunk(1, 5, 8) + chunk(2, 2, 8), "wrong place");
}

TEST_CASE("announced lengths are not believed") {
  frame_reader reader;
  std::string input;
  for (std::uint16_t stream = 1; stream <= 2; ++stream)
    input += frame({1, message_type::call, frame_first, stream, std::uint64_t{8} << 30}, "x");
  CHECK(read_all(reader, input).empty());
  CHECK(reader.held_bytes() == 2);
  CHECK_THROWS_WITH(read_all(reader, frame({1, message_type::call, frame_first, 3, std::uint64_t{1} << 30}, "x")),
                    Catch::Contains("too many bytes"));

  frame_reader many;
  for (std::uint16_t stream = 1; stream <= 64; ++stream)
    CHECK(read_all(many, frame({1, message_type::call, frame_first, stream, 1 << 20}, "x")).empty());
  CHECK_THROWS_WITH(read_all(many, frame({1, message_type::call, frame_first, 65, 1 << 20}, "x")),
                    Catch::Contains("too many large messages"));
}

TEST_CASE("garbage never does harm") {
  std::mt19937 random(7);
  std::size_t refused = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string input(random() % 4000, '\0');
    for (char& c : input) c = static_cast<char>(random());
    // Half of the rounds start with a header that is nearly right.
    if (round % 2 == 0) {
      frame_header header{static_cast<std::uint32_t>(random() % 300), static_cast<message_type>(1 + random() % 25),
                          static_cast<std::uint8_t>(random() % 4), static_cast<std::uint16_t>(random() % 3),
                          random() % 300};
      input.replace(0, std::min(input.size(), frame_header_size), text(bytes_of(header)).substr(0, input.size()));
    }
    frame_reader reader;
    std::size_t delivered = 0;
    try {
      reader.feed(bytes(input), [&](message&& m) { delivered += m.body.size(); });
    } catch (const error& e) {
      REQUIRE(e.code() == errc::protocol);
      ++refused;
    }
    REQUIRE(delivered + reader.held_bytes() <= input.size());
  }
  CHECK(refused > 2000);
}
