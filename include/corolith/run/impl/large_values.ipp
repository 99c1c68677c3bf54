// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/coro/loop.hpp>
#include <corolith/coro/spawn.hpp>
#include <corolith/run/detail/large_values.hpp>

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

namespace corolith {
inline namespace v0 {
namespace detail {

/// What a batch has in the store: its arguments, to be forgotten as its calls end, and results on their way to the caller.
class stored_link : public batch_link, public std::enable_shared_from_this<stored_link> {
 public:
  stored_link(std::shared_ptr<batch_link> above, std::shared_ptr<run_store> values)
      : above_(std::move(above)), values_(std::move(values)) {}

  void keep(std::uint32_t index, shared_bytes reference) {
    std::lock_guard lock(mutex_);
    if (over_) return values_->forget(std::move(reference));
    arguments_.emplace(index, std::move(reference));
  }
  void keep_shared(shared_bytes reference) { shared_ = std::move(reference); }

  void want_input(std::uint32_t count) noexcept override { above_->want_input(count); }

  void finished(call_outcome&& outcome) noexcept override {
    forget_argument(outcome.head.id.index);
    const bool stored =
        !outcome.error && outcome.head.kind == wire::outcome_kind::value && values_->is_reference(outcome.payload);
    if (!stored) return above_->finished(std::move(outcome));
    {
      std::lock_guard lock(mutex_);
      ++on_their_way_;
    }
    spawn(background_loop(), bring(shared_from_this(), std::move(outcome)));
  }

  void settle(bool done) noexcept override {
    if (done) {
      forget_all();
      std::lock_guard lock(mutex_);
      done_ = true;
      if (on_their_way_ != 0) return;
    }
    above_->settle(done);
  }

  void abandoned(std::exception_ptr reason) noexcept override {
    forget_all();
    std::lock_guard lock(mutex_);
    abandoned_ = true;
    above_->abandoned(std::move(reason));
  }

 private:
  static task<void> bring(std::shared_ptr<stored_link> self, call_outcome outcome) {
    const shared_bytes reference = outcome.payload;
    try {
      outcome.payload = co_await self->values_->fetch(reference);
    } catch (...) {
      outcome.error = std::current_exception();
    }
    self->values_->forget(reference);
    bool done;
    {
      std::lock_guard lock(self->mutex_);
      done = --self->on_their_way_ == 0 && self->done_;
      if (self->abandoned_) co_return;  // the caller has been told of its end
      self->above_->finished(std::move(outcome));
    }
    self->above_->settle(done);
  }

  void forget_argument(std::uint32_t index) noexcept {
    std::unordered_map<std::uint32_t, shared_bytes>::node_type kept;
    {
      std::lock_guard lock(mutex_);
      if (arguments_.empty()) return;
      kept = arguments_.extract(index);
    }
    if (kept) values_->forget(std::move(kept.mapped()));
  }

  void forget_all() noexcept {
    std::unordered_map<std::uint32_t, shared_bytes> left;
    {
      std::lock_guard lock(mutex_);
      over_ = true;
      left.swap(arguments_);
    }
    for (auto& [index, reference] : left) values_->forget(std::move(reference));
    if (!shared_.empty()) values_->forget(std::exchange(shared_, {}));
  }

  const std::shared_ptr<batch_link> above_;
  const std::shared_ptr<run_store> values_;
  std::mutex mutex_;
  std::unordered_map<std::uint32_t, shared_bytes> arguments_;
  std::size_t on_their_way_ = 0;
  bool done_ = false;
  bool over_ = false;
  bool abandoned_ = false;
  shared_bytes shared_;  // set before the batch is open
};

class store_backend : public backend {
 public:
  store_backend(std::shared_ptr<backend> below, std::shared_ptr<run_store> values, bool ends_run)
      : below_(std::move(below)), values_(std::move(values)), ends_run_(ends_run) {}
  ~store_backend() override { store_backend::close(); }

  std::uint64_t open(std::shared_ptr<batch_link> link, batch_request request) override {
    auto stored = std::make_shared<stored_link>(std::move(link), values_);
    if (values_->is_large(request.shared)) {
      if (std::optional<shared_bytes> reference = values_->send(request.shared)) {
        request.shared = *reference;
        stored->keep_shared(std::move(*reference));
      }
    }
    const std::uint64_t batch = below_->open(stored, std::move(request));
    std::lock_guard lock(mutex_);
    links_.emplace(batch, stored);
    if (links_.size() >= sweep_at_) sweep();
    return batch;
  }

  void feed(std::uint64_t batch, element_block block, bool last) override {
    if (values_->is_large(block.bytes)) block = store_large(batch, block);
    below_->feed(batch, std::move(block), last);
  }
  void consumed(std::uint64_t batch, std::uint32_t count) override { below_->consumed(batch, count); }
  void cancel(std::uint64_t batch, std::optional<std::uint32_t> index) override { below_->cancel(batch, index); }
  void cancel_all() override { below_->cancel_all(); }
  void close() override {
    below_->close();
    if (ends_run_) values_->clean();
  }

 private:
  element_block store_large(std::uint64_t batch, const element_block& block) {
    std::shared_ptr<stored_link> link;
    {
      std::lock_guard lock(mutex_);
      if (const auto found = links_.find(batch); found != links_.end()) link = found->second.lock();
    }
    if (!link) return block;  // it is over
    element_block rest;
    rest.first = block.first;
    byte_buffer bytes;
    for (std::uint32_t index = block.first; index != block.first + block.count(); ++index) {
      const shared_bytes element = block.element(index);
      std::optional<shared_bytes> reference;
      if (values_->is_large(element)) reference = values_->send(element);
      if (reference) link->keep(index, *reference);
      bytes.append(reference ? *reference : element);
      rest.ends.push_back(bytes.size());
    }
    rest.bytes = bytes.release();
    return rest;
  }

  // Batches that are over are forgotten when there are twice as many as last time, which costs next to nothing a batch.
  void sweep() {
    std::erase_if(links_, [](const auto& known) { return known.second.expired(); });
    sweep_at_ = std::max<std::size_t>(64, 2 * links_.size());
  }

  const std::shared_ptr<backend> below_;
  const std::shared_ptr<run_store> values_;
  const bool ends_run_;
  std::mutex mutex_;
  std::unordered_map<std::uint64_t, std::weak_ptr<stored_link>> links_;
  std::size_t sweep_at_ = 64;
};

COROLITH_DECL std::shared_ptr<backend> through_store(std::shared_ptr<backend> below, std::shared_ptr<run_store> values,
                                                     bool ends_run) {
  return std::make_shared<store_backend>(std::move(below), std::move(values), ends_run);
}

}  // namespace detail
}  // namespace v0
}  // namespace corolith
