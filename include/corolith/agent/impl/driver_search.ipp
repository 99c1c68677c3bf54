// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/agent/detail/driver_search.hpp>

#include <corolith/core/error.hpp>
#include <corolith/core/log.hpp>
#include <corolith/wire/listener.hpp>

#include <algorithm>
#include <numeric>
#include <utility>

namespace corolith {
inline namespace v0 {
namespace agent {
namespace detail {

inline constexpr std::chrono::milliseconds next_address_after{1000};
inline constexpr std::chrono::milliseconds longest_pause{2000};

// A comma may be part of a path, so it ends an address only where another one starts.
COROLITH_DECL std::vector<wire::address> parse_addresses(std::string_view text) {
  std::vector<wire::address> places;
  for (;;) {
    const std::size_t end = std::min(text.find(",unix:"), text.find(",tcp:"));
    places.push_back(wire::address::parse(text.substr(0, end)));
    if (end == std::string_view::npos) return places;
    text.remove_prefix(end + 1);
  }
}

COROLITH_DECL driver_search::driver_search(asio::io_context& io, const std::vector<wire::address>& places,
                                           std::optional<wire::secret> secret, search_settings settings, callback done)
    : io_(io), timer_(io), secret_(std::move(secret)), settings_(settings), done_(std::move(done)) {
  for (const wire::address& each : places) places_.push_back({each, {}});
  order_.resize(places_.size());
  std::iota(order_.begin(), order_.end(), std::size_t{0});
  if (settings_.was_at)
    std::rotate(order_.begin(), order_.begin() + static_cast<std::ptrdiff_t>(*settings_.was_at), order_.end());
}

COROLITH_DECL void driver_search::run() {
  until_ = clock::now() + settings_.wait + settings_.total;
  wait(settings_.wait);
}

COROLITH_DECL void driver_search::wait(std::chrono::milliseconds time) {
  timer_.expires_after(time);
  timer_.async_wait([weak = weak_from_this()](const asio::error_code& problem) {
    if (const auto self = weak.lock(); self && !problem) self->next();
  });
}

COROLITH_DECL void driver_search::next() {
  if (!done_) return;
  const bool hope = std::any_of(places_.begin(), places_.end(), [](const place& each) { return each.trying; });
  if (clock::now() >= until_) {
    if (!hope) give_up();
    return;  // the attempt under way ends in time, too
  }
  if (next_ == order_.size()) next_ = 0;
  while (next_ < order_.size()) {
    const std::size_t number = order_[next_++];
    if (places_[number].trying || places_[number].over) continue;
    attempt(number);
    break;
  }
  if (next_ < order_.size()) return wait(next_address_after);
  wait(std::min(pause_, std::max(std::chrono::duration_cast<std::chrono::milliseconds>(until_ - clock::now()),
                                 std::chrono::milliseconds(0))));
  pause_ = std::min(2 * pause_, longest_pause);
}

COROLITH_DECL void driver_search::attempt(std::size_t number) {
  places_[number].trying = true;
  wire::hello mine;
  mine.role = settings_.mine;
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until_ - clock::now());
  wire::async_connect(
      io_, places_[number].where, secret_, mine, settings_.theirs,
      [weak = weak_from_this(), number](const std::exception_ptr& problem, std::shared_ptr<wire::channel> channel) {
        const auto self = weak.lock();
        if (!self || !self->done_) return;  // another was faster
        self->places_[number].trying = false;
        if (problem) return self->failed(number, problem);
        self->timer_.cancel();
        std::exchange(self->done_, nullptr)(nullptr, std::move(channel), number);
      },
      std::clamp(left, std::chrono::milliseconds(1), settings_.attempt));
}

COROLITH_DECL void driver_search::failed(std::size_t number, const std::exception_ptr& problem) {
  place& at = places_[number];
  bool final = false;
  try {
    std::rethrow_exception(problem);
  } catch (const wire::handshake_error& refused) {
    at.why = refused.what();
    at.over = refused.kind() != wire::refusal::silent;
    final = refused.kind() == wire::refusal::proven;
  } catch (const wire::connect_error& unreachable) {
    at.why = unreachable.what();
    const std::error_code cause = unreachable.cause();
    const bool nobody = cause == std::errc::connection_refused || cause == std::errc::no_such_file_or_directory;
    // A Unix socket is there before its address is told to anybody; over TCP, a tunnel may still have to come up.
    at.over = nobody && at.where.kind == wire::address::family::unix_socket;
    final = nobody && settings_.was_at == number;
  } catch (const config_error& wrong) {
    at.why = wrong.what();
    at.over = true;
  } catch (const std::exception& other) {
    at.why = other.what();
  }
  log::debug("agent: " + at.why);
  if (final || std::all_of(places_.begin(), places_.end(), [](const place& each) { return each.over; }))
    return give_up();
  if (clock::now() >= until_ || next_ < order_.size()) next();
}

COROLITH_DECL void driver_search::give_up() {
  timer_.cancel();
  std::string text = "no connection to the " + wire::to_string(settings_.theirs);
  for (const place& each : places_)
    text += (places_.size() == 1 ? " at " : "\n  ") + each.where.to_string() + ": " +
            (each.why.empty() ? "it was not tried" : each.why);
  std::exchange(done_, nullptr)(std::make_exception_ptr(error(errc::peer_closed, text)), nullptr, 0);
}

}  // namespace detail
}  // namespace agent
}  // namespace v0
}  // namespace corolith
