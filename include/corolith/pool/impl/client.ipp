// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>
#include <corolith/launch/pool_head.hpp>
#include <corolith/pool/client.hpp>

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>

#include <fmt/format.h>

#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

namespace corolith {
inline namespace v0 {
namespace pool {
namespace detail {

/// One question on a loop of its own.
class question {
 public:
  explicit question(std::vector<std::string> words) { ask_.words = std::move(words); }

  wire::pool_status put(const launch::pool_folder& folder) {
    launch::async_connect_head(io_, folder, launch::record_of_pool(folder),
                               [this](const std::exception_ptr& problem, std::shared_ptr<wire::channel> head) {
                                 problem ? end(problem) : connected(std::move(head));
                               });
    io_.run();
    if (problem_) std::rethrow_exception(problem_);
    if (!answer_->refusal.empty()) throw launch_failed(fmt::format("pool {}: {}", folder.name(), answer_->refusal));
    return std::move(answer_->status);
  }

 private:
  void connected(std::shared_ptr<wire::channel> head) {
    head_ = std::move(head);
    wire::channel::events events;
    events.on_message = [this](wire::message&& got) {
      if (got.type != wire::message_type::pool_answer) return;
      answer_ = wire::unpack<wire::pool_answer>(got.body);
      end(nullptr);
    };
    events.on_close = [this](const std::exception_ptr& reason) {
      end(reason ? reason : std::make_exception_ptr(launch_failed("the head of the pool closed the connection")));
    };
    head_->start(std::move(events));
    head_->keep_alive(std::chrono::seconds(2), std::chrono::seconds(30));
    head_->send(wire::message_type::pool_ask, wire::pack(ask_));
  }

  void end(std::exception_ptr problem) {
    if (!answer_) problem_ = std::move(problem);
    io_.stop();
  }

  asio::io_context io_{1};
  wire::pool_ask ask_;
  std::shared_ptr<wire::channel> head_;
  std::optional<wire::pool_answer> answer_;
  std::exception_ptr problem_;
};

}  // namespace detail

COROLITH_DECL wire::pool_status ask_head(const launch::pool_folder& folder, std::vector<std::string> words) {
  return detail::question(std::move(words)).put(folder);
}

}  // namespace pool
}  // namespace v0
}  // namespace corolith
