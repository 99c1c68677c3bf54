// SPDX-License-Identifier: Apache-2.0
#include <corolith/wire/channel.hpp>

#include <corolith/wire/frame_format.hpp>

#include "support.hpp"

#include <asio/read.hpp>
#include <asio/steady_timer.hpp>
#include <asio/write.hpp>

#include <array>
#include <optional>

using namespace wire_test;

namespace {

shared_bytes numbered(std::uint64_t number, std::size_t size = 8) {
  byte_buffer made;
  made.append_value(number);
  while (made.size() < size) made.append_value(number);
  return made.release();
}

std::uint64_t number_of(const message& m) {
  std::uint64_t number = 0;
  REQUIRE(m.body.size() >= sizeof number);
  std::memcpy(&number, m.body.data(), sizeof number);
  return number;
}

std::string frame(message_type type, std::string_view payload) {
  frame_header header{static_cast<std::uint32_t>(payload.size()), type, 3, 0, payload.size()};
  return text(bytes_of(header)) + std::string(payload);
}

}  // namespace

TEST_CASE("many small messages go both ways in order") {
  unix_pair pair;
  constexpr std::uint64_t count = 100'000;
  std::uint64_t sent = 0, echoed = 0, returned = 0, batches = 0;
  auto pump = [&] {
    for (; sent < count && sent - returned < 2000; ++sent)
      pair.a.wire->send(message_type::call, bytes_of(sent), numbered(sent, 32));
  };
  channel::events a = pair.a.recording(), b = pair.b.recording();
  bool in_order = true;
  a.on_message = [&](message&& m) { in_order = in_order && number_of(m) == returned++; };
  a.on_batch_end = [&] {
    ++batches;
    pump();
  };
  b.on_message = [&](message&& m) {
    in_order = in_order && number_of(m) == echoed++ && m.body.size() == 40;
    pair.b.wire->send(message_type::result, std::move(m.body));
  };
  pair.a.wire->start(std::move(a));
  pair.b.wire->start(std::move(b));
  pump();
  run_until(pair.io, [&] { return returned == count; });
  CHECK(in_order);
  CHECK(batches < count / 10);
  CHECK(pair.a.wire->queued_bytes() == 0);
}

TEST_CASE("a large message does not hold up small ones") {
  unix_pair pair;
  constexpr std::size_t size = 256 << 20;
  shared_bytes large = pattern(size, 1);
  std::size_t between = 0;
  std::optional<shared_bytes> arrived;
  channel::events b = pair.b.recording();
  b.on_message = [&](message&& m) {
    if (m.type == message_type::result) {
      arrived = std::move(m.body);
    } else if (!arrived) {
      ++between;
      pair.a.wire->send_urgent(message_type::started);  // the next one leaves when this one has arrived
    }
  };
  pair.a.wire->start(pair.a.recording());
  pair.b.wire->start(std::move(b));
  pair.a.wire->send(message_type::result, large);
  pair.a.wire->send_urgent(message_type::started);
  run_until(pair.io, [&] { return arrived.has_value(); });
  CHECK(same(*arrived, large));
  CHECK(between >= size / chunk_size / 8);
}

TEST_CASE("close delivers nothing more and is reported once") {
  unix_pair pair;
  channel::events b = pair.b.recording();
  b.on_message = [&](message&& m) {
    pair.b.got.push_back(std::move(m));
    if (pair.b.got.size() == 3) {
      pair.b.wire->close(std::make_exception_ptr(error(errc::misuse, "enough")));
      CHECK(pair.b.closed == 0);
      pair.b.wire->send(message_type::result, shared("not sent"));
      pair.b.wire->close();
    }
  };
  pair.a.wire->start(pair.a.recording());
  pair.b.wire->start(std::move(b));
  for (int i = 0; i < 10; ++i) pair.a.wire->send(message_type::call, numbered(1));
  run_until(pair.io, [&] { return pair.a.closed == 1 && pair.b.closed == 1; });
  pair.io.restart();
  pair.io.run();
  CHECK(pair.b.got.size() == 3);
  CHECK(what_of(pair.b.reason) == "enough");
  CHECK(code_of(pair.a.reason) == errc::peer_closed);
  CHECK(pair.a.got.empty());
  CHECK(pair.a.closed == 1);
  CHECK(pair.b.closed == 1);
  CHECK_FALSE(pair.b.wire->is_open());
  pair.b.wire->send(message_type::result, shared("no"));
  CHECK(pair.b.wire->queued_bytes() == 0);
}

TEST_CASE("start after close still reports the close") {
  unix_pair pair;
  pair.a.wire->close();
  pair.a.wire->start(pair.a.recording());
  CHECK(pair.a.closed == 0);
  run_until(pair.io, [&] { return pair.a.closed == 1; });
  CHECK_FALSE(pair.a.reason);
}

