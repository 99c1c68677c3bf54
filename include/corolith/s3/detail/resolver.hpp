// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/coro/loop.hpp>
#include <corolith/coro/task.hpp>
#include <corolith/uring/socket_address.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace corolith::inline v0::s3::detail {

/// Names to addresses, by the system's resolver on a thread of its own, so that no loop waits for it. What was found is
/// kept for a while. Each answer begins with another address, so that connections spread over all of them. To be used on
/// one loop.
class resolver {
 public:
  using addresses = std::vector<uring::socket_address>;
  /// Gives all addresses of a host, or throws std::system_error or any other. Called on a thread of its own.
  using lookup = addresses (*)(const std::string& host, std::uint16_t port);

  COROLITH_DECL explicit resolver(std::chrono::nanoseconds keep = std::chrono::seconds(60));
  /// With another source than the system's.
  COROLITH_DECL resolver(lookup source, std::chrono::nanoseconds keep);
  COROLITH_DECL ~resolver();
  resolver(const resolver&) = delete;
  resolver& operator=(const resolver&) = delete;

  /// The addresses in the order in which they are to be tried, at least one. Throws transport_error with errc::unreachable when
  /// there is none. Several tasks may wait for the same name, which is looked up once.
  COROLITH_DECL task<addresses> resolve(std::string host, std::uint16_t port);
  /// No connection to this address could be made: for a while it comes last. When all of a name have failed, the name
  /// is looked up again.
  COROLITH_DECL void failed(const std::string& host, std::uint16_t port, const uring::socket_address& address);

 private:
  struct entry;
  struct search;
  using key = std::pair<std::string, std::uint16_t>;

  task<void> look_up_again(entry* known, key of);
  void take(entry& known, search& from);
  addresses in_order(entry& known);

  lookup source_;
  std::chrono::nanoseconds keep_;
  std::map<key, entry> entries_;
};

}  // namespace corolith::inline v0::s3::detail

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/s3/impl/resolver.ipp>
#endif
