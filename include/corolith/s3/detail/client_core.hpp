// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/coro/run_on.hpp>
#include <corolith/coro/semaphore.hpp>
#include <corolith/coro/task.hpp>
#include <corolith/coro/this_task.hpp>
#include <corolith/s3/client_counters.hpp>
#include <corolith/s3/client_options.hpp>
#include <corolith/s3/detail/buffer_pool.hpp>
#include <corolith/s3/detail/connection_pool.hpp>
#include <corolith/s3/detail/first_byte_times.hpp>
#include <corolith/s3/endpoint.hpp>
#include <corolith/uring/io_loop.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace corolith::inline v0::s3::detail {

class client_core;

/// A thread with its loop, and what only that thread uses.
class lane {
 public:
  COROLITH_DECL lane(client_core& owner, std::size_t most_connections);
  COROLITH_DECL ~lane();
  lane(const lane&) = delete;
  lane& operator=(const lane&) = delete;

  client_core& core;
  uring::io_loop loop;
  std::optional<connection_pool> pool;
  first_byte_times first_bytes;
  std::set<std::string, std::less<>> proven_buckets;  ///< which have answered: a large body may be sent to them at once

  /// Valid credentials, if they are at hand. They stay until the next `await`.
  const credentials* keys_at_hand() const noexcept {
    return std::chrono::system_clock::now() < keys_good_until_ ? &keys_ : nullptr;
  }
  /// Asks for them, where they are not.
  COROLITH_DECL task<const credentials*> keys();
  /// Those that are known have been refused: asks for others.
  void forget_keys() noexcept { keys_good_until_ = {}; }

 private:
  credentials keys_;
  time_point keys_good_until_{};
  std::thread thread_;
};

/// What the copies of a client share. Verbs hold it by shared_ptr on the loops of those who await them; what runs on lanes points to it, since
/// its end is the end of all that runs there.
class client_core {
 public:
  COROLITH_DECL explicit client_core(client_options given);

  const client_options& options() const noexcept { return options_; }
  const endpoint& home() const noexcept { return *home_; }
  const std::string& user_agent() const noexcept { return user_agent_; }
  /// The endpoint for a bucket, which may be in another region than the client.
  COROLITH_DECL std::shared_ptr<const endpoint> endpoint_of(const std::string& bucket) const;
  COROLITH_DECL void learn(const std::string& bucket, endpoint where);

  /// The time by the server's clock, as far as it is known to differ from ours.
  time_point now() const noexcept { return std::chrono::system_clock::now() + skew(); }
  std::chrono::seconds skew() const noexcept { return std::chrono::seconds(skew_.load(std::memory_order_relaxed)); }
  void set_skew(std::chrono::seconds difference) noexcept {
    skew_.store(difference.count(), std::memory_order_relaxed);
  }

  /// Where the next operation runs, and the lane `steps` behind one.
  lane& choose() noexcept { return *lanes_[next_lane_.fetch_add(1, std::memory_order_relaxed) % lanes_.size()]; }
  /// The lane whose loop this is; null when it is another one.
  lane* lane_of(const loop& which) const noexcept {
    for (const auto& each : lanes_)
      if (&each->loop == &which) return each.get();
    return nullptr;
  }
  COROLITH_DECL lane& behind(const lane& which, std::size_t steps) noexcept;
  /// How many requests of one operation go on at once.
  std::size_t breadth() const noexcept { return breadth_; }
  std::size_t part_size() const noexcept { return options_.part_size; }

  std::shared_ptr<credentials_provider> provider;
  retry_budget budget;
  semaphore memory;  ///< bytes of the budget
  buffer_pool buffers;

  struct {
    std::atomic<std::uint64_t> requests{0}, retries{0}, redirects{0}, hedges{0}, bytes_sent{0}, bytes_received{0};
    std::atomic<std::uint64_t> connections_opened{0}, connections_reused{0}, memory_in_use{0}, memory_peak{0};
  } counted;
  COROLITH_DECL client_counters counters() const;

 private:
  client_options options_;
  std::shared_ptr<const endpoint> home_;
  std::string user_agent_;
  std::size_t breadth_;
  std::atomic<std::int64_t> skew_{0};
  std::atomic<bool> learnt_{false};
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const endpoint>> places_;  // of buckets that are not at home_
  std::atomic<std::size_t> next_lane_{0};
  std::vector<std::unique_ptr<lane>> lanes_;  // the first to go: what runs there uses all of the above
};

using core_ptr = std::shared_ptr<client_core>;

/// Runs `verb(lane, arguments...)` on a lane of the client, which lives until then.
template <class T, class... Parameters, class... Arguments>
task<T> on_a_lane(core_ptr core, task<T> (*verb)(lane*, Parameters...), Arguments... arguments) {
  const loop& home = co_await this_loop();
  lane* own = core->lane_of(home);
  lane* at = own != nullptr ? own : &core->choose();
  task<T> work = verb(at, std::move(arguments)...);
  if (own != nullptr) co_return co_await std::move(work);
  co_return co_await run_on(at->loop, std::move(work));
}

inline task<void> moved_to(lane* at, task<void> work) { co_await run_on(at->loop, std::move(work)); }
/// The same task, or one that runs it on another lane than `now`.
inline task<void> on_lane(lane* at, lane* now, task<void> work) {
  return at == now ? std::move(work) : moved_to(at, std::move(work));
}

}  // namespace corolith::inline v0::s3::detail

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/s3/impl/client_core.ipp>
#endif
