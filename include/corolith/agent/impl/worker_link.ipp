// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/agent/detail/worker_link.hpp>

#include <corolith/wire/transport.hpp>

#include <asio/local/stream_protocol.hpp>

#include <exception>
#include <utility>
#include <vector>

namespace corolith {
inline namespace v0 {
namespace agent {
namespace detail {

COROLITH_DECL void worker_link::connect(asio::io_context& io, std::shared_ptr<worker_host> host, unique_fd socket) {
  host_ = std::move(host);
  channel_ =
      wire::channel::over(asio::local::stream_protocol::socket(io, asio::local::stream_protocol(), socket.get()));
  socket.release();
  wire::channel::events handlers;
  handlers.on_message = [this](wire::message&& got) {
    if (got.type == wire::message_type::worker_hello) host_->slot_is_up();
    events_.on_worker_message(*this, std::move(got));
  };
  handlers.on_batch_end = [this] { events_.on_worker_batch_end(*this); };
  handlers.on_close = [weak = weak_from_this()](const std::exception_ptr&) {
    const auto self = weak.lock();
    if (!self) return;
    self->channel_gone_ = true;
    const auto host_of_it = self->host_;
    host_of_it->connection_gone(*self);
  };
  channel_->start(std::move(handlers));
}

COROLITH_DECL worker_link::~worker_link() {
  if (host_) std::erase(host_->slots_, this);
}

COROLITH_DECL void worker_link::ask_to_end() {
  asked_to_end_ = true;
  channel_->send(wire::message_type::shutdown);
}

}  // namespace detail
}  // namespace agent
}  // namespace v0
}  // namespace corolith
