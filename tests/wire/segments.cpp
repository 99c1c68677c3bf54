// SPDX-License-Identifier: Apache-2.0
// Large messages in shared memory, over channels and links: they arrive as any other, and no descriptor is left.
#include <corolith/core/segment_pool.hpp>
#include <corolith/wire/blocking_link.hpp>
#include <corolith/wire/detail/descriptors.hpp>

#include <support/descriptors.hpp>

#include "support.hpp"

#include <thread>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>

using namespace wire_test;
using test_support::open_segments;

namespace {

constexpr std::size_t mib = std::size_t{1} << 20;

struct pooled {
  explicit pooled(std::size_t count = 64) {
    pool.give_back(std::chrono::steady_clock::time_point::max());
    REQUIRE(open_segments() == 0);
    pool.allow({count, 1024 * mib, 0, std::chrono::hours(1)});
  }
  ~pooled() { pool.allow({}); }
  segment_pool& pool = segment_pool::of_process();
};

shared_bytes in_segment(std::size_t size, unsigned seed) {
  byte_buffer made;
  made.share_when_large();
  made.append(pattern(size, seed));
  REQUIRE(made.in_segment());
  return made.release();
}

/// `number` and the rest of a call: messages of one batch keep their order.
std::array<std::byte, 16> head_of(std::uint64_t batch, std::uint64_t number) {
  std::array<std::byte, 16> made{};
  std::memcpy(made.data(), &batch, 8);
  std::memcpy(made.data() + 8, &number, 8);
  return made;
}

std::uint64_t number_of(const message& got) {
  std::uint64_t number = 0;
  std::memcpy(&number, got.body.data() + 8, 8);
  return number;
}

}  // namespace

TEST_CASE("a large message in shared memory costs the connection no more than a small one") {
  const pooled memory;
  const shared_bytes large = in_segment(32 * mib, 1);
  {
    unix_pair pair;
    pair.a.wire->start(pair.a.recording());
    pair.b.wire->start(pair.b.recording());
    pair.a.wire->send(message_type::call, head_of(1, 1), large);
    CHECK(pair.a.wire->queued_bytes() < 200);
    run_until(pair.io, [&] { return pair.b.got.size() == 1; });
    const message& got = pair.b.got.front();
    CHECK(got.type == message_type::call);
    REQUIRE(got.body.size() == 16 + large.size());
    CHECK(number_of(got) == 1);
    CHECK(same(got.body.slice(16), large));
    CHECK(memory_segment::find(got.body));
    // back, as an agent relays a result: head and all in one
    pair.b.wire->send(message_type::result, got.body);
    CHECK(pair.b.wire->queued_bytes() < 200);
    run_until(pair.io, [&] { return pair.a.got.size() == 1; });
    CHECK(same(pair.a.got.front().body, got.body));
    CHECK(open_segments() == 3);
  }
  CHECK(open_segments() == 1);
  CHECK_FALSE(memory_segment::find(large)->segment->has_holders());
}

TEST_CASE("large and small messages of a batch keep their order, however they travel") {
  const pooled memory;
  unix_pair pair;
  pair.a.wire->start(pair.a.recording());
  pair.b.wire->start(pair.b.recording());
  const shared_bytes shared_memory = in_segment(mib + 5, 2), plain = pattern(mib + 7, 3), small = pattern(100, 4);
  const std::array<const shared_bytes*, 3> kinds{&shared_memory, &plain, &small};
  constexpr std::size_t count = 300;
  for (std::size_t i = 0; i < count; ++i)
    pair.a.wire->send(message_type::call, head_of(i % 2, i), *kinds[i * i % 7 % 3]);
  pair.a.wire->close_when_sent();
  std::vector<std::uint64_t> last(2);
  std::size_t wrong = 0, seen = 0;
  run_until(pair.io, [&] {
    for (const message& got : pair.b.got) {
      if (got.type != message_type::call) continue;
      const std::uint64_t number = number_of(got);
      wrong += number < last[number % 2];
      last[number % 2] = number;
      wrong += !same(got.body.slice(16), *kinds[number * number % 7 % 3]);
      ++seen;
    }
    pair.b.got.clear();
    return seen == count;
  });
  CHECK(wrong == 0);
}

TEST_CASE("descriptors that did not arrive are closed with their connection") {
  const pooled memory;
  const shared_bytes large = in_segment(2 * mib, 5);
  const auto lose = [&](bool read_some) {
    unix_pair pair;
    pair.a.wire->start(pair.a.recording());
    pair.b.wire->start(pair.b.recording());
    for (std::uint64_t i = 0; i < 100; ++i) pair.a.wire->send(message_type::call, head_of(i, i), large);
    pair.a.wire->flush();
    if (read_some) run_until(pair.io, [&] { return !pair.b.got.empty(); });
    pair.b.wire->close();
    run_until(pair.io, [&] { return pair.a.closed == 1; });
  };
  lose(false);
  CHECK(open_segments() == 1);
  lose(true);
  CHECK(open_segments() == 1);
}

