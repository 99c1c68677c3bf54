// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../place.hpp"
#include "data.hpp"
#include "job.hpp"

#include <corolith/coro/task.hpp>
#include <corolith/corolith.hpp>
#include <corolith/storage/store.hpp>

#include <sys/resource.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>

/// What runs in workers.
namespace bench::storage {
namespace detail {

inline std::int64_t system_ns() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

inline double cpu_now() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  return processor_seconds(used);
}

/// From construction to `stop`.
class call_watch {
 public:
  call_watch() : cpu_s_(cpu_now()) { times_.began_ns = system_ns(); }

  void store_begins() { begin_ = std::chrono::steady_clock::now(); }
  void store_ends() {
    times_.store_s += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  }
  call_times stop(std::string sum) {
    times_.ended_ns = system_ns();
    times_.cpu_s = cpu_now() - cpu_s_;
    times_.sum = std::move(sum);
    return times_;
  }

 private:
  call_times times_;
  double cpu_s_;
  std::chrono::steady_clock::time_point begin_;
};

}  // namespace detail

/// Prepares a worker, and keeps its slot long enough that other calls go to other slots.
inline place prepare_worker(std::uint32_t, const job& what) {
  source_memory(what.bytes);
  target_memory(what.bytes);
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  return this_place();
}

inline corolith::task<call_times> write_object(std::uint32_t index, job what) {
  detail::call_watch watch;
  const std::span<const std::byte> bytes = object(index, what.bytes);
  const corolith::store store = corolith::this_call().store();
  watch.store_begins();
  co_await store.put(what.key(index), bytes);
  watch.store_ends();
  co_return watch.stop({});
}

inline corolith::task<call_times> read_object(std::uint32_t index, job what) {
  detail::call_watch watch;
  const std::span<std::byte> into = target_memory(what.bytes).span();
  const corolith::store store = corolith::this_call().store();
  std::string sum;
  for (std::uint32_t i = 0; i < what.read_times; ++i) {
    watch.store_begins();
    const std::size_t got = co_await store.get_into(what.key(index), into);
    watch.store_ends();
    if (got != into.size())
      throw std::runtime_error(what.key(index) + " has another size; --mb_per_file is that of the objects");
    sum = checksum_of(into, what.sum);
  }
  co_return watch.stop(sum);
}

}  // namespace bench::storage
