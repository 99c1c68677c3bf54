// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/coro/run_on.hpp>
#include <corolith/coro/spawn.hpp>
#include <corolith/s3/checksum.hpp>
#include <corolith/s3/detail/download.hpp>
#include <corolith/s3/detail/reserved.hpp>

#include <algorithm>
#include <deque>
#include <memory>

namespace corolith::inline v0::s3::detail {

/// A download that somebody reads piece by piece. What is in it belongs to its lane.
struct stream_source {
  stream_source(lane* at, std::string bucket, std::string key, get_options how)
      : of(at, std::move(bucket), std::move(key), std::move(how)) {}
  download of;
  std::optional<open_body> body;  ///< between the pieces that come in one answer
  bool abandoned = false;         ///< nobody reads any more
};
using stream_ptr = std::shared_ptr<stream_source>;

inline task<void> begin_stream(stream_ptr from) {
  from->body = co_await from->of.begin(from->of.home().core.part_size());
}
inline task<std::vector<std::byte>> stream_piece(stream_ptr from, lane* at, std::uint64_t offset, std::size_t size) {
  std::vector<std::byte> bytes = make_bytes(size);
  std::optional<open_body> none;
  co_await from->of.receive(at, offset, bytes, &none);
  co_return bytes;
}
/// A piece that continues the answer which the one before it left.
inline task<std::vector<std::byte>> next_piece(stream_ptr from, std::uint64_t offset, std::size_t size) {
  std::vector<std::byte> bytes = make_bytes(size);
  std::optional<open_body> body = std::exchange(from->body, std::nullopt);
  co_await from->of.receive(&from->of.home(), offset, bytes, &body);
  if (!from->abandoned) from->body = std::move(body);
  co_return bytes;
}
inline task<void> abandon_stream(stream_ptr from) {
  from->abandoned = true;
  from->body.reset();
  co_return;
}

/// What was asked for ahead of the reader. With it, what is still under way is given up.
class read_ahead {
 public:
  explicit read_ahead(core_ptr core) : core_(std::move(core)), at_(&core_->choose()) {}
  read_ahead(const read_ahead&) = delete;
  read_ahead& operator=(const read_ahead&) = delete;
  ~read_ahead() {
    for (entry& piece : pieces_) piece.bytes.cancel();
    if (from_) spawn(at_->loop, abandon_stream(std::move(from_)));
  }

  task<void> begin(std::string bucket, std::string key, get_options how) {
    from_ = std::make_shared<stream_source>(at_, std::move(bucket), std::move(key), std::move(how));
    co_await run_on(at_->loop, begin_stream(from_));
    next_ = from_->of.first();
    end_ = next_ + from_->of.size();
    if (next_ == end_) co_return;
    const std::uint64_t there = from_->body ? from_->body->end : next_;
    begun_until_ = from_->of.in_parts() ? std::min(there, end_) : end_;
  }
  bool at_end() const noexcept { return pieces_.empty() && next_ == end_; }
  const download& of() const noexcept { return from_->of; }

  /// As many pieces as there may be.
  void fill() {
    while (next_ != end_ && pieces_.size() < core_->breadth()) {
      const bool in_turn = next_ < begun_until_;
      if (in_turn && !pieces_.empty()) return;
      const std::uint64_t until = in_turn ? begun_until_ : end_;
      auto size = static_cast<std::size_t>(std::min<std::uint64_t>(core_->part_size(), until - next_));
      std::optional<share> memory = try_reserve(core_.get(), size);
      if (!memory) {
        if (!pieces_.empty()) return;
        size = std::min(size, without_budget);
      }
      lane& where = core_->behind(*at_, ++asked_);
      entry piece;
      piece.bytes = in_turn ? start(at_->loop, next_piece(from_, next_, size))
                            : start(where.loop, stream_piece(from_, &where, next_, size));
      piece.memory = std::move(memory);
      pieces_.push_back(std::move(piece));
      next_ += size;
    }
  }
  task<std::vector<std::byte>> take() {
    entry first = std::move(pieces_.front());
    pieces_.pop_front();
    std::vector<std::byte> bytes = co_await first.bytes;
    held_ = std::move(first.memory);
    co_return bytes;
  }
  /// The reader asks for more, so the piece that it had does not count any more.
  void let_go() noexcept { held_.reset(); }

 private:
  static constexpr std::size_t without_budget = std::size_t{1} << 20;
  struct entry {
    future<std::vector<std::byte>> bytes;
    std::optional<share> memory;
  };

  core_ptr core_;
  lane* at_;
  stream_ptr from_;
  std::uint64_t next_ = 0;
  std::uint64_t end_ = 0;
  std::uint64_t begun_until_ = 0;
  std::size_t asked_ = 0;
  std::deque<entry> pieces_;
  std::optional<share> held_;
};

COROLITH_DECL generator<std::vector<std::byte>> stream_object(core_ptr core, std::string bucket, std::string key,
                                                              get_options how) {
  read_ahead ahead(std::move(core));
  co_await ahead.begin(std::move(bucket), std::move(key), std::move(how));
  std::vector<checksum> sums;
  if (ahead.of().to_be_verified())
    for (const auto& [kind, expected] : ahead.of().info().checksums) sums.emplace_back(kind);
  while (!ahead.at_end()) {
    ahead.fill();
    std::vector<std::byte> piece = co_await ahead.take();
    for (checksum& sum : sums) sum.update(piece);
    if (ahead.at_end() && !sums.empty()) ahead.of().verify(sums);
    co_yield std::move(piece);
    ahead.let_go();
  }
}

}  // namespace corolith::inline v0::s3::detail
