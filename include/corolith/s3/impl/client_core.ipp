// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/log.hpp>
#include <corolith/s3/detail/client_core.hpp>
#include <corolith/s3/openssl.hpp>
#include <corolith/s3/profile.hpp>

#include <algorithm>
#include <cmath>
#include <exception>

namespace corolith::inline v0::s3::detail {

inline transport_options transport_of(const client_options& options, std::size_t most_connections) {
  transport_options made;
  made.tls = options.tls;
  made.connect_timeout = options.connect_timeout;
  made.idle_timeout = options.idle_timeout;
  made.keep_alive = options.keep_alive;
  made.most_connections = most_connections;
  return made;
}

COROLITH_DECL lane::lane(client_core& owner, std::size_t most_connections)
    : core(owner),
      loop(owner.options().io),
      pool(std::in_place, loop, transport_of(owner.options(), most_connections)),
      first_bytes(owner.options().hedge_at_least),
      thread_([this] {
        try {
          loop.run();
        } catch (const std::exception& failure) {
          log::error(std::string("a thread of an S3 client ended early: ") + failure.what());
        }
        const corolith::detail::current_loop_scope still(&loop);  // where a pool can be taken apart at once
        pool.reset();
      }) {}

COROLITH_DECL lane::~lane() {
  loop.close();
  thread_.join();
}

COROLITH_DECL task<const credentials*> lane::keys() {
  constexpr std::chrono::seconds asked_again{60};
  constexpr std::chrono::minutes early{5};
  const time_point now = std::chrono::system_clock::now();
  if (keys_at_hand() == nullptr) {
    credentials given = co_await core.provider->get();
    keys_good_until_ = now + asked_again;
    if (given.expires) keys_good_until_ = std::min(keys_good_until_, *given.expires - early);
    keys_ = std::move(given);
  }
  co_return &keys_;
}

/// Fills in what the environment and the profile say.
inline client_options resolved(client_options options) {
  profile_location where;
  where.name = options.profile;
  const surroundings around = surroundings::find(where);
  if (options.endpoint.empty()) options.endpoint = around.endpoint_url;
  if (options.region.empty()) options.region = around.region;
  if (options.tls.ca_file.empty() && options.tls.ca_path.empty()) options.tls.ca_file = around.ca_file;
  if (!options.path_style && around.addressing_style == "path") options.path_style = true;
  if (!options.path_style && around.addressing_style == "virtual") options.path_style = false;
  if (options.credentials == nullptr) options.credentials = default_credentials(where);
  if (options.most_connections == 0) {
    constexpr double gbit_s_each = 0.4;
    options.most_connections =
        static_cast<std::size_t>(std::clamp(std::ceil(options.target_gbit_s / gbit_s_each), 10.0, 250.0));
  }
  options.io_threads = std::max(1U, options.io_threads);
  options.part_size = std::max<std::size_t>(options.part_size, 1);
  options.memory_budget = std::max(options.memory_budget, options.part_size);
  return options;
}

inline endpoint home_of(const client_options& options) {
  const addressing style = !options.path_style   ? addressing::automatic
                           : *options.path_style ? addressing::path
                                                 : addressing::virtual_host;
  if (!options.endpoint.empty()) return endpoint::parse(options.endpoint, options.region, style);
  endpoint amazon = endpoint::aws(options.region.empty() ? "us-east-1" : options.region);
  amazon.style = style;
  return amazon;
}

COROLITH_DECL client_core::client_core(client_options given)
    : budget(given.retry.budget),
      memory(std::max(given.memory_budget, std::max<std::size_t>(given.part_size, 1))),
      buffers(std::max<std::size_t>(given.part_size, 1)),
      options_(resolved(std::move(given))),
      home_(std::make_shared<const endpoint>(detail::home_of(options_))) {
  start_openssl();  // whose end must come after that of a client that is static
  provider = options_.credentials;
  user_agent_ = "corolith/" + std::to_string(COROLITH_VERSION_MAJOR) + '.' + std::to_string(COROLITH_VERSION_MINOR) +
                '.' + std::to_string(COROLITH_VERSION_PATCH);
  if (!options_.user_agent.empty()) user_agent_ += ' ' + options_.user_agent;
  const std::size_t each =
      std::max<std::size_t>(1, (options_.most_connections + options_.io_threads - 1) / options_.io_threads);
  breadth_ = each * options_.io_threads;
  for (unsigned i = 0; i < options_.io_threads; ++i) lanes_.push_back(std::make_unique<lane>(*this, each));
}

COROLITH_DECL std::shared_ptr<const endpoint> client_core::endpoint_of(const std::string& bucket) const {
  if (!learnt_.load(std::memory_order_acquire)) return home_;
  std::lock_guard lock(mutex_);
  const auto found = places_.find(bucket);
  return found == places_.end() ? home_ : found->second;
}

COROLITH_DECL void client_core::learn(const std::string& bucket, endpoint where) {
  auto known = std::make_shared<const endpoint>(std::move(where));
  std::lock_guard lock(mutex_);
  places_[bucket] = std::move(known);
  learnt_.store(true, std::memory_order_release);
}

COROLITH_DECL lane& client_core::behind(const lane& which, std::size_t steps) noexcept {
  const auto at = std::find_if(lanes_.begin(), lanes_.end(), [&](const auto& one) { return one.get() == &which; });
  return *lanes_[(static_cast<std::size_t>(at - lanes_.begin()) + steps) % lanes_.size()];
}

COROLITH_DECL client_counters client_core::counters() const {
  constexpr auto relaxed = std::memory_order_relaxed;
  client_counters now;
  now.requests = counted.requests.load(relaxed);
  now.retries = counted.retries.load(relaxed);
  now.redirects = counted.redirects.load(relaxed);
  now.hedges = counted.hedges.load(relaxed);
  now.bytes_sent = counted.bytes_sent.load(relaxed);
  now.bytes_received = counted.bytes_received.load(relaxed);
  now.memory_in_use = counted.memory_in_use.load(relaxed);
  now.memory_peak = counted.memory_peak.load(relaxed);
  now.connections_opened = counted.connections_opened.load(relaxed);
  now.connections_reused = counted.connections_reused.load(relaxed);
  return now;
}

}  // namespace corolith::inline v0::s3::detail
