// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/wire/handshake.hpp>
#include <corolith/wire/transport.hpp>

#include <asio/post.hpp>
#include <asio/steady_timer.hpp>

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

namespace corolith::inline v0::wire {

namespace detail {

inline constexpr std::string_view preamble_magic = "COROLITH";

inline bool same_program(const program_id& a, const program_id& b) noexcept {
  return a == program_id{} || b == program_id{} || a == b;
}

inline std::string version_advice(unsigned theirs, unsigned ours) {
  return "it speaks protocol version " + std::to_string(theirs) + " and this end version " + std::to_string(ours) +
         ": install the same corolith on both ends";
}
inline constexpr std::string_view program_advice =
    "it belongs to another program, or to another build of it: start both ends from the same executable";

/// One end of the exchange of preambles. Owned by its waits.
class handshake final : public transport_waiter, public std::enable_shared_from_this<handshake> {
 public:
  handshake(std::shared_ptr<transport> stream, bool server, hello mine, role expected, handshake_callback done)
      : stream_(std::move(stream)),
        timer_(stream_->get_executor()),
        server_(server),
        mine_(mine),
        expected_(expected),
        done_(std::move(done)) {}

  void run(std::chrono::milliseconds deadline) {
    timer_.expires_after(deadline);
    timer_.async_wait([self = shared_from_this()](std::error_code error) {
      if (!error) self->fail("it said nothing for too long", refusal::silent);
    });
    asio::post(stream_->get_executor(), [self = shared_from_this()] {
      self->reading_ = self->server_;
      if (!self->server_) self->out_ = format_preamble(self->mine_, verdict::none);
      self->step();
    });
  }

  void on_readable(std::error_code) override { step(); }
  void on_writable(std::error_code) override { step(); }

 private:
  void step() {
    while (done_) {
      transport::outcome went = reading_ ? read() : write();
      if (went.what == transport::status::would_block)
        return reading_ ? stream_->async_wait_readable(shared_from_this())
                        : stream_->async_wait_writable(shared_from_this());
      if (went.what == transport::status::end)
        return fail(server_ ? "it closed the connection before it introduced itself"
                            : "it closed the connection instead of answering: it may be no corolith process, or busy",
                    refusal::silent);
      if (went.what == transport::status::failed) return finish(went.failure);
    }
  }

  transport::outcome read() {
    transport::outcome got = stream_->read_some(std::span(in_).subspan(filled_));
    if (got.what != transport::status::done) return got;
    filled_ += got.bytes;
    std::size_t magic = std::min(filled_, preamble_magic.size());
    if (std::memcmp(in_.data(), preamble_magic.data(), magic) != 0)
      fail("it does not speak corolith's protocol: something else listens or connects at this address",
           refusal::stranger);
    else if (filled_ == preamble_size)
      server_ ? judge() : hear();
    return got;
  }

  transport::outcome write() {
    byte_span rest = std::span(out_).subspan(sent_);
    transport::outcome put;
    if (!rest.empty()) put = stream_->write_some({&rest, 1});
    if (put.what != transport::status::done) return put;
    sent_ += put.bytes;
    if (sent_ != preamble_size) return put;
    put = stream_->flush();
    if (put.what != transport::status::done) return put;
    if (!server_)
      reading_ = true;
    else
      refusal_.empty() ? finish(nullptr) : fail(refusal_);
    return put;
  }

  void parse() {
    std::memcpy(&peer_.version, in_.data() + 8, sizeof peer_.version);
    peer_.role = static_cast<role>(in_[10]);
    std::memcpy(peer_.program.data(), in_.data() + 16, peer_.program.size());
  }

  // The server's turn: compares, and answers even when it refuses, so that both ends know why.
  void judge() {
    parse();
    verdict say = verdict::accepted;
    if (peer_.version != mine_.version) {
      say = verdict::wrong_version;
      refusal_ = version_advice(peer_.version, mine_.version);
    } else if (expected_ != role::any && peer_.role != expected_) {
      say = verdict::wrong_role;
      refusal_ = "it came as " + to_string(peer_.role) + " where a peer as " + to_string(expected_) + " was expected";
    } else if (!same_program(peer_.program, mine_.program)) {
      say = verdict::wrong_program;
      refusal_ = program_advice;
    }
    out_ = format_preamble(mine_, say);
    reading_ = false;
  }

  // The client's turn.
  void hear() {
    parse();
    switch (static_cast<verdict>(in_[11])) {
      case verdict::accepted:
        if (peer_.version != mine_.version) return fail(version_advice(peer_.version, mine_.version));
        if (peer_.role != expected_)
          return fail("it is a peer as " + to_string(peer_.role) + ", not as " + to_string(expected_));
        if (!same_program(peer_.program, mine_.program)) return fail(std::string(program_advice));
        return finish(nullptr);
      case verdict::wrong_version: return fail(version_advice(peer_.version, mine_.version));
      case verdict::wrong_program: return fail(std::string(program_advice));
      case verdict::wrong_role:
        return fail("it refuses a peer as " + to_string(mine_.role) + "; it is a " + to_string(peer_.role));
      case verdict::none: break;
    }
    fail("it answered with a verdict that does not exist");
  }

  void fail(const std::string& why, refusal kind = refusal::proven) {
    finish(std::make_exception_ptr(
        handshake_error("no connection with the peer (" + stream_->describe() + "): " + why, kind)));
  }

  void finish(std::exception_ptr error) {
    if (!done_) return;
    timer_.cancel();
    if (error) stream_->close();
    std::exchange(done_, nullptr)(std::move(error), peer_);
  }

  std::shared_ptr<transport> stream_;
  asio::steady_timer timer_;
  bool server_;
  bool reading_ = false;
  hello mine_;
  hello peer_;
  role expected_;
  handshake_callback done_;
  preamble in_{};
  preamble out_{};
  std::size_t filled_ = 0;
  std::size_t sent_ = 0;
  std::string refusal_;
};

}  // namespace detail

COROLITH_DECL std::string to_string(role of) {
  switch (of) {
    case role::driver: return "driver";
    case role::agent: return "agent";
    case role::worker: return "worker";
    case role::head: return "head of a pool";
    case role::resident: return "resident of a pool";
    case role::client: return "client of a pool";
    case role::any: break;
  }
  return "role " + std::to_string(static_cast<unsigned>(of));
}

COROLITH_DECL preamble format_preamble(const hello& mine, verdict say) {
  preamble made{};
  std::memcpy(made.data(), detail::preamble_magic.data(), detail::preamble_magic.size());
  std::memcpy(made.data() + 8, &mine.version, sizeof mine.version);
  made[10] = static_cast<std::byte>(mine.role);
  made[11] = static_cast<std::byte>(say);
  std::memcpy(made.data() + 16, mine.program.data(), mine.program.size());
  return made;
}

COROLITH_DECL void async_handshake_client(std::shared_ptr<transport> stream, hello mine, role expected,
                                          handshake_callback done, std::chrono::milliseconds deadline) {
  std::make_shared<detail::handshake>(std::move(stream), false, mine, expected, std::move(done))->run(deadline);
}

COROLITH_DECL void async_handshake_server(std::shared_ptr<transport> stream, hello mine, role expected,
                                          handshake_callback done, std::chrono::milliseconds deadline) {
  std::make_shared<detail::handshake>(std::move(stream), true, mine, expected, std::move(done))->run(deadline);
}

}  // namespace corolith::inline v0::wire
