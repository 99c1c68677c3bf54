// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/bytes.hpp>
#include <corolith/core/call_stats.hpp>
#include <corolith/core/version.hpp>
#include <corolith/wire/messages.hpp>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace corolith {
inline namespace v0 {
namespace detail {

/// Encoded elements of a batch, one behind the other: element `first + i` is bytes[ends[i - 1], ends[i]).
struct element_block {
  std::uint32_t first = 0;
  shared_bytes bytes;
  std::vector<std::uint64_t> ends;

  std::uint32_t count() const noexcept { return static_cast<std::uint32_t>(ends.size()); }
  std::uint64_t largest() const noexcept {
    std::uint64_t begin = 0, most = 0;
    for (const std::uint64_t end : ends) most = std::max(most, end - std::exchange(begin, end));
    return most;
  }
  shared_bytes element(std::uint32_t index) const {
    const std::size_t i = index - first;
    const std::uint64_t begin = i == 0 ? 0 : ends[i - 1];
    return bytes.slice(begin, ends[i] - begin);
  }
};

/// How a call ended, still encoded: it is decoded on the thread that asks for the value.
struct call_outcome {
  wire::result_head head{};                 ///< ids, process, kind, times on the node
  shared_bytes payload;                     ///< the value, or a packed wire::failure
  std::shared_ptr<const std::string> host;  ///< the node that ran it; null when none did
  std::exception_ptr error;                 ///< set where no kind of outcome fits, for example errc::cannot_fit
  std::int64_t submitted_ns = 0;            ///< system_clock, read by the driver, as are the next two
  std::int64_t sent_ns = 0;
  std::int64_t received_ns = 0;
};

/// The caller's side of a batch. The backend calls it on its I/O thread, so an implementation only stores and notifies.
class batch_link {
 public:
  virtual ~batch_link() = default;
  /// Up to `count` more elements would be welcome; answered by backend::feed or end_input from any thread.
  virtual void want_input(std::uint32_t count) noexcept = 0;
  /// Call `outcome.head.id.index` ended; exactly once for each element that was fed.
  virtual void finished(call_outcome&& outcome) noexcept = 0;
  /// A group of `finished` is over: the time to wake whoever waits. `done`: nothing more will come.
  virtual void settle(bool done) noexcept = 0;
  /// The backend cannot go on (launch failed, closed): every call that has not ended ends with this error.
  virtual void abandoned(std::exception_ptr reason) noexcept = 0;
};

/// What is the same for all calls of a batch.
struct batch_request {
  codec::function_key function{};
  shared_bytes shared;  ///< encoded callable state and shared arguments
  wire::call_limits limits{};
  std::uint32_t retries = 0;
  bool lazy = false;                  ///< input is fed as the backend asks for it
  std::optional<std::uint64_t> size;  ///< number of elements where it is known
  std::optional<std::string>
      journal;          ///< its results are kept under this name (empty: it has none); not set: they are not
  bool nested = false;  ///< opened by a call, which waits for it; not counted by the progress line
};

/// Where calls go: the driver's cluster of agents, or, inside a worker, its agent. All functions are safe from any thread.
class backend {
 public:
  virtual ~backend() = default;
  /// Opens a batch; the id is unique in this process.
  virtual std::uint64_t open(std::shared_ptr<batch_link> link, batch_request request) = 0;
  /// Adds elements, in index order; `last` ends the input.
  virtual void feed(std::uint64_t batch, element_block block, bool last) = 0;
  /// The caller took `count` results: as many more may be in the air.
  virtual void consumed(std::uint64_t batch, std::uint32_t count) = 0;
  virtual void cancel(std::uint64_t batch, std::optional<std::uint32_t> index) = 0;
  /// Cancels every open call, now. They end as `cancelled`.
  virtual void cancel_all() = 0;
  /// Ends agents and threads; open calls end with errc::closed. Idempotent; blocks until all is gone.
  virtual void close() = 0;
};

}  // namespace detail
}  // namespace v0
}  // namespace corolith
