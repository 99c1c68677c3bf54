// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>
#include <corolith/wire/channel.hpp>
#include <corolith/wire/frame_reader.hpp>
#include <corolith/wire/frame_writer.hpp>
#include <corolith/wire/transport.hpp>

#include <asio/post.hpp>
#include <asio/steady_timer.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

namespace corolith::inline v0::wire {

namespace detail {

/// Reads in a row before other work of the loop gets its turn.
inline constexpr int reads_in_a_row = 8;
/// Writes in a row, likewise: a large message to a fast reader must not keep the loop.
inline constexpr int writes_in_a_row = 8;
inline constexpr std::chrono::seconds linger_time{5};

/// What a channel is; its waits and timers share ownership, so it lives as long as they do.
class channel_core final : public transport_waiter, public std::enable_shared_from_this<channel_core> {
 public:
  channel_core(std::shared_ptr<transport> stream, frame_limits limits)
      : stream_(std::move(stream)), executor_(stream_->get_executor()), reader_(limits), timer_(executor_) {
    if (!stream_->passes_descriptors()) return;
    reader_.accept_segments();
    writer_.share_segments();
  }

  void start(channel::events handlers) {
    if (started_) return;
    started_ = true;
    if (state_ == state::closed) {
      handlers_.on_close = std::move(handlers.on_close);
      return report_close(close_reason_);
    }
    handlers_ = std::move(handlers);
    // Bytes may already be there, and the first read must not call back from inside start().
    post_read();
  }

  void send(message_type type, byte_span head, shared_bytes tail) {
    if (state_ != state::open) return;
    if (type == message_type::goodbye) said_goodbye_ = true;
    writer_.append(type, head, std::move(tail));
    queue_flush();
  }
  void send_urgent(message_type type) {
    if (state_ != state::open) return;
    writer_.append_urgent(type);
    queue_flush();
  }
  void flush() {
    if (state_ != state::closed && !waiting_to_write_) write_out();
  }

  void close(std::exception_ptr reason) { finish(std::move(reason)); }

  void close_when_sent() {
    if (state_ != state::open) return;
    if (!said_goodbye_) send(message_type::goodbye, {}, {});
    state_ = state::closing;
    if (!started_) start({});
    arm_linger();
    flush();
  }

  // The owner is gone: nobody is called any more.
  void abandon() {
    abandoned_ = true;
    drop_handlers();
    if (state_ == state::open) finish(nullptr);
  }

  bool is_open() const noexcept { return state_ == state::open; }
  std::size_t queued_bytes() const noexcept { return writer_.queued_bytes(); }
  void set_low_water(std::size_t bytes) noexcept { low_water_ = bytes; }

  void keep_alive(std::chrono::milliseconds interval, std::chrono::milliseconds timeout) {
    if (state_ == state::closed) return;
    heartbeat_interval_ = std::max(interval, std::chrono::milliseconds(1));
    silence_limit_ = std::max(timeout, std::chrono::milliseconds(1));
    last_heard_ = last_sent_ = channel::clock::now();
    arm_timer();
  }

  void assemble_in_segments() noexcept { reader_.assemble_in_segments(); }

  void pause_reading() { paused_ = true; }
  void resume_reading() {
    if (!std::exchange(paused_, false)) return;
    last_heard_ = channel::clock::now();
    if (started_ && state_ != state::closed && !waiting_to_read_ && !read_posted_) post_read();
  }

  void on_readable(std::error_code error) override {
    waiting_to_read_ = false;
    if (state_ == state::closed) return;
    if (error) return finish(std::make_exception_ptr(std::system_error(error, "waiting for a peer")));
    read_in();
  }
  void on_writable(std::error_code error) override {
    waiting_to_write_ = false;
    if (state_ == state::closed) return;
    if (error) return finish(std::make_exception_ptr(std::system_error(error, "waiting for a peer")));
    write_out();
  }

 private:
  enum class state { open, closing, closed };

  void post_read() {
    read_posted_ = true;
    asio::post(executor_, [self = shared_from_this()] {
      self->read_posted_ = false;
      if (self->state_ != state::closed) self->read_in();
    });
  }

  void read_in() {
    if (paused_) return;
    bool more = true;
    for (int i = 0; i < reads_in_a_row && more; ++i) {
      mutable_byte_span room = reader_.prepare();
      transport::outcome got = stream_->read_with(room, reader_.descriptors());
      switch (got.what) {
        case transport::status::done: break;
        case transport::status::would_block: return wait_readable();
        case transport::status::end: return finish(end_reason());
        case transport::status::failed: return finish(ends_in_order() ? nullptr : got.failure);
      }
      ++reads_;
      reader_.commit(got.bytes);
      more = got.bytes == room.size() || stream_->has_pending_input();
      if (!deliver()) return;
      if (paused_) return;
    }
    if (more)
      post_read();
    else
      wait_readable();
  }

  void wait_readable() {
    waiting_to_read_ = true;
    stream_->async_wait_readable(shared_from_this());
  }

