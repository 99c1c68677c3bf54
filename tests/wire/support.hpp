// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/bytes.hpp>
#include <corolith/core/error.hpp>
#include <corolith/wire/channel.hpp>
#include <corolith/wire/message_type.hpp>
#include <corolith/wire/transport.hpp>

#include <asio/io_context.hpp>
#include <asio/local/connect_pair.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/post.hpp>
#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <unistd.h>

namespace wire_test {

using namespace corolith;
using namespace corolith::wire;

inline byte_span bytes(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }
inline std::string text(byte_span of) { return {reinterpret_cast<const char*>(of.data()), of.size()}; }
inline shared_bytes shared(std::string_view of) { return shared_bytes::copy(bytes(of)); }

/// `size` bytes that differ from place to place and from seed to seed.
inline shared_bytes pattern(std::size_t size, unsigned seed) {
  byte_buffer made(size);
  if (size == 0) return {};
  std::byte* out = made.extend(size);
  std::uint64_t state = seed * 0x9e3779b97f4a7c15ull + 1;
  for (std::size_t i = 0; i < size; i += sizeof state) {
    state = (state ^ (state >> 29)) * 6364136223846793005ull + 1442695040888963407ull;
    std::memcpy(out + i, &state, std::min(sizeof state, size - i));
  }
  return made.release();
}

inline bool same(byte_span a, byte_span b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
}

inline std::string what_of(const std::exception_ptr& error) {
  if (!error) return "";
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "no std::exception";
  }
}

/// The code of a corolith error; errc{} for nullptr and for foreign ones.
inline errc code_of(const std::exception_ptr& caught) {
  if (!caught) return errc{};
  try {
    std::rethrow_exception(caught);
  } catch (const error& e) {
    return e.code();
  } catch (...) {
    return errc{};
  }
}

/// Runs the loop until `done` says so; the limit only keeps a broken test from hanging.
template <class Done>
void run_until(asio::io_context& io, Done done) {
  auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!done() && std::chrono::steady_clock::now() < limit) {
    io.restart();
    io.run_one_for(std::chrono::milliseconds(50));
  }
  REQUIRE(done());
}

/// One end of a connection under test, and what it saw.
struct end {
  std::shared_ptr<channel> wire;
  std::vector<message> got;
  int closed = 0;
  std::exception_ptr reason;

  channel::events recording() {
    channel::events made;
    made.on_message = [this](message&& m) { got.push_back(std::move(m)); };
    made.on_close = [this](std::exception_ptr why) {
      ++closed;
      reason = std::move(why);
    };
    return made;
  }
};

/// Two channels that talk to each other over unix sockets in one loop.
struct unix_pair {
  asio::io_context io{1};
  end a, b;
  explicit unix_pair(frame_limits limits = {}) {
    asio::local::stream_protocol::socket one(io), two(io);
    asio::local::connect_pair(one, two);
    a.wire = channel::over(std::move(one), limits);
    b.wire = channel::over(std::move(two), limits);
  }
};

/// A channel whose peer is a bare socket.
struct half_raw {
  asio::io_context io{1};
  end a;
  asio::local::stream_protocol::socket raw{io};
  explicit half_raw(frame_limits limits = {}) {
    asio::local::stream_protocol::socket one(io);
    asio::local::connect_pair(one, raw);
    a.wire = channel::over(std::move(one), limits);
  }
};

/// A private folder that is gone at the end.
class temporary_folder {
 public:
  temporary_folder() {
    std::string name = "/tmp/corolith-wire-XXXXXX";
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~temporary_folder() {
    if (std::system(("rm -rf '" + path_ + "'").c_str()) != 0) WARN("cannot remove " << path_);
  }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace wire_test
