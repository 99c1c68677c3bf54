// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/run/detail/journaled.hpp>
#include <corolith/run/detail/journaled_link.hpp>

#include <algorithm>
#include <mutex>
#include <unordered_map>

namespace corolith {
inline namespace v0 {
namespace detail {

class journal_backend : public backend {
 public:
  journal_backend(std::shared_ptr<backend> below, std::shared_ptr<journal> kept)
      : below_(std::move(below)), journal_(std::move(kept)) {}
  ~journal_backend() override { journal_backend::close(); }

  std::uint64_t open(std::shared_ptr<batch_link> link, batch_request request) override {
    if (!request.journal) return below_->open(std::move(link), std::move(request));
    journal::opened there = journal_->open(*request.journal, request.function, request.shared);
    if (request.size) *request.size -= std::min(*request.size, there.there.done->count());  // for the progress line
    auto journaled =
        std::make_shared<journaled_link>(std::move(link), below_, journal_, std::move(there), request.lazy);
    const std::uint64_t batch = below_->open(journaled, std::move(request));
    journaled->set_id(batch);
    std::lock_guard lock(mutex_);
    links_.emplace(batch, journaled);
    if (links_.size() >= sweep_at_) sweep();
    return batch;
  }

  void feed(std::uint64_t batch, element_block block, bool last) override {
    const std::shared_ptr<journaled_link> link = find(batch);
    if (!link) return below_->feed(batch, std::move(block), last);
    std::vector<element_block> missing = link->fed(block, last);
    if (missing.empty() && last) missing.emplace_back().first = block.first;
    for (std::size_t i = 0; i != missing.size(); ++i)
      below_->feed(batch, std::move(missing[i]), last && i + 1 == missing.size());
    link->wake_reader();
  }

  void consumed(std::uint64_t batch, std::uint32_t count) override {
    const std::shared_ptr<journaled_link> link = find(batch);
    if (link) count = link->consumed(count);
    if (count != 0) below_->consumed(batch, count);
  }

  void cancel(std::uint64_t batch, std::optional<std::uint32_t> index) override {
    const std::shared_ptr<journaled_link> link = index ? nullptr : find(batch);
    below_->cancel(batch, index);
    if (link) link->cancelled();
  }

  void cancel_all() override {
    std::vector<std::shared_ptr<journaled_link>> all;
    {
      std::lock_guard lock(mutex_);
      for (const auto& [batch, link] : links_)
        if (std::shared_ptr<journaled_link> there = link.lock()) all.push_back(std::move(there));
    }
    below_->cancel_all();
    for (const auto& each : all) each->cancelled();
  }

  void close() override {
    below_->close();
    journal_->close();
  }

 private:
  std::shared_ptr<journaled_link> find(std::uint64_t batch) {
    std::lock_guard lock(mutex_);
    const auto found = links_.find(batch);
    return found == links_.end() ? nullptr : found->second.lock();
  }

  // Batches that are over are forgotten when there are twice as many as last time, which costs next to nothing a batch.
  void sweep() {
    std::erase_if(links_, [](const auto& known) { return known.second.expired(); });
    sweep_at_ = std::max<std::size_t>(64, 2 * links_.size());
  }

  const std::shared_ptr<backend> below_;
  const std::shared_ptr<journal> journal_;
  std::mutex mutex_;
  std::unordered_map<std::uint64_t, std::weak_ptr<journaled_link>> links_;
  std::size_t sweep_at_ = 64;
};

COROLITH_DECL std::shared_ptr<backend> through_journal(std::shared_ptr<backend> below, std::shared_ptr<journal> kept) {
  return std::make_shared<journal_backend>(std::move(below), std::move(kept));
}

}  // namespace detail
}  // namespace v0
}  // namespace corolith
