// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/agent/program_cache.hpp>
#include <corolith/codec/registry.hpp>
#include <corolith/core/error.hpp>
#include <corolith/core/log.hpp>
#include <corolith/core/machine.hpp>
#include <corolith/core/own_executable.hpp>
#include <corolith/run/detail/journal.hpp>
#include <corolith/run/detail/program.hpp>
#include <corolith/run/detail/turn_clock.hpp>

#include <fmt/format.h>

#include <signal.h>

#include <system_error>
#include <utility>

namespace corolith {
inline namespace v0 {
namespace detail {

/// Of the executable and the libraries that it brings along: all that decides what a function returns.
inline wire::sha256_bytes journaled_program() {
  const std::vector<wire::module_file> modules = program_modules();
  if (modules.size() == 1) return modules[0].sha256;
  byte_buffer hashes;
  for (const wire::module_file& each : modules) hashes.append_value(each.sha256);
  return agent::sha256_of(hashes.span());
}

inline journal_program describe_program() { return {own_executable_path(), host_name(), turn_clock().now().system_ns}; }

COROLITH_DECL journal::journal(std::string path, std::chrono::nanoseconds sync)
    : file_(std::move(path), journaled_program(), describe_program()),
      sync_(sync),
      batches_(static_cast<std::uint32_t>(file_.batches().size())) {
  for (std::uint32_t i = 0; i < file_.hosts().size(); ++i) hosts_.emplace(*file_.hosts()[i], i);
  for (const journaled_batch& each : file_.batches())
    places_.emplace(std::pair(each.known.name, each.known.ordinal), each.known.number);
  sigset_t all, before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);  // signals are for the program's own threads
  thread_ = std::thread([this] { run(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

inline std::string name_journaled(const journal_batch& batch) {
  const std::string which = batch.name.empty() ? fmt::format("map {}", batch.ordinal)
                            : batch.ordinal == 1
                                ? fmt::format("'{}'", batch.name)
                                : fmt::format("'{}', the {}th of that name,", batch.name, batch.ordinal);
  return fmt::format("{} ({})", which, batch.function);
}

inline wire::sha256_bytes digest_of(codec::function_key function, byte_span shared) {
  byte_buffer bytes;
  bytes.append_value(function);
  bytes.append_value(agent::sha256_of(shared));
  return agent::sha256_of(bytes.span());
}

COROLITH_DECL journal::opened journal::open(const std::string& name, codec::function_key function, byte_span shared) {
  journaled_batch there;
  there.known.name = name;
  there.known.function = codec::describe_function(function);
  there.known.digest = digest_of(function, shared);
  std::lock_guard lock(mutex_);
  there.known.ordinal = ++ordinals_[name];
  const std::string text = name_journaled(there.known);
  const auto place = places_.find({name, there.known.ordinal});
  if (place != places_.end()) {
    const journaled_batch* found = &file_.batches()[place->second];
    if (found->known.digest != there.known.digest)
      throw error(
          errc::misuse,
          fmt::format("journal {}: {} is not what the journal has in its place, {}: the function or an argument "
                      "that its calls share is another one. Give the same, or remove the file or name another "
                      "one to compute all anew; batches that are made in another order in each run need names: "
                      "ex.with({{.journal = \"name\"}})",
                      file_.path(), text, name_journaled(found->known)));
    there = *found;
  }
  slots_.push_back(std::make_unique<batch_slot>(batch_slot{there.known, place != places_.end()}));
  if (there.done->count() != 0)
    log::info(fmt::format("journal {}: it has {} results of {}", file_.path(), there.done->count(), text));
  return {slots_.size() - 1, std::move(there), text};
}

COROLITH_DECL void journal::save(std::shared_ptr<journal_client> whose, std::size_t slot, std::uint64_t element,
                                 call_outcome outcome) {
  std::lock_guard lock(mutex_);
  if (closing_) return;  // all batches have ended
  queue_.push_back({std::move(whose), slot, element, std::move(outcome)});
  if (queue_.size() == 1) wake_.notify_one();
}

COROLITH_DECL void journal::replay(std::shared_ptr<journal_client> whose) {
  std::lock_guard lock(mutex_);
  if (closing_) return;
  replays_.push_back(std::move(whose));
  wake_.notify_one();
}

COROLITH_DECL void journal::batch_over() {
  std::lock_guard lock(mutex_);
  sync_now_ = true;
  wake_.notify_one();
}

COROLITH_DECL void journal::spoil() {
  std::lock_guard lock(mutex_);
  spoil_ = true;
  wake_.notify_one();
}

COROLITH_DECL void journal::close() {
  std::lock_guard one_at_a_time(close_mutex_);
  {
    std::lock_guard lock(mutex_);
    closing_ = true;
    wake_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

COROLITH_DECL void journal::run() {
  std::vector<item> items;
  std::vector<std::shared_ptr<journal_client>> replays;
  for (bool over = false; !over;) {
    bool sync_now;
    {
      std::unique_lock lock(mutex_);
      const auto busy = [this] { return !queue_.empty() || !replays_.empty() || sync_now_ || spoil_ || closing_; };
      if (dirty_ && sync_ != never)
        wake_.wait_until(lock, synced_ + sync_, busy);
      else
        wake_.wait(lock, busy);
      items.swap(queue_);
      replays.swap(replays_);
      sync_now = std::exchange(sync_now_, false) || closing_;
      if (std::exchange(spoil_, false) && !std::exchange(spoiled_, true)) file_.roll_back();
      over = closing_ && items.empty();
    }
    write(items);
    items.clear();
    for (std::shared_ptr<journal_client>& each : replays)
      if (each->replay_some()) replay(std::move(each));
    replays.clear();
    sync_if_due(sync_now);
  }
}

COROLITH_DECL void journal::write(std::vector<item>& items) {
  constexpr std::size_t most = 4096;
  for (std::size_t at = 0; at < items.size();) {
    const std::size_t begin = at;
    std::size_t bytes = 0;
    while (at < items.size() && at - begin < most && bytes < (std::size_t{4} << 20))
      bytes += items[at++].outcome.payload.size();
    write_group(items.data() + begin, items.data() + at);
    journal_client* last = nullptr;
    for (std::size_t i = begin; i != at; ++i) {
      journal_client* whose = items[i].whose.get();
      if (last != nullptr && last != whose) last->settle_saved();
      last = whose;
      whose->saved(std::move(items[i].outcome));
    }
    if (last != nullptr) last->settle_saved();
  }
}

// All of the group, or nothing.
COROLITH_DECL void journal::write_group(item* begin, item* end) {
  const auto count = static_cast<std::uint64_t>(end - begin);
  if (spoiled_) return;
  if (clock::now() < try_again_) {
    unsaved_ += count;
    return;
  }
  std::vector<batch_slot*> new_slots;
  std::vector<std::string> new_hosts;
  try {
    for (const item* each = begin; each != end; ++each) add(*each, new_slots, new_hosts);
    file_.commit();
    if (!std::exchange(dirty_, true)) synced_ = clock::now();
    if (unsaved_ != 0)
      log::warning(fmt::format("journal {}: it can be written again; {} results that came meanwhile are not in it",
                               file_.path(), unsaved_));
    unsaved_ = 0;
  } catch (const std::system_error& failure) {
    for (batch_slot* each : new_slots) each->announced = false;
    for (const std::string& each : new_hosts) hosts_.erase(each);
    batches_ -= static_cast<std::uint32_t>(new_slots.size());
    if (unsaved_ == 0) trouble(failure.code().message());
    unsaved_ += count;
    try_again_ = clock::now() + std::chrono::seconds(1);
  }
}

COROLITH_DECL journal::batch_slot& journal::slot_of(std::size_t number) {
  std::lock_guard lock(mutex_);
  return *slots_[number];
}

COROLITH_DECL void journal::add(const item& each, std::vector<batch_slot*>& new_slots,
                                std::vector<std::string>& new_hosts) {
  batch_slot& of = slot_of(each.slot);
  if (!of.announced) {
    of.known.number = batches_++;
    of.announced = true;
    new_slots.push_back(&of);
    file_.add(journal_kind::batch, wire::pack(of.known));
  }
  const call_outcome& outcome = each.outcome;
  const std::string host = outcome.host ? *outcome.host : std::string();
  const auto [known, is_new] = hosts_.try_emplace(host, static_cast<std::uint32_t>(hosts_.size()));
  if (is_new) {
    new_hosts.push_back(host);
    file_.add(journal_kind::host, wire::pack(journal_host{known->second, host}));
  }
  journal_result result;
  result.batch = of.known.number;
  result.index = outcome.head.id.index;
  result.element = each.element;
  result.pid = outcome.head.pid;
  result.attempt = outcome.head.id.attempt;
  result.host = known->second;
  result.submitted_ns = outcome.submitted_ns;
  result.sent_ns = outcome.sent_ns;
  result.started_ns = outcome.head.started_ns;
  result.ended_ns = outcome.head.ended_ns;
  result.received_ns = outcome.received_ns;
  file_.add(journal_kind::result, bytes_of(result), outcome.payload);
}

COROLITH_DECL void journal::trouble(const std::string& what) {
  log::error(
      fmt::format("journal {}: cannot write to it: {}. The run goes on, and no result of it is lost; those that come "
                  "before there is room again are not in the journal, and a run that resumes would compute them anew",
                  file_.path(), what));
}

COROLITH_DECL void journal::sync_if_due(bool now) {
  if (!dirty_ || sync_ == never || (!now && clock::now() < synced_ + sync_)) return;
  dirty_ = false;
  try {
    file_.sync();
  } catch (const std::system_error& failure) {
    log::error(
        fmt::format("journal {}: cannot bring it to the disk: {}. What it has of this run may be lost when this "
                    "machine crashes",
                    file_.path(), failure.code().message()));
  }
}

}  // namespace detail
}  // namespace v0
}  // namespace corolith
