// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/schedule/detail/slot_map.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace corolith::inline v0::schedule::detail {

enum class call_state : std::uint8_t { ended, waiting, sent };

/// All that the scheduler knows of one call, in 16 bytes.
struct call_record {
  std::uint32_t agent = no_slot;  ///< where it is; of a waiting call, where it last lost a worker
  std::uint32_t attempt = 0;
  std::uint32_t failures = 0;  ///< executions that cost a retry
  std::uint16_t depth = 1;     ///< the batch's depth when it was sent: what its release gives back
  std::uint8_t losses = 0;     ///< workers that it killed
  call_state state : 2 = call_state::ended;
  bool cancelled : 1 = false;
  bool blocked : 1 = false;
  bool recalled : 1 = false;  ///< of a waiting call: in its last attempt
  bool started : 1 = false;
  bool lasts : 1 = false;  ///< at its agent and not known to be short, nor on its way back
  bool ahead : 1 = false;  ///< sent to wait behind calls that last, and not known to have started, nor on its way back
};
static_assert(sizeof(call_record) == 16);

inline constexpr std::uint32_t calls_per_page = 256;
struct call_page {
  std::uint32_t ended = 0;
  std::array<call_record, calls_per_page> calls{};
};

/// Pages that no batch uses at the moment.
class page_pool {
 public:
  std::unique_ptr<call_page> take() {
    if (free_.empty()) return std::make_unique<call_page>();
    auto page = std::move(free_.back());
    free_.pop_back();
    page->ended = 0;
    return page;
  }
  void give(std::unique_ptr<call_page> page) {
    if (free_.size() < 4096) free_.push_back(std::move(page));
  }

 private:
  std::vector<std::unique_ptr<call_page>> free_;
};

/// The live calls of one batch, by index. Indices are dense and end mostly in order, so they sit in pages; a page whose
/// calls have all ended is used again, so a call that runs for ever costs one page and not all that came after it. The
/// first few have their place in the table itself: a batch of one call needs no page.
class call_table {
 public:
  std::uint32_t size() const noexcept { return size_; }

  /// Appends `count` waiting calls.
  void append(std::uint32_t count, page_pool& pool) {
    call_record fresh;
    fresh.state = call_state::waiting;
    for (; count > 0 && size_ < first_calls; --count) first_[size_++] = fresh;
    while (count > 0) {
      const std::uint32_t in_page = size_ % calls_per_page;
      if (in_page == 0 || pages_.empty()) {
        pages_.push_back(pool.take());
        pages_.back()->ended = in_page;  // those that are in first_
      }
      const std::uint32_t n = std::min(count, calls_per_page - in_page);
      std::fill_n(pages_.back()->calls.begin() + in_page, n, fresh);
      size_ += n;
      count -= n;
    }
  }

  /// Appends `count` calls that have ended.
  void append_ended(std::uint32_t count, page_pool& pool) {
    while (count > 0) {
      const std::uint32_t first = size_, n = std::min(count, calls_per_page);
      append(n, pool);
      for (std::uint32_t index = first; index != size_; ++index) end(index, pool);
      count -= n;
    }
  }

  /// The call, or nullptr when it has ended or never was.
  call_record* find(std::uint32_t index) noexcept {
    call_record* call = nullptr;
    if (index < first_calls) {
      call = &first_[index];
    } else {
      if (index >= size_ || !has_page(index)) return nullptr;
      call = &page_of(index)->calls[index % calls_per_page];
    }
    return call->state == call_state::ended ? nullptr : call;
  }

  void end(std::uint32_t index, page_pool& pool) {
    if (index < first_calls) {
      first_[index].state = call_state::ended;
      return;
    }
    auto& page = page_of(index);
    page->calls[index % calls_per_page].state = call_state::ended;
    if (++page->ended == calls_per_page) {
      pool.give(std::move(page));
      trim();
    }
  }

  /// The first live index from `index` on; size() if there is none.
  std::uint32_t next_live(std::uint32_t index) noexcept {
    while (index < size_) {
      if (find(index) != nullptr) return index;
      const bool skip_page = index >= first_calls && !has_page(index);
      if (skip_page) index |= calls_per_page - 1;
      if (++index == 0) break;
    }
    return size_;
  }

  /// The last live index below `index`; no_slot if there is none.
  std::uint32_t previous_live(std::uint32_t index) noexcept {
    while (index > 0) {
      if (find(--index) != nullptr) return index;
      if (index >= first_calls && !has_page(index)) index = std::max(index & ~(calls_per_page - 1), first_calls);
    }
    return no_slot;
  }

  /// Gives all pages back; every index counts as ended.
  void end_all(page_pool& pool) {
    first_.fill(call_record{});
    for (auto& page : pages_)
      if (page) pool.give(std::move(page));
  }

  void clear(page_pool& pool) {
    end_all(pool);
    pages_.clear();
    gone_ = empty_ = 0;
    size_ = 0;
  }

 private:
  static constexpr std::uint32_t first_calls = 4;

  bool has_page(std::uint32_t index) const noexcept {
    const std::size_t page = index / calls_per_page;
    return page >= gone_ && page - gone_ < pages_.size() && pages_[page - gone_] != nullptr;
  }
  std::unique_ptr<call_page>& page_of(std::uint32_t index) noexcept { return pages_[index / calls_per_page - gone_]; }

  // Empty places at the front of the page list go away in bulk: each costs a constant on average.
  void trim() {
    while (empty_ < pages_.size() && !pages_[empty_]) ++empty_;
    if (empty_ < 64 || empty_ * 2 < pages_.size()) return;
    pages_.erase(pages_.begin(), pages_.begin() + static_cast<std::ptrdiff_t>(empty_));
    gone_ += empty_;
    empty_ = 0;
  }

  std::array<call_record, first_calls> first_{};
  std::vector<std::unique_ptr<call_page>> pages_;
  std::size_t gone_ = 0;   // pages before pages_[0]
  std::size_t empty_ = 0;  // leading places of pages_ that are known to be empty
  std::uint32_t size_ = 0;
};

}  // namespace corolith::inline v0::schedule::detail
