// SPDX-License-Identifier: Apache-2.0
#include <corolith/wire/frame_reader.hpp>
#include <corolith/wire/frame_writer.hpp>

#include "support.hpp"

#include <array>
#include <map>
#include <random>

using namespace wire_test;

namespace {

constexpr std::size_t large = 3 * chunk_size + 5;

// What a call of batch `batch` says: the batch, then `mark`, then filling.
shared_bytes body(std::uint64_t batch, std::string_view mark, std::size_t size = 0) {
  byte_buffer made;
  made.append_value(batch);
  made.append(bytes(mark));
  if (size > made.size()) {
    std::size_t filling = size - made.size();
    std::memset(made.extend(filling), '.', filling);
  }
  return made.release();
}
void append(frame_writer& writer, std::uint64_t batch, std::string_view mark, std::size_t size = 0) {
  writer.append(message_type::call, {}, body(batch, mark, size));
}
std::string mark_of(const message& m) {
  std::string all = text(m.body).substr(std::min<std::size_t>(8, m.body.size()));
  return all.substr(0, all.find('.'));
}

// Moves bytes from the writer to the reader, at most `limit` at a time; false when there are none.
bool move(frame_writer& writer, frame_reader& reader, std::vector<message>& got, std::size_t limit) {
  std::array<byte_span, 64> parts;
  std::size_t count = writer.gather(parts);
  std::size_t moved = 0;
  for (std::size_t i = 0; i < count && moved < limit; ++i) {
    byte_span now = parts[i].first(std::min(parts[i].size(), limit - moved));
    reader.feed(now, [&](message&& m) { got.push_back(std::move(m)); });
    moved += now.size();
  }
  writer.consume(moved);
  return moved != 0;
}

std::vector<std::string> deliver(frame_writer& writer) {
  frame_reader reader;
  std::vector<message> got;
  while (move(writer, reader, got, 100'000)) {
  }
  CHECK(writer.empty());
  CHECK(reader.at_boundary());
  std::vector<std::string> marks;
  for (const message& m : got)
    marks.push_back(m.body.empty() ? "type " + std::to_string(static_cast<int>(m.type)) : mark_of(m));
  return marks;
}

using marks = std::vector<std::string>;

}  // namespace

TEST_CASE("every size arrives as it was, head and tail together") {
  for (std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{15}, std::size_t{8192}, std::size_t{8193},
                           std::size_t{100'000}, chunk_size - 1, chunk_size, chunk_size + 1, 2 * chunk_size, large}) {
    for (std::size_t head : {std::size_t{0}, std::size_t{1}, size / 2, size}) {
      if (head > size) continue;
      INFO(size << " bytes, " << head << " of them in the head");
      shared_bytes whole = pattern(size, 3);
      frame_writer writer;
      writer.append(message_type::result, whole.span().first(head), whole.slice(head));
      CHECK(writer.queued_bytes() >= size + frame_header_size);
      frame_reader reader;
      std::vector<message> got;
      while (move(writer, reader, got, 77'777)) {
      }
      REQUIRE(got.size() == 1);
      CHECK(got[0].type == message_type::result);
      CHECK(same(got[0].body, whole));
      CHECK(writer.queued_bytes() == 0);
    }
  }
}

TEST_CASE("another batch overtakes a large message, the same batch does not") {
  frame_writer writer;
  append(writer, 1, "large", large);
  append(writer, 1, "same");
  append(writer, 2, "other");
  CHECK(deliver(writer) == marks{"other", "large", "same"});
}

TEST_CASE("large messages of different batches take turns, those of one batch do not") {
  frame_writer writer;
  append(writer, 1, "long", 3 * large);
  append(writer, 1, "behind", large);
  append(writer, 2, "short", large);
  CHECK(deliver(writer) == marks{"short", "long", "behind"});
}

TEST_CASE("goodbye and shutdown come after all that was sent before, and before all that was sent after") {
  for (message_type last : {message_type::goodbye, message_type::shutdown}) {
    std::string name = "type " + std::to_string(static_cast<int>(last));
    frame_writer writer;
    append(writer, 1, "large", large);
    writer.append(last, {});
    append(writer, 2, "after");
    append(writer, 3, "large after", large);
    CHECK(deliver(writer) == marks{"large", name, "after", "large after"});
  }
}

TEST_CASE("nested and other messages keep their order too") {
  frame_writer writer;
  writer.append(message_type::nested_up, {}, body(1, "n1", large));
  writer.append(message_type::nested_up, {}, body(2, "n2"));
  writer.append(message_type::program_file, {}, body(3, "f1", large));
  writer.append(message_type::agent_failed, {}, body(4, "f2"));
  append(writer, 5, "call");
  CHECK(deliver(writer) == marks{"call", "n1", "n2", "f1", "f2"});
}

TEST_CASE("more large messages than streams wait for their turn, in order") {
  frame_writer writer;
  marks expected;
  for (unsigned i = 0; i < 3 * max_send_streams; ++i) {
    expected.push_back("m" + std::to_string(i));
    append(writer, i, expected.back(), large);
  }
  CHECK(deliver(writer) == expected);
}

TEST_CASE("an urgent message passes what waits, once") {
  frame_writer writer;
  for (int i = 0; i < 40'000; ++i) append(writer, 1, "small");
  append(writer, 2, "large", 20 * large);
  frame_reader reader;
  std::vector<message> got;
  REQUIRE(move(writer, reader, got, 1000));
  writer.append_urgent(message_type::heartbeat);
  writer.append_urgent(message_type::heartbeat);
  std::size_t moved = 0;
  auto beats = [&] {
    return std::count_if(got.begin(), got.end(), [](const message& m) { return m.type == message_type::heartbeat; });
  };
  while (beats() == 0 && move(writer, reader, got, 10'000)) moved += 10'000;
  CHECK(moved <= 3 * chunk_size);
  while (move(writer, reader, got, 1'000'000)) {
  }
  CHECK(beats() == 1);
  CHECK(got.size() == 40'002);
}

TEST_CASE("no more than a chunk of large messages is handed out at once") {
  frame_writer writer;
  append(writer, 1, "large", 100 * chunk_size);
  std::array<byte_span, 64> parts;
  std::size_t count = writer.gather(parts);
  std::size_t sum = 0;
  for (std::size_t i = 0; i < count; ++i) sum += parts[i].size();
  CHECK(sum == chunk_size + frame_header_size);
}

TEST_CASE("any mixture arrives whole and in the order of its batch") {
  for (unsigned seed = 1; seed <= 10; ++seed) {
    INFO("seed " << seed);
    std::mt19937 random(seed);
    frame_writer writer;
    frame_reader reader;
    std::map<std::uint64_t, std::vector<std::size_t>> sent, received;
    std::vector<message> got;
    auto take = [&] {
      for (const message& m : got) {
        if (m.type == message_type::heartbeat) continue;
        auto batch = m.type == message_type::call ? std::uint64_t{0} : 1000;
        std::memcpy(&batch, m.body.data(), 8);
        REQUIRE(same(m.body.span().subspan(8), pattern(m.body.size() - 8, static_cast<unsigned>(batch))));
        received[batch].push_back(m.body.size());
      }
      got.clear();
    };
    for (int step = 0; step < 300; ++step) {
      std::uint64_t batch = random() % 40;
      constexpr std::array<std::size_t, 6> sizes{10, 200, 9000, 100'000, chunk_size, 2 * chunk_size};
      std::size_t size = 8 + sizes[random() % (random() % 8 == 0 ? 6 : 4)] + random() % 1000;
      byte_buffer head;
      head.append_value(batch);
      writer.append(message_type::call, head.span(), pattern(size - 8, static_cast<unsigned>(batch)));
      sent[batch].push_back(size);
      if (random() % 10 == 0) writer.append_urgent(message_type::heartbeat);
      for (std::size_t i = random() % 3; i > 0; --i) move(writer, reader, got, 1 + random() % 300'000);
      take();
    }
    while (move(writer, reader, got, 1 + random() % 1'000'000)) {
    }
    take();
    CHECK(writer.queued_bytes() == 0);
    CHECK(received == sent);
  }
}
