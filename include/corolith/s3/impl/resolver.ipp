// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>
#include <corolith/coro/future.hpp>
#include <corolith/s3/detail/resolver.hpp>
#include <corolith/s3/transport_error.hpp>

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <mutex>
#include <random>
#include <stdexcept>
#include <system_error>
#include <thread>

namespace corolith::inline v0::s3::detail {

/// What a thread looks for. It may still be at it when everybody else is gone.
struct resolver::search {
  std::mutex mutex;
  bool done = false;
  addresses found;
  std::exception_ptr failure;
  std::vector<promise<void>> waiting;

  void run(lookup source, const key& of) noexcept {
    addresses result;
    std::exception_ptr problem;
    try {
      result = source(of.first, of.second);
    } catch (...) {
      problem = std::current_exception();
    }
    std::vector<promise<void>> told;
    {
      std::lock_guard lock(mutex);
      found = std::move(result);
      failure = std::move(problem);
      done = true;
      told.swap(waiting);
    }
    for (promise<void>& each : told) each.set_value();
  }
};

struct resolver::entry {
  struct known {
    uring::socket_address address;
    corolith::loop::time_point failed_until;
  };
  std::vector<known> all;
  corolith::loop::time_point good_until;
  std::size_t next = 0;
  std::shared_ptr<search> looking;
};

namespace resolving {

/// The system's resolver, which may take many seconds.
inline resolver::addresses look_up(const std::string& host, std::uint16_t port) {
  ::addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV;
  ::addrinfo* first = nullptr;
  const std::string name =
      host.ends_with(".localhost") ? "localhost" : host;  // RFC 6761, 6.3; not every system does it
  int result = ::getaddrinfo(name.c_str(), std::to_string(port).c_str(), &wanted, &first);
  if (result == EAI_NONAME || result == EAI_ADDRFAMILY) {  // AI_ADDRCONFIG does not count loopback
    wanted.ai_flags = AI_NUMERICSERV;
    result = ::getaddrinfo(name.c_str(), std::to_string(port).c_str(), &wanted, &first);
  }
  if (result == EAI_SYSTEM) throw std::system_error(errno, std::generic_category());
  if (result != 0) throw std::runtime_error(::gai_strerror(result));
  const std::unique_ptr<::addrinfo, decltype(&::freeaddrinfo)> owner(first, &::freeaddrinfo);
  resolver::addresses found;
  for (const ::addrinfo* each = first; each != nullptr; each = each->ai_next)
    if (each->ai_family == AF_INET || each->ai_family == AF_INET6) found.emplace_back(each->ai_addr, each->ai_addrlen);
  return found;
}

inline bool is_numbers(const std::string& host) {
  ::in6_addr room{};
  return ::inet_pton(AF_INET, host.c_str(), &room) == 1 || ::inet_pton(AF_INET6, host.c_str(), &room) == 1;
}

inline bool same(const uring::socket_address& a, const uring::socket_address& b) {
  return a.to_string() == b.to_string();
}

[[noreturn]] inline void fail(const std::string& host, const std::string& why) {
  throw transport_error(errc::unreachable, "the host name '" + host + "' has no address: " + why);
}

}  // namespace resolving

COROLITH_DECL resolver::resolver(std::chrono::nanoseconds keep) : resolver(&resolving::look_up, keep) {}
COROLITH_DECL resolver::resolver(lookup source, std::chrono::nanoseconds keep) : source_(source), keep_(keep) {}
COROLITH_DECL resolver::~resolver() = default;

COROLITH_DECL task<resolver::addresses> resolver::resolve(std::string host, std::uint16_t port) {
  if (resolving::is_numbers(host)) co_return addresses{uring::socket_address::of_ip(host, port)};
  entry& known = entries_[key(host, port)];  // stays where it is: nothing is ever erased
  if (known.all.empty() || corolith::loop::clock::now() >= known.good_until)
    co_await look_up_again(&known, key(host, port));
  co_return in_order(known);
}

inline task<void> resolver::look_up_again(entry* known, key of) {
  if (!known->looking) {
    auto fresh = std::make_shared<search>();
    std::thread([fresh, source = source_, of] { fresh->run(source, of); }).detach();
    known->looking = fresh;
  }
  const std::shared_ptr<search> looking = known->looking;
  future<void> end;
  {
    std::lock_guard lock(looking->mutex);
    if (!looking->done) end = looking->waiting.emplace_back().get_future();
  }
  if (end.valid()) co_await end;
  if (known->looking == looking) {  // the first to come back of those who waited
    known->looking.reset();
    take(*known, *looking);
  }
  if (!known->all.empty()) co_return;  // what was true a while ago is better than nothing
  try {
    if (looking->failure) std::rethrow_exception(looking->failure);
  } catch (const std::exception& problem) {
    resolving::fail(of.first, problem.what());
  }
  resolving::fail(of.first, "it has none for TCP over IPv4 or IPv6");
}

inline void resolver::take(entry& known, search& from) {
  known.good_until = corolith::detail::deadline_after(keep_);
  if (from.found.empty()) return;
  std::shuffle(from.found.begin(), from.found.end(), std::minstd_rand(std::random_device()()));
  known.all.clear();
  for (const uring::socket_address& each : from.found) known.all.push_back({each, {}});
}

inline resolver::addresses resolver::in_order(entry& known) {
  const auto now = corolith::loop::clock::now();
  addresses order, last;
  for (std::size_t i = 0; i < known.all.size(); ++i) {
    const entry::known& each = known.all[(known.next + i) % known.all.size()];
    (each.failed_until > now ? last : order).push_back(each.address);
  }
  ++known.next;
  order.insert(order.end(), last.begin(), last.end());
  return order;
}

COROLITH_DECL void resolver::failed(const std::string& host, std::uint16_t port, const uring::socket_address& address) {
  const auto found = entries_.find(key(host, port));
  if (found == entries_.end()) return;
  entry& known = found->second;
  const auto now = corolith::loop::clock::now();
  bool all = true;
  for (entry::known& each : known.all) {
    if (resolving::same(each.address, address)) each.failed_until = corolith::detail::deadline_after(keep_);
    all = all && each.failed_until > now;
  }
  if (all) known.good_until = now;
}

}  // namespace corolith::inline v0::s3::detail
