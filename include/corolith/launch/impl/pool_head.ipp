// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>
#include <corolith/core/machine.hpp>
#include <corolith/launch/pool_head.hpp>
#include <corolith/wire/listener.hpp>

#include <asio/io_context.hpp>
#include <asio/post.hpp>

#include <fmt/format.h>

#include <chrono>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

namespace corolith {
inline namespace v0 {
namespace launch {
namespace detail {

inline std::string how_to_start(const std::string& name) {
  return fmt::format("start it with: corolith pool up {}", name);
}

inline std::string left_by_dead_head(const pool_folder& folder, const pool_record& record) {
  folder.remove(false);
  return fmt::format(
      "the pool {} is down: its head (process {} on {}) ended without taking it down, and what it left was "
      "removed; {}",
      record.name, record.pid, record.host, how_to_start(record.name));
}

inline bool is_loopback(std::string_view address) {
  return address.starts_with("tcp:127.") || address.starts_with("tcp:[::1]") || address.starts_with("tcp:localhost");
}

/// One address after the other.
class head_search : public std::enable_shared_from_this<head_search> {
 public:
  head_search(asio::io_context& io, pool_folder folder, pool_record record, head_callback done)
      : io_(io), folder_(std::move(folder)), record_(std::move(record)), done_(std::move(done)) {}

  void run() {
    try {
      secret_.emplace(wire::secret::load(folder_.secret_file()));
    } catch (const std::exception& problem) {
      return finish(problem.what());
    }
    next();
  }

 private:
  void next() {
    if (place_ == record_.addresses.size()) return give_up();
    const std::string& text = record_.addresses[place_++];
    try {
      wire::hello mine;
      mine.role = wire::role::client;
      wire::async_connect(
          io_, wire::address::parse(text), secret_, mine, wire::role::head,
          [self = shared_from_this(), text](const std::exception_ptr& problem, std::shared_ptr<wire::channel> head) {
            if (!problem) return std::exchange(self->done_, nullptr)(nullptr, std::move(head));
            self->failed(text, problem);
          },
          std::chrono::seconds(5));
    } catch (const std::exception& problem) {
      why_ += fmt::format("\n  {}: {}", text, problem.what());
      next();
    }
  }

  void failed(const std::string& text, const std::exception_ptr& problem) {
    try {
      std::rethrow_exception(problem);
    } catch (const wire::connect_error& unreachable) {
      if (!is_loopback(text)) ++(unreachable.cause() == std::errc::connection_refused ? refused_ : unheard_);
      why_ += fmt::format("\n  {}: {}", text, unreachable.what());
    } catch (const std::exception& other) {
      ++unheard_;
      why_ += fmt::format("\n  {}: {}", text, other.what());
    }
    next();
  }

  void give_up() {
    // Its machine says at every address that nobody listens, and nobody has the lock: that head is dead.
    if (refused_ != 0 && unheard_ == 0 && state_of(record_) != head_state::alive && !folder_.is_claimed())
      return finish(left_by_dead_head(folder_, record_));
    if (record_.launcher == "local" && record_.host != host_name())
      why_ = fmt::format(": it is on {} alone, and so are its nodes", record_.host);
    finish(fmt::format("the head of the pool {} (process {} on {}) cannot be reached{}", record_.name, record_.pid,
                       record_.host, why_));
  }

  void finish(const std::string& why) {
    asio::post(io_, [done = std::exchange(done_, nullptr), failure = launch_failed(why)] {
      done(std::make_exception_ptr(failure), nullptr);
    });
  }

  asio::io_context& io_;
  pool_folder folder_;
  pool_record record_;
  head_callback done_;
  std::optional<wire::secret> secret_;
  std::size_t place_ = 0;
  std::string why_;
  int refused_ = 0;  // addresses where nobody listens, of those that mean the head's machine from everywhere
  int unheard_ = 0;  // and where that is not known
};

}  // namespace detail

COROLITH_DECL std::string no_such_pool(const pool_folder& folder) {
  return fmt::format("there is no pool {} ({}); {}", folder.name(), folder.path(), detail::how_to_start(folder.name()));
}

COROLITH_DECL pool_record record_of_pool(const pool_folder& folder) {
  std::optional<pool_record> record = folder.read();
  if (!record) throw launch_failed(no_such_pool(folder));
  if (state_of(*record) == head_state::gone && !folder.is_claimed())
    throw launch_failed(detail::left_by_dead_head(folder, *record));
  return std::move(*record);
}

COROLITH_DECL void async_connect_head(asio::io_context& io, const pool_folder& folder, const pool_record& record,
                                      head_callback done) {
  std::make_shared<detail::head_search>(io, folder, record, std::move(done))->run();
}

}  // namespace launch
}  // namespace v0
}  // namespace corolith