  // Hands out what was read; false when the channel was closed by that.
  bool deliver() {
    delivering_ = true;
    std::exception_ptr failure;
    try {
      message got;
      bool any = false;
      while (state_ != state::closed && reader_.next(got)) {
        if (got.type == message_type::heartbeat) continue;
        if (got.type == message_type::goodbye) heard_goodbye_ = true;
        any = true;
        if (handlers_.on_message && !abandoned_) handlers_.on_message(std::move(got));
      }
      if (any && state_ != state::closed && handlers_.on_batch_end && !abandoned_) handlers_.on_batch_end();
    } catch (...) {
      failure = std::current_exception();
    }
    after_callback(failure);
    return state_ != state::closed;
  }

  void after_callback(const std::exception_ptr& failure) {
    delivering_ = false;
    if (failure) finish(failure);
    if (std::exchange(drop_when_delivered_, false)) drop_handlers();
    if (state_ != state::closed && !waiting_to_write_) write_out();
  }

  bool ends_in_order() const noexcept { return heard_goodbye_ || (state_ == state::closing && !broken_); }

  std::exception_ptr end_reason() const {
    if (ends_in_order()) return nullptr;
    if (broken_) return write_failure_;
    return std::make_exception_ptr(error(errc::peer_closed, reader_.at_boundary()
                                                                ? "the peer closed the connection"
                                                                : "the connection ended in the middle of a message"));
  }

  // While messages of a read are being delivered, and in the rest of a turn, sends only queue.
  void queue_flush() {
    if (delivering_ || flush_posted_ || waiting_to_write_) return;
    flush_posted_ = true;
    asio::post(executor_, [self = shared_from_this()] {
      self->flush_posted_ = false;
      if (self->state_ != state::closed && !self->waiting_to_write_) self->write_out();
    });
  }

  void write_out() {
    if (broken_) return;
    if (writer_.queued_bytes() > low_water_) above_low_water_ = true;
    for (int i = 0; i < writes_in_a_row; ++i) {
      transport::outcome sent = stream_->flush();
      if (sent.what == transport::status::done) {
        if (writer_.empty()) return all_written();
        std::array<byte_span, max_gather> parts;
        std::size_t count = writer_.gather(parts);
        sent = stream_->write_with(std::span<const byte_span>(parts.data(), count), writer_.descriptors());
      }
      if (sent.what == transport::status::would_block) {
        check_drained();
        return wait_writable();
      }
      if (sent.what != transport::status::done) return write_failed(sent.failure);
      ++writes_;
      writer_.consume(sent.bytes);
    }
    check_drained();
    wait_writable();  // others get their turn first
  }

  void wait_writable() {
    waiting_to_write_ = true;
    stream_->async_wait_writable(shared_from_this());
  }

  // What the peer said before it went is still to be read, and may tell why: the reader ends the channel.
  void write_failed(const std::exception_ptr& failure) {
    if (!started_ || paused_) return finish(failure);
    write_failure_ = failure;
    broken_ = true;
    state_ = state::closing;
    arm_linger();
  }

  void all_written() {
    check_drained();
    if (state_ != state::closing || std::exchange(write_ended_, true)) return;
    stream_->shutdown_write();
    arm_linger();
  }

  void check_drained() {
    if (!above_low_water_ || writer_.queued_bytes() > low_water_) return;
    above_low_water_ = false;
    if (!handlers_.on_drained || abandoned_) return;
    asio::post(executor_, [self = shared_from_this()] {
      if (self->state_ == state::closed || self->abandoned_) return;
      self->delivering_ = true;
      std::exception_ptr failure;
      try {
        self->handlers_.on_drained();
      } catch (...) {
        failure = std::current_exception();
      }
      self->after_callback(failure);
    });
  }

  // The end is near: it comes when the peer closes too, or when nothing moved for a while.
  void arm_linger() {
    lingering_ = true;
    timer_.expires_after(linger_time);
    timer_.async_wait([self = shared_from_this(), writes = writes_](std::error_code error) {
      if (error || self->state_ == state::closed) return;
      if (self->writes_ != writes) return self->arm_linger();
      self->finish(self->write_ended_ || self->broken_ ? self->write_failure_
                                                       : std::make_exception_ptr(corolith::error(
                                                             errc::peer_silent, "the peer takes no more messages")));
    });
  }

  void arm_timer() {
    if (lingering_) return;
    timer_.expires_after(std::min(heartbeat_interval_, std::max(silence_limit_ / 4, std::chrono::milliseconds(1))));
    timer_.async_wait([self = shared_from_this()](std::error_code error) {
      if (!error && self->state_ != state::closed && !self->lingering_) self->tick();
    });
  }

