// SPDX-License-Identifier: Apache-2.0
// The blocks that both ends exchange before anything else: a byte that says which end this is and how the peer's bytes
// are cut, then what the peer sends. The outcome is a peer that may go on, or a handshake_error, once.
#include "../fuzz.hpp"

#include <corolith/wire/handshake.hpp>
#include <corolith/wire/transport.hpp>

#include <asio/io_context.hpp>
#include <asio/post.hpp>

#include <algorithm>
#include <cstring>
#include <exception>
#include <memory>

using namespace corolith;

namespace {

// A peer that says what is in the input and then closes.
class scripted_peer final : public wire::transport {
 public:
  scripted_peer(asio::io_context& loop, byte_span says, std::size_t most) : loop_(loop), says_(says), most_(most) {}

  asio::any_io_executor get_executor() override { return loop_.get_executor(); }
  outcome read_some(mutable_byte_span into) override {
    fuzz::require(!into.empty(), "something is read only where there is room");
    if (says_.empty()) return {status::end, 0, nullptr};
    if ((waits_ = !waits_)) return {status::would_block, 0, nullptr};
    const std::size_t part = std::min({into.size(), says_.size(), most_});
    std::memcpy(into.data(), says_.data(), part);
    says_ = says_.subspan(part);
    return {status::done, part, nullptr};
  }
  outcome write_some(std::span<const byte_span> parts) override {
    const std::size_t part = std::min(parts[0].size(), most_);
    written += fuzz::text_of(parts[0].first(part));
    return {status::done, part, nullptr};
  }
  void async_wait_readable(std::shared_ptr<wire::transport_waiter> waiter) override {
    asio::post(loop_, [waiter] { waiter->on_readable({}); });
  }
  void async_wait_writable(std::shared_ptr<wire::transport_waiter> waiter) override {
    asio::post(loop_, [waiter] { waiter->on_writable({}); });
  }
  void shutdown_write() override {}
  void close() noexcept override {}
  std::string describe() const override { return "a scripted peer"; }

  std::string written;

 private:
  asio::io_context& loop_;
  byte_span says_;
  std::size_t most_;
  bool waits_ = false;
};

wire::hello self() {
  wire::hello mine;
  mine.role = wire::role::agent;
  mine.program.fill(std::byte{7});
  return mine;
}

// The block as it is written down: magic, version, role, verdict (of a server), program.
bool acceptable(byte_span input, bool from_client) {
  if (input.size() < wire::preamble_size) return false;
  wire::preamble good = wire::format_preamble(self(), wire::verdict::none);
  good[10] = static_cast<std::byte>(wire::role::driver);
  const auto expected = byte_span(good);
  const byte_span program = input.subspan(16, 32);
  return fuzz::same(input.first(11), expected.first(11)) && (from_client || input[11] == std::byte{1}) &&
         (fuzz::same(program, expected.subspan(16, 32)) || fuzz::same(program, wire::program_id{}));
}

void run(byte_span input) {
  static asio::io_context loop(1);
  const unsigned shape = fuzz::take_byte(input);
  auto peer = std::make_shared<scripted_peer>(loop, input, 1 + (shape >> 1 & 63));
  int ended = 0;
  std::exception_ptr failure;
  wire::hello theirs;
  const auto done = [&](std::exception_ptr error, wire::hello from) {
    ++ended;
    failure = std::move(error);
    theirs = from;
  };
  const bool serves = (shape & 1) != 0;
  if (serves) {
    wire::async_handshake_server(peer, self(), wire::role::driver, done);
  } else {
    wire::async_handshake_client(peer, self(), wire::role::driver, done);
  }
  loop.restart();
  loop.run();
  fuzz::require(ended == 1, "a handshake ends once");
  fuzz::require(peer->written.size() <= wire::preamble_size, "one block is sent");
  fuzz::require(acceptable(input, serves) == !failure, "a good block is accepted, and no other");
  if (failure) {
    try {
      std::rethrow_exception(failure);
    } catch (const wire::handshake_error& refused) {
      fuzz::require(*refused.what() != 0, "a refusal says why");
    }
    return;
  }
  fuzz::require(theirs.role == wire::role::driver, "the peer is who it says it is");
  fuzz::require(peer->written.size() == wire::preamble_size, "who is accepted has heard so");
}

std::vector<std::string> seeds() {
  std::vector<std::string> made;
  wire::hello driver = self();
  driver.role = wire::role::driver;
  const auto add = [&](char shape, const wire::hello& who, wire::verdict say) {
    made.push_back(shape + fuzz::text_of(wire::format_preamble(who, say)));
  };
  add(0x7e, driver, wire::verdict::accepted);
  add(0x03, driver, wire::verdict::none);
  add(0x10, driver, wire::verdict::wrong_program);
  wire::hello any = driver;
  any.program = {};
  add(0x21, any, wire::verdict::none);
  wire::hello newer = driver;
  newer.version = 99;
  add(0x41, newer, wire::verdict::none);
  wire::hello worker = driver;
  worker.role = wire::role::worker;
  add(0x51, worker, wire::verdict::none);
  made.push_back("\x01GET / HTTP/1.1\r\n\r\n");
  return made;
}

}  // namespace

const fuzz::target fuzz::handshake{"handshake", run, seeds};
