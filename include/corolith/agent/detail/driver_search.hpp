// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/core/version.hpp>
#include <corolith/wire/address.hpp>
#include <corolith/wire/channel.hpp>
#include <corolith/wire/handshake.hpp>
#include <corolith/wire/secret.hpp>

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>

#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace corolith {
inline namespace v0 {
namespace agent {
namespace detail {

/// "unix:/path,tcp:10.0.0.5:4000,tcp:[fe80::1]:4000". Throws config_error.
COROLITH_DECL std::vector<wire::address> parse_addresses(std::string_view text);

/// How long a search for the driver goes on.
struct search_settings {
  std::chrono::milliseconds wait{0};  ///< before the first attempt
  std::chrono::milliseconds total{60000};
  std::chrono::milliseconds attempt{5000};
  /// The place where the driver was before: it is tried first, and when nobody listens there any more the driver has
  /// ended.
  std::optional<std::size_t> was_at = {};
  wire::role mine = wire::role::agent;
  wire::role theirs = wire::role::driver;
};

/// Looks for the driver at several addresses: each is tried for a while, the next one a little later or as soon as one
/// failed, and all of them again until the time is over. Who has shown that it refuses this agent is not asked again.
class driver_search : public std::enable_shared_from_this<driver_search> {
 public:
  /// Called once, from the loop: an error that says of every address why, or the connection and which address it was.
  using callback =
      std::function<void(std::exception_ptr problem, std::shared_ptr<wire::channel> found, std::size_t place)>;

  COROLITH_DECL driver_search(asio::io_context& io, const std::vector<wire::address>& places,
                              std::optional<wire::secret> secret, search_settings settings, callback done);
  COROLITH_DECL void run();

 private:
  using clock = std::chrono::steady_clock;
  struct place {
    wire::address where;
    std::string why;  // it failed last time
    bool trying = false;
    bool over = false;  // not worth another attempt
  };
  COROLITH_DECL void next();
  COROLITH_DECL void attempt(std::size_t number);
  COROLITH_DECL void failed(std::size_t number, const std::exception_ptr& problem);
  COROLITH_DECL void wait(std::chrono::milliseconds time);
  COROLITH_DECL void give_up();

  asio::io_context& io_;
  asio::steady_timer timer_;
  std::vector<place> places_;
  std::vector<std::size_t> order_;
  std::optional<wire::secret> secret_;
  search_settings settings_;
  callback done_;
  clock::time_point until_;
  std::size_t next_ = 0;  // in order_
  std::chrono::milliseconds pause_{100};
};

}  // namespace detail
}  // namespace agent
}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/agent/impl/driver_search.ipp>
#endif