TEST_CASE("a callback may destroy the channel") {
  unix_pair pair;
  auto captured = std::make_shared<std::string>("still there");
  std::weak_ptr<std::string> watch = captured;
  std::weak_ptr<channel> watch_channel = pair.b.wire;
  int delivered = 0;
  channel::events b;
  b.on_message = [&delivered, &pair, captured, owner = pair.b.wire](message&&) mutable {
    ++delivered;
    owner.reset();
    pair.b.wire.reset();
    CHECK(*captured == "still there");
  };
  b.on_batch_end = [&] { ++pair.b.closed; };
  b.on_close = [&](std::exception_ptr) { ++pair.b.closed; };
  captured.reset();
  pair.b.wire->start(std::move(b));
  pair.a.wire->start(pair.a.recording());
  for (int i = 0; i < 3; ++i) pair.a.wire->send(message_type::call, numbered(1));
  run_until(pair.io, [&] { return pair.a.closed == 1; });
  CHECK(delivered == 1);
  CHECK(pair.b.closed == 0);
  CHECK(watch.expired());
  CHECK(watch_channel.expired());
}

TEST_CASE("handlers that own the channel go when it closes") {
  unix_pair pair;
  std::weak_ptr<channel> watch = pair.b.wire;
  channel::events b;
  b.on_message = [owner = pair.b.wire](message&&) {};
  b.on_close = [owner = pair.b.wire, &pair](std::exception_ptr) { ++pair.b.closed; };
  pair.b.wire->start(std::move(b));
  pair.b.wire.reset();
  CHECK_FALSE(watch.expired());
  pair.a.wire->close();
  run_until(pair.io, [&] { return pair.b.closed == 1; });
  CHECK(watch.expired());
}

TEST_CASE("close_when_sent delivers all, then says goodbye") {
  unix_pair pair;
  pair.a.wire->start(pair.a.recording());
  pair.b.wire->start(pair.b.recording());
  shared_bytes large = pattern(8 << 20, 2);
  for (std::uint64_t i = 0; i < 1000; ++i) pair.a.wire->send(message_type::call, numbered(i));
  pair.a.wire->send(message_type::program_file, large);
  bool orphan = false;
  SECTION("with its owner") {}
  SECTION("without its owner") { orphan = true; }
  pair.a.wire->close_when_sent();
  CHECK_FALSE(pair.a.wire->is_open());
  pair.a.wire->send(message_type::call, numbered(7));
  if (orphan) pair.a.wire.reset();
  run_until(pair.io, [&] { return pair.b.closed == 1 && (orphan || pair.a.closed == 1); });
  REQUIRE(pair.b.got.size() == 1002);
  CHECK(same(pair.b.got[1000].body, large));
  CHECK(pair.b.got[1001].type == message_type::goodbye);
  CHECK_FALSE(pair.b.reason);
  CHECK_FALSE(pair.a.reason);
}

TEST_CASE("both ends may say goodbye at once") {
  unix_pair pair;
  pair.a.wire->start(pair.a.recording());
  pair.b.wire->start(pair.b.recording());
  pair.a.wire->send(message_type::call, numbered(1));
  pair.b.wire->send(message_type::result, numbered(2));
  pair.a.wire->close_when_sent();
  pair.b.wire->close_when_sent();
  run_until(pair.io, [&] { return pair.a.closed == 1 && pair.b.closed == 1; });
  CHECK(pair.a.got.size() == 2);
  CHECK(pair.b.got.size() == 2);
  CHECK_FALSE(pair.a.reason);
  CHECK_FALSE(pair.b.reason);
}

TEST_CASE("a peer that vanishes is a loss") {
  half_raw pair;
  pair.a.wire->start(pair.a.recording());
  std::string sent = frame(message_type::call, "one");
  const char* why = "the peer closed the connection";
  SECTION("between messages") {}
  SECTION("in the middle of one") {
    sent += frame(message_type::call, "two").substr(0, 17);
    why = "in the middle of a message";
  }
  asio::write(pair.raw, asio::buffer(sent));
  pair.raw.close();
  run_until(pair.io, [&] { return pair.a.closed == 1; });
  CHECK(pair.a.got.size() == 1);
  CHECK(code_of(pair.a.reason) == errc::peer_closed);
  CHECK_THAT(what_of(pair.a.reason), Catch::Contains(why));
}

TEST_CASE("what a peer said before it went is delivered even if writing to it failed first") {
  half_raw pair;
  asio::write(pair.raw, asio::buffer(frame(message_type::agent_failed, "the reason")));
  pair.raw.close();
  pair.a.wire->start(pair.a.recording());
  pair.a.wire->send(message_type::call, pattern(1 << 20, 1));
  pair.a.wire->flush();
  run_until(pair.io, [&] { return pair.a.closed == 1; });
  REQUIRE(pair.a.got.size() == 1);
  CHECK(text(pair.a.got[0].body) == "the reason");
  CHECK(code_of(pair.a.reason) == errc::peer_closed);
}

