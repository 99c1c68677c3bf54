// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>
#include <corolith/run/detail/journaled_link.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace corolith {
inline namespace v0 {
namespace detail {

COROLITH_DECL journaled_link::journaled_link(std::shared_ptr<batch_link> above, std::shared_ptr<backend> below,
                                             std::shared_ptr<journal> kept, journal::opened opened, bool lazy)
    : above_(std::move(above)),
      below_(std::move(below)),
      journal_(std::move(kept)),
      batch_(std::move(opened)),
      lazy_(lazy),
      reading_(batch_.there.done->count() != 0),
      reader_(journal_->file().read_records(batch_.there.begin, batch_.there.end)) {}

/// The elements [from, to) of a block, as one of their own.
inline element_block part_of(const element_block& block, std::uint32_t from, std::uint32_t to) {
  const std::uint64_t begin = from == 0 ? 0 : block.ends[from - 1];
  element_block part{block.first + from, block.bytes.slice(begin, block.ends[to - 1] - begin), {}};
  part.ends.reserve(to - from);
  for (std::uint32_t i = from; i != to; ++i) part.ends.push_back(block.ends[i] - begin);
  return part;
}

COROLITH_DECL std::vector<element_block> journaled_link::fed(const element_block& block, bool last) {
  const std::uint32_t count = block.count();
  std::vector<std::uint64_t> hashes(count);
  for (std::uint32_t i = 0; i != count; ++i) hashes[i] = element_hash(block.element(block.first + i));
  std::vector<element_block> missing;
  const index_set& done = *batch_.there.done;
  bool too_few;
  {
    std::lock_guard lock(mutex_);
    if (cancelled_ || abandoned_) return {};
    for (std::uint32_t i = 0; i != count; ++i) hashes_.put(block.first + i, hashes[i]);
    for (std::uint32_t at = 0; at != count;) {
      const bool there = done.contains(block.first + at);
      std::uint32_t end = at + 1;
      while (end != count && done.contains(block.first + end) == there) ++end;
      if (there)
        withheld_ += end - at;
      else
        missing.push_back(end - at == count ? block : part_of(block, at, end));
      at = end;
    }
    fed_ += count;
    input_ended_ = input_ended_ || last;
    too_few = last && done.end() > fed_;
  }
  if (too_few)
    other_arguments(
        fmt::format("it ended after {} elements, and the journal has a result of element {}", fed_, done.end() - 1));
  return missing;
}

// With the mutex held: how many elements to ask for, now that so many more are allowed, and so many needed in all.
COROLITH_DECL std::uint32_t journaled_link::allow(std::uint64_t allowed, std::uint64_t at_least) {
  allowance_ += allowed;
  const std::uint64_t before = asked_;
  asked_ = std::max({asked_, allowance_, at_least});
  return static_cast<std::uint32_t>(asked_ - before);
}

COROLITH_DECL std::uint32_t journaled_link::consumed(std::uint32_t count) {
  std::uint32_t known_below = 0, ask;
  {
    std::lock_guard lock(mutex_);
    std::uint32_t from_file = 0;
    while (count != 0 && !delivered_.empty()) {
      auto& [replayed, left] = delivered_.front();
      const std::uint32_t taken = std::min(count, left);
      (replayed ? from_file : known_below) += taken;
      count -= taken;
      left -= taken;
      if (left == 0) delivered_.pop_front();
    }
    ask = allow(from_file, blocked_on_ && delivered_.empty() ? std::uint64_t{*blocked_on_} + 1 : 0);
  }
  if (ask != 0) above_->want_input(ask);
  return known_below;
}

COROLITH_DECL void journaled_link::want_input(std::uint32_t count) noexcept {
  std::uint32_t ask;
  {
    std::lock_guard lock(mutex_);
    ask = allow(count, 0);
  }
  if (ask != 0) above_->want_input(ask);
}

COROLITH_DECL void journaled_link::cancelled() noexcept {
  {
    std::lock_guard lock(mutex_);
    if (std::exchange(cancelled_, true)) return;
  }
  wake_reader();
}

COROLITH_DECL void journaled_link::wake_reader() {
  {
    std::lock_guard lock(mutex_);
    const bool waits = blocked_on_ && *blocked_on_ >= fed_ && !input_ended_ && !cancelled_;
    if (!reading_ || waits || std::exchange(reader_awake_, true)) return;
    blocked_on_.reset();
  }
  journal_->replay(shared_from_this());
}

// With the mutex held.
COROLITH_DECL void journaled_link::deliver(call_outcome&& outcome, bool from_file) {
  if (lazy_) {
    if (delivered_.empty() || delivered_.back().first != from_file) delivered_.emplace_back(from_file, 0);
    ++delivered_.back().second;
  }
  above_->finished(std::move(outcome));
}

COROLITH_DECL void journaled_link::finished(call_outcome&& outcome) noexcept {
  std::uint64_t hash;
  {
    std::lock_guard lock(mutex_);
    hash = hashes_.take(outcome.head.id.index).value_or(0);
    if (abandoned_) return;
    if (outcome.error || outcome.head.kind != wire::outcome_kind::value) return deliver(std::move(outcome), false);
    ++unsaved_;
  }
  journal_->save(shared_from_this(), batch_.slot, hash, std::move(outcome));
}

COROLITH_DECL void journaled_link::saved(call_outcome&& outcome) noexcept {
  std::lock_guard lock(mutex_);
  --unsaved_;
  if (!abandoned_) deliver(std::move(outcome), false);
}

COROLITH_DECL void journaled_link::settle_saved() noexcept { settle(false); }

COROLITH_DECL void journaled_link::settle(bool done) noexcept {
  {
    std::lock_guard lock(mutex_);
    below_done_ = below_done_ || done;
    done = below_done_ && unsaved_ == 0 && !reading_;
    if (abandoned_ || (done && std::exchange(told_done_, true))) return;
  }
  above_->settle(done);
  if (done) journal_->batch_over();
}

COROLITH_DECL void journaled_link::abandoned(std::exception_ptr reason) noexcept {
  std::lock_guard lock(mutex_);
  if (std::exchange(abandoned_, true)) return;
  reading_ = false;
  above_->abandoned(std::move(reason));
}

COROLITH_DECL void journaled_link::fail(std::exception_ptr reason) noexcept {
  abandoned(std::move(reason));
  std::uint64_t batch;
  {
    std::lock_guard lock(mutex_);
    batch = id_;
  }
  below_->cancel(batch, std::nullopt);
}

COROLITH_DECL void journaled_link::other_arguments(const std::string& what) {
  journal_->spoil();
  fail(std::make_exception_ptr(error(
      errc::misuse,
      fmt::format(
          "journal {}: {} is made of other elements than in the journal: {}. Give the same elements, or remove the "
          "file or name another one to compute all anew; a map whose elements differ from run to run can stay out of "
          "it: ex.with({{.journal = \"\"}})",
          journal_->file().path(), batch_.text, what))));
}

// --- what is in the file --------------------------------------------------------------------------------------------

COROLITH_DECL bool journaled_link::replay_some() noexcept {
  bool more = false;
  try {
    step last = step::over;
    for (int i = 0; i != 1024; ++i)
      if ((last = replay_one()) == step::waits || last == step::over) break;
    more = last == step::delivered || last == step::passed_over;
    if (last == step::over) replay_ended();
  } catch (...) {
    fail(std::current_exception());
    return false;
  }
  settle(false);
  return more;
}

// The next result of this batch; false at the end of what there was of it.
COROLITH_DECL bool journaled_link::find_record() {
  while (!record_) {
    record_ = reader_.next();
    if (!record_) return false;
    if (record_->kind != journal_kind::result || record_->result.batch != batch_.there.known.number) record_.reset();
  }
  return true;
}

COROLITH_DECL journaled_link::step journaled_link::replay_one() {
  if (!find_record()) return step::over;
  const journal_result& result = record_->result;
  bool same;
  {
    std::unique_lock lock(mutex_);
    if (!reading_) return step::waits;  // it has ended otherwise
    if (result.index >= fed_ && !cancelled_) {
      lock.unlock();
      return wait_for(result.index);
    }
    const std::optional<std::uint64_t> hash = hashes_.take(result.index);
    if (!hash) {  // it stands there twice, or was cancelled
      record_.reset();
      return step::passed_over;
    }
    --withheld_;
    same = *hash == result.element;
  }
  if (!same) {
    other_arguments(fmt::format("element {} is another one", result.index));
    return step::waits;
  }
  call_outcome outcome = outcome_of(*record_);
  record_.reset();
  std::lock_guard lock(mutex_);
  if (!abandoned_) deliver(std::move(outcome), true);
  return step::delivered;
}

COROLITH_DECL journaled_link::step journaled_link::wait_for(std::uint32_t index) {
  std::uint32_t ask;
  {
    std::lock_guard lock(mutex_);
    if (index < fed_ || cancelled_) return step::passed_over;  // meanwhile
    blocked_on_ = index;
    reader_awake_ = false;
    ask = lazy_ && delivered_.empty() ? allow(0, std::uint64_t{index} + 1) : 0;
  }
  if (ask != 0) above_->want_input(ask);
  return step::waits;
}

COROLITH_DECL call_outcome journaled_link::outcome_of(const journal_record& record) {
  const journal_result& result = record.result;
  call_outcome outcome;
  outcome.head.id = {id_, result.index, result.attempt};
  outcome.head.pid = result.pid;
  outcome.head.kind = wire::outcome_kind::value;
  outcome.head.started_ns = result.started_ns;
  outcome.head.ended_ns = result.ended_ns;
  outcome.host = journal_->file().hosts().at(result.host);
  outcome.submitted_ns = result.submitted_ns;
  outcome.sent_ns = result.sent_ns;
  outcome.received_ns = result.received_ns;
  outcome.payload = reader_.body(record);
  return outcome;
}

COROLITH_DECL void journaled_link::replay_ended() {
  bool short_of;
  {
    std::lock_guard lock(mutex_);
    reading_ = false;
    short_of = withheld_ != 0 && !abandoned_;
  }
  if (short_of)
    fail(std::make_exception_ptr(
        error(errc::corrupted,
              fmt::format("journal {}: it has changed while it was read: a result of {} that was in it is not there",
                          journal_->file().path(), batch_.text))));
}

}  // namespace detail
}  // namespace v0
}  // namespace corolith