  void tick() {
    channel::clock::time_point now = channel::clock::now();
    if (std::exchange(reads_seen_, reads_) != reads_ || paused_ || read_posted_) last_heard_ = now;
    if (std::exchange(writes_seen_, writes_) != writes_) last_sent_ = now;
    if (now - last_heard_ >= silence_limit_) {
      // This thread may have been away for long: what came meanwhile counts.
      if (!std::exchange(last_look_, true)) {
        timer_.expires_after(std::chrono::milliseconds(1));
        timer_.async_wait([self = shared_from_this()](std::error_code error) {
          if (!error && self->state_ != state::closed && !self->lingering_) self->tick();
        });
        return;
      }
      return finish(std::make_exception_ptr(
          error(errc::peer_silent, "nothing was heard from the peer (" + stream_->describe() + ") for " +
                                       std::to_string(silence_limit_.count()) + " ms")));
    }
    last_look_ = false;
    if (now - last_sent_ >= heartbeat_interval_ && state_ == state::open) {
      writer_.append_urgent(message_type::heartbeat);
      if (!waiting_to_write_) write_out();
      last_sent_ = now;
    }
    if (state_ != state::closed) arm_timer();
  }

  // Ends everything now; on_close follows from the loop.
  void finish(std::exception_ptr reason) {
    if (state_ == state::closed) return;
    state_ = state::closed;
    stream_->close();
    timer_.cancel();
    writer_ = frame_writer();
    close_reason_ = std::move(reason);
    if (started_) report_close(close_reason_);
  }

  void report_close(std::exception_ptr reason) {
    // The handlers often own the channel's owner: they go before on_close is called, which then is nobody's property.
    auto call = std::exchange(handlers_.on_close, nullptr);
    drop_handlers();
    if (!call || abandoned_) return;
    on_close_ = std::move(call);
    asio::post(executor_, [self = shared_from_this(), reason = std::move(reason)] {
      if (auto last_call = std::exchange(self->on_close_, nullptr)) last_call(reason);
    });
  }

  // Handlers hold what the user captured, the channel too perhaps. One that runs just now must outlive its own call.
  void drop_handlers() {
    if (delivering_) {
      drop_when_delivered_ = true;
      return;
    }
    channel::events gone = std::exchange(handlers_, {});
    if (abandoned_) on_close_ = nullptr;
  }

  std::shared_ptr<transport> stream_;
  asio::any_io_executor executor_;
  frame_reader reader_;
  frame_writer writer_;
  channel::events handlers_;
  std::function<void(std::exception_ptr)> on_close_;
  asio::steady_timer timer_;
  std::exception_ptr write_failure_;
  std::exception_ptr close_reason_;

  state state_ = state::open;
  bool started_ = false;
  bool abandoned_ = false;
  bool paused_ = false;
  bool delivering_ = false;
  bool drop_when_delivered_ = false;
  bool waiting_to_read_ = false;
  bool waiting_to_write_ = false;
  bool read_posted_ = false;
  bool flush_posted_ = false;
  bool said_goodbye_ = false;
  bool heard_goodbye_ = false;
  bool write_ended_ = false;
  bool broken_ = false;
  bool lingering_ = false;
  bool last_look_ = false;
  bool above_low_water_ = false;
  std::size_t low_water_ = 1024 * 1024;

  std::uint64_t reads_ = 0, reads_seen_ = 0;
  std::uint64_t writes_ = 0, writes_seen_ = 0;
  std::chrono::milliseconds heartbeat_interval_{0};
  std::chrono::milliseconds silence_limit_{0};
  channel::clock::time_point last_heard_{};
  channel::clock::time_point last_sent_{};
};

}  // namespace detail

COROLITH_DECL std::shared_ptr<channel> channel::over(std::shared_ptr<transport> stream, frame_limits limits) {
  return std::make_shared<channel>(std::make_shared<detail::channel_core>(std::move(stream), limits));
}

COROLITH_DECL channel::channel(std::shared_ptr<detail::channel_core> core) noexcept : core_(std::move(core)) {}
COROLITH_DECL channel::~channel() { core_->abandon(); }

COROLITH_DECL void channel::start(events handlers) { core_->start(std::move(handlers)); }
COROLITH_DECL void channel::send(message_type type, shared_bytes body) { core_->send(type, {}, std::move(body)); }
COROLITH_DECL void channel::send(message_type type, byte_span head, shared_bytes tail) {
  core_->send(type, head, std::move(tail));
}
COROLITH_DECL void channel::send_urgent(message_type type) { core_->send_urgent(type); }
COROLITH_DECL void channel::flush() { core_->flush(); }
COROLITH_DECL void channel::close(std::exception_ptr reason) { core_->close(std::move(reason)); }
COROLITH_DECL void channel::close_when_sent() { core_->close_when_sent(); }
COROLITH_DECL bool channel::is_open() const noexcept { return core_->is_open(); }
COROLITH_DECL std::size_t channel::queued_bytes() const noexcept { return core_->queued_bytes(); }
COROLITH_DECL void channel::set_low_water(std::size_t bytes) noexcept { core_->set_low_water(bytes); }
COROLITH_DECL void channel::keep_alive(std::chrono::milliseconds interval, std::chrono::milliseconds timeout) {
  core_->keep_alive(interval, timeout);
}
COROLITH_DECL void channel::assemble_in_segments() noexcept { core_->assemble_in_segments(); }
COROLITH_DECL void channel::pause_reading() { core_->pause_reading(); }
COROLITH_DECL void channel::resume_reading() { core_->resume_reading(); }

}  // namespace corolith::inline v0::wire