TEST_CASE("a worker's link and its agent's channel share memory, both ways") {
  const pooled memory;
  asio::io_context io(1);
  int fd[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) == 0);
  end agent;
  agent.wire = channel::over(asio::local::stream_protocol::socket(io, asio::local::stream_protocol(), fd[0]));
  agent.wire->start(agent.recording());
  const shared_bytes sent = in_segment(3 * mib, 6);
  std::exception_ptr failed;
  std::thread worker([&] {
    try {
      blocking_link link(fd[1]);
      frame_reader reader;
      reader.accept_segments();
      for (message got;;) {
        while (reader.next(got)) {
          if (got.type == message_type::shutdown) return link.flush();
          byte_buffer result;
          result.share_when_large();
          result.append(got.body.slice(16));
          const shared_bytes all = result.release();
          link.append(message_type::result, got.body.span().first(16), all);
          if (link.queued_bytes() > 1000) throw std::runtime_error("a result that should be shared is copied");
          got.body = {};
        }
        link.flush();
        link.receive(reader, -1);
      }
    } catch (...) {
      failed = std::current_exception();
    }
  });
  constexpr std::uint64_t count = 20;
  for (std::uint64_t i = 0; i < count; ++i) agent.wire->send(message_type::call, head_of(1, i), sent);
  agent.wire->send(message_type::shutdown);
  std::size_t wrong = 0, seen = 0;
  run_until(io, [&] {
    for (const message& got : agent.got) wrong += number_of(got) != seen++ || !same(got.body.slice(16), sent);
    agent.got.clear();
    return seen == count;
  });
  worker.join();
  CHECK(what_of(failed) == "");
  CHECK(wrong == 0);
  ::close(fd[1]);
  CHECK(open_segments() == 1);
}

TEST_CASE("a peer that lies about shared memory is cut off") {
  const pooled memory;
  const auto told = [&](unique_fd file, segment_reference where, std::uint64_t total, std::string_view front = "abcd") {
    half_raw half;
    half.a.wire->start(half.a.recording());
    frame_header header{static_cast<std::uint32_t>(sizeof where + front.size()), message_type::call,
                        frame_first | frame_last | frame_segment, 0, total};
    const std::array<byte_span, 3> parts{bytes_of(header), bytes_of(where), bytes(front)};
    const int descriptor = file.get();
    REQUIRE(wire::detail::send_with_descriptors(half.raw.native_handle(), parts, 0,
                                                std::span(&descriptor, descriptor < 0 ? 0 : 1)) > 0);
    file = unique_fd();
    run_until(half.io, [&] { return half.a.closed == 1 || !half.a.got.empty(); });
    CHECK(half.a.got.empty());
    return half.a.reason;
  };
  const shared_bytes large = in_segment(2 * mib, 7);
  const auto good = [&] {
    return unique_fd(::fcntl(memory_segment::find(large)->segment->descriptor(), F_DUPFD_CLOEXEC, 0));
  };
  constexpr std::uint64_t from = memory_segment::data_offset;
  CHECK(code_of(told(unique_fd(), {from, mib}, mib + 4)) == errc::protocol);
  CHECK(what_of(told(unique_fd(), {from, mib}, mib + 4)).find("ulimit") != std::string::npos);
  CHECK(code_of(told(good(), {from, mib}, mib + 5)) == errc::protocol);
  CHECK(code_of(told(good(), {from, 3 * mib}, 3 * mib + 4)) == errc::protocol);
  CHECK(code_of(told(good(), {0, mib}, mib + 4)) == errc::protocol);
  CHECK(code_of(told(unique_fd(::open("/dev/null", O_RDONLY | O_CLOEXEC)), {from, mib}, mib + 4)) == errc::protocol);
  CHECK(code_of(told(good(), {from, mib}, mib + 3000, std::string(3000, 'x'))) == errc::protocol);
  CHECK(code_of(told(good(), {from, std::uint64_t{9} << 30}, (std::uint64_t{9} << 30) + 4)) == errc::protocol);
  CHECK(open_segments() == 1);
}

TEST_CASE("a reader that expects no shared memory refuses it") {
  frame_reader reader;
  frame_header header{16, message_type::call, frame_first | frame_last | frame_segment, 0, mib};
  std::string sent(reinterpret_cast<const char*>(&header), sizeof header);
  sent.resize(32);
  CHECK_THROWS_AS(reader.feed(bytes(sent), [](message&&) {}), error);
}

TEST_CASE("a large message that comes in pieces is put together in shared memory where it is to be passed on") {
  const pooled memory;
  unix_pair pair;
  pair.a.wire->start(pair.a.recording());
  pair.b.wire->assemble_in_segments();
  pair.b.wire->start(pair.b.recording());
  const shared_bytes plain = pattern(40 * mib, 8);
  pair.a.wire->send(message_type::call, head_of(1, 1), plain);
  run_until(pair.io, [&] { return pair.b.got.size() == 1; });
  CHECK(same(pair.b.got.front().body.slice(16), plain));
  CHECK(memory_segment::find(pair.b.got.front().body));
}