TEST_CASE("a peer that breaks the protocol is cut off") {
  half_raw pair;
  pair.a.wire->start(pair.a.recording());
  std::string bad;
  SECTION("garbage") { bad = std::string(1000, '\xfe'); }
  SECTION("oversized") {
    frame_header header{chunk_size, message_type::call, frame_first, 1, std::uint64_t{1} << 50};
    bad = text(bytes_of(header));
  }
  asio::write(pair.raw, asio::buffer(frame(message_type::call, "good") + bad + frame(message_type::call, "after")));
  run_until(pair.io, [&] { return pair.a.closed == 1; });
  CHECK(pair.a.got.size() == 1);
  CHECK(code_of(pair.a.reason) == errc::protocol);
  std::array<char, 1> byte;
  std::error_code ended;
  asio::read(pair.raw, asio::buffer(byte), ended);
  CHECK(ended);
}

TEST_CASE("an exception out of a handler closes the channel and is the reason") {
  unix_pair pair;
  channel::events b = pair.b.recording();
  b.on_message = [](message&&) { throw std::out_of_range("handler"); };
  pair.b.wire->start(std::move(b));
  pair.a.wire->start(pair.a.recording());
  pair.a.wire->send(message_type::call, numbered(1));
  run_until(pair.io, [&] { return pair.a.closed == 1 && pair.b.closed == 1; });
  CHECK(what_of(pair.b.reason) == "handler");
}

TEST_CASE("heartbeats keep an idle connection and are not delivered") {
  unix_pair pair;
  pair.a.wire->start(pair.a.recording());
  pair.b.wire->start(pair.b.recording());
  pair.a.wire->keep_alive(std::chrono::milliseconds(5), std::chrono::seconds(30));
  pair.b.wire->keep_alive(std::chrono::milliseconds(5), std::chrono::seconds(30));
  pair.io.run_for(std::chrono::milliseconds(60));
  CHECK(pair.a.wire->is_open());
  CHECK(pair.b.wire->is_open());
  CHECK(pair.a.got.empty());
  CHECK(pair.b.got.empty());
}

TEST_CASE("an idle end sends heartbeats") {
  half_raw pair;
  pair.a.wire->start(pair.a.recording());
  pair.a.wire->keep_alive(std::chrono::milliseconds(2), std::chrono::seconds(30));
  std::array<char, 3 * frame_header_size> input{};
  bool read = false;
  asio::async_read(pair.raw, asio::buffer(input), [&](std::error_code error, std::size_t) { read = !error; });
  run_until(pair.io, [&] { return read; });
  std::string beat = frame(message_type::heartbeat, "");
  CHECK(std::string(input.data(), input.size()) == beat + beat + beat);
}

TEST_CASE("a silent peer is given up") {
  half_raw pair;
  pair.a.wire->start(pair.a.recording());
  pair.a.wire->keep_alive(std::chrono::milliseconds(5), std::chrono::milliseconds(40));
  SECTION("that said something once") { asio::write(pair.raw, asio::buffer(frame(message_type::call, "hello"))); }
  SECTION("that never spoke") {}
  run_until(pair.io, [&] { return pair.a.closed == 1; });
  CHECK(code_of(pair.a.reason) == errc::peer_silent);
}

TEST_CASE("a loop that was away for long looks before it gives up a peer") {
  half_raw pair;
  pair.a.wire->start(pair.a.recording());
  pair.a.wire->keep_alive(std::chrono::milliseconds(5), std::chrono::milliseconds(40));
  pair.io.run_for(std::chrono::milliseconds(10));
  asio::write(pair.raw, asio::buffer(frame(message_type::call, "in time")));
  ::usleep(100'000);
  run_until(pair.io, [&] { return pair.a.got.size() == 1 || pair.a.closed == 1; });
  CHECK(pair.a.closed == 0);
}

TEST_CASE("a slow reader is noticed and slows the sender") {
  unix_pair pair;
  int drained = 0;
  channel::events a = pair.a.recording();
  a.on_drained = [&] { ++drained; };
  pair.a.wire->start(std::move(a));
  pair.b.wire->start(pair.b.recording());
  pair.b.wire->pause_reading();
  pair.a.wire->set_low_water(100'000);
  constexpr std::size_t count = 100, size = 100'000;
  for (std::uint64_t i = 0; i < count; ++i) pair.a.wire->send(message_type::call, numbered(i, size));
  pair.io.run_for(std::chrono::milliseconds(30));
  CHECK(pair.b.got.empty());
  CHECK(drained == 0);
  CHECK(pair.a.wire->queued_bytes() > count * size / 2);
  pair.b.wire->resume_reading();
  run_until(pair.io, [&] { return pair.b.got.size() == count && drained > 0; });
  CHECK(drained == 1);
  CHECK(pair.a.wire->queued_bytes() == 0);
}

TEST_CASE("a peer that takes nothing does not keep a closing channel for ever", "[.slow]") {
  half_raw pair;
  pair.a.wire->start(pair.a.recording());
  pair.a.wire->send(message_type::call, pattern(4 << 20, 1));
  pair.a.wire->close_when_sent();
  run_until(pair.io, [&] { return pair.a.closed == 1; });
  CHECK(code_of(pair.a.reason) == errc::peer_silent);
}
