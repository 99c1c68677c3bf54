// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>
#include <corolith/s3/detail/connection.hpp>
#include <corolith/s3/detail/connection_pool.hpp>
#include <corolith/uring/network.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <utility>

namespace corolith::inline v0::s3::detail {

namespace pooled {

/// A connection that was idle for less is taken as it is: one that the server has closed meanwhile shows soon enough.
inline constexpr auto looked_at_after = std::chrono::milliseconds(5);

/// Nothing has come and the server has not closed.
inline bool is_quiet(int fd) noexcept {
  char byte = 0;
  return ::recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

}  // namespace pooled

inline pool_state::pool_state(uring::io_loop& on, transport_options with)
    : loop(on), options(std::move(with)), turns(std::max<std::size_t>(options.most_connections, 1)) {
  sweeper.of = this;
  sweeper.run = [](corolith::loop::work* item) noexcept {
    auto& due = *static_cast<sweeping*>(item);
    const std::shared_ptr<pool_state> last = std::move(due.keeps);
    due.of->sweep();
  };
  farewell.run = [](corolith::loop::work* item) noexcept {
    const auto last = std::move(static_cast<leaving*>(item)->of);
    last->leave();
  };
}

inline pool_state::~pool_state() = default;

inline std::unique_ptr<connection> pool_state::take_idle(const origin& to) {
  const auto now = corolith::loop::clock::now();
  for (std::size_t i = idle.size(); i-- > 0;) {
    if (idle[i]->to != to) continue;
    std::unique_ptr<connection> found = std::move(idle[i]);
    idle.erase(idle.begin() + static_cast<std::ptrdiff_t>(i));
    const bool fresh = now - found->idle_since < pooled::looked_at_after;
    if (!fresh && (now - found->idle_since > options.keep_alive || !pooled::is_quiet(found->socket.get()))) continue;
    found->used_before = true;
    ++reused;
    return found;
  }
  return nullptr;
}

inline void pool_state::give_back(std::unique_ptr<connection> used) noexcept {
  try {
    if (left || !used->reusable()) return;
    used->idle_since = corolith::loop::clock::now();
    if (!sweeper.pending) {
      loop.post_at(corolith::detail::deadline_after(options.keep_alive), sweeper);
      sweeper.pending = true;
    }
    idle.push_back(std::move(used));
  } catch (...) {  // no memory, or TLS that is not as it should be: one connection less
  }
}

inline void pool_state::close_idle() noexcept {
  auto closed = std::move(idle);
  idle.clear();
}

inline void pool_state::make_room() {
  if (open >= options.most_connections && !idle.empty()) idle.erase(idle.begin());
}

inline void pool_state::leave() noexcept {
  left = true;
  close_idle();
  if (!sweeper.pending) return;
  if (loop.cancel(sweeper))
    sweeper.pending = false;
  else
    sweeper.keeps = shared_from_this();  // the loop has it among what it runs next
}

// The oldest are in front. A loop that closes runs its timers at once: then all of them go.
inline void pool_state::sweep() noexcept {
  sweeper.pending = false;
  const auto now = corolith::loop::clock::now();
  if (now < sweeper.when) {
    close_idle();
    return;
  }
  const auto young = std::find_if(idle.begin(), idle.end(), [&](const std::unique_ptr<connection>& each) {
    return now - each->idle_since < options.keep_alive;
  });
  idle.erase(idle.begin(), young);
  if (idle.empty()) return;
  try {
    loop.post_at(idle.front()->idle_since + options.keep_alive, sweeper);
    sweeper.pending = true;
  } catch (...) {
    close_idle();
  }
}

namespace pooled {

inline task<void> shake_hands(connection* with) {
  const auto until = corolith::detail::deadline_after(with->pool->options.connect_timeout);
  const auto left = [until] { return std::max(until - corolith::loop::clock::now(), std::chrono::nanoseconds(0)); };
  tls_stream& tls = *with->tls;
  for (bool done = false; !done;) {
    done = tls.handshake();
    while (!tls.outgoing().empty()) {
      const uring::op_options limit{left()};
      const auto [failure, sent] =
          co_await uring::send(with->loop, with->socket.get(), tls.outgoing(), limit).nothrow();
      if (failure) with->fail(failure, "while TLS was being set up");
      tls.sent(sent);
    }
    if (done) break;
    const uring::op_options limit{left()};
    const auto [failure, got] = co_await uring::recv(with->loop, with->socket.get(), tls.room(), limit).nothrow();
    if (failure) with->fail(failure, "while TLS was being set up");
    if (got == 0) {
      tls.ended();
    } else {
      tls.received(got);
    }
  }
}

inline task<std::unique_ptr<connection>> connect(std::shared_ptr<pool_state> pool, origin to) {
  pool->make_room();
  auto made = std::make_unique<connection>(pool, pool->loop, to);
  const resolver::addresses all = co_await pool->names.resolve(to.host, to.port);
  std::error_code last;
  for (const uring::socket_address& address : all) {
    made->socket = uring::stream_socket(address);
    const int yes = 1;
    ::setsockopt(made->socket.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    const uring::op_options limit{pool->options.connect_timeout};
    last = co_await uring::connect(pool->loop, made->socket.get(), address, limit).nothrow();
    if (!last) break;
    if (last == std::errc::operation_canceled) break;
    pool->names.failed(to.host, to.port, address);
  }
  if (last) made->fail(last, all.size() == 1 ? "while connecting" : "while connecting to each of its addresses");
  if (to.tls) {
    if (!pool->tls) pool->tls = share_tls(pool->options.tls);
    made->tls = std::make_unique<tls_stream>(pool->tls, to);
    co_await shake_hands(made.get());
  }
  ++pool->opened;
  co_return made;
}

}  // namespace pooled

COROLITH_DECL connection_pool::connection_pool(uring::io_loop& loop, transport_options options)
    : state_(std::make_shared<pool_state>(loop, std::move(options))) {
  const tls_options& tls = state_->options.tls;
  if (!tls.ca_file.empty() || !tls.ca_path.empty()) state_->tls = share_tls(tls);
}

COROLITH_DECL connection_pool::~connection_pool() {
  if (corolith::loop::current() == &state_->loop) {
    state_->leave();
    return;
  }
  pool_state& last = *state_;
  last.farewell.of = std::move(state_);
  last.loop.post(last.farewell);
}

COROLITH_DECL task<exchange> connection_pool::open(origin to) { return take_turn(state_, std::move(to)); }

COROLITH_DECL task<exchange> connection_pool::take_turn(std::shared_ptr<pool_state> pool, origin to) {
  semaphore::permit turn = co_await pool->turns.acquire();
  std::unique_ptr<connection> found = pool->take_idle(to);
  if (!found) found = co_await pooled::connect(pool, std::move(to));
  co_return exchange(std::move(found), std::move(turn));
}

COROLITH_DECL void connection_pool::close_idle() noexcept { state_->close_idle(); }

COROLITH_DECL pool_counters connection_pool::counters() const noexcept {
  return {state_->opened, state_->reused, state_->open, state_->idle.size()};
}

}  // namespace corolith::inline v0::s3::detail
