// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/run/detail/backend.hpp>
#include <corolith/wire/messages.hpp>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <unordered_map>
#include <vector>

namespace corolith {
inline namespace v0 {
namespace detail {

/// The elements of one batch from the time they were fed until their calls end. Calls end in any order, but mostly near the
/// front, so a block is dropped when its last call has ended and it has reached the front.
class element_store {
 public:
  void add(element_block block, std::int64_t now_ns) {
    const std::uint32_t count = block.count();
    if (count == 0) return;
    blocks_.push_back({std::move(block), std::vector<std::int64_t>(count, 0), now_ns, count});
  }

  shared_bytes element(std::uint32_t index) { return at(index).block.element(index); }

  void mark_sent(std::uint32_t index, std::int64_t now_ns) {
    stored& place = at(index);
    place.sent_ns[index - place.block.first] = now_ns;
  }

  /// Forgets the element and fills in when it was submitted and sent.
  void end(call_outcome& outcome) {
    const std::uint32_t index = outcome.head.id.index;
    stored& place = at(index);
    outcome.submitted_ns = place.submitted_ns;
    outcome.sent_ns = place.sent_ns[index - place.block.first];
    --place.remaining;
    while (!blocks_.empty() && blocks_.front().remaining == 0) blocks_.pop_front();
  }

 private:
  struct stored {
    element_block block;
    std::vector<std::int64_t> sent_ns;
    std::int64_t submitted_ns;
    std::uint32_t remaining;
  };

  stored& at(std::uint32_t index) {
    auto after = std::upper_bound(blocks_.begin(), blocks_.end(), index,
                                  [](std::uint32_t i, const stored& each) { return i < each.block.first; });
    return *std::prev(after);
  }

  std::deque<stored> blocks_;
};

/// What the driver keeps of a batch.
struct batch_entry {
  std::shared_ptr<batch_link> link;
  shared_bytes opened;  ///< the front of the batch_open that goes once to each agent that gets a call
  shared_bytes shared;  ///< its end: the shared arguments
  element_store elements;
  std::uint64_t fed = 0;     ///< elements so far
  std::uint32_t next = 0;    ///< index behind the last of them: some may have been left out, whose results are known
  std::uint64_t ended = 0;   ///< calls that ended
  std::uint64_t failed = 0;  ///< of `ended`: in an error of their own
  std::uint64_t size = 0;    ///< how many there will be; 0 while that is not known
  wire::call_limits limits;  ///< of each call
  bool input_ended = false;
  bool nested = false;
  bool touched = false;  ///< has ended calls that its link was not yet told to settle

  bool complete() const noexcept { return input_ended && ended == fed; }
};

}  // namespace detail
}  // namespace v0
}  // namespace corolith
