// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/codec/archive.hpp>
#include <corolith/coro/future.hpp>
#include <corolith/run/detail/backend.hpp>
#include <corolith/run/detail/outcome.hpp>

#include <memory>
#include <type_traits>
#include <utility>

namespace corolith {
inline namespace v0 {
namespace detail {

/// The state of a single call's future: a batch of one. The result is decoded on the thread that asks for it.
template <class T>
class remote_state final : public future_state<T>, public batch_link {
 public:
  explicit remote_state(std::shared_ptr<backend> where) : backend_(std::move(where)) {}
  void set_id(std::uint64_t id) noexcept { id_ = id; }

  void want_input(std::uint32_t) noexcept override {}
  void finished(call_outcome&& outcome) noexcept override {
    this->stats = to_stats(outcome);
    if (!outcome.error && outcome.head.kind == wire::outcome_kind::value) {
      payload_ = std::move(outcome.payload);
      this->set_raw();
    } else {
      const bool stopped = outcome.head.kind == wire::outcome_kind::cancelled;
      this->set_exception(to_exception(outcome), stopped ? call_state::cancelled : call_state::failed);
    }
  }
  void settle(bool) noexcept override {}
  void abandoned(std::exception_ptr reason) noexcept override { this->set_exception(std::move(reason)); }

 protected:
  void request_cancel() noexcept override { backend_->cancel(id_, std::nullopt); }
  void materialise() override {
    if constexpr (std::is_void_v<T>) {
      this->value_.emplace();
    } else {
      this->value_.emplace(codec::decode_all<T>(std::exchange(payload_, {})));
    }
  }

 private:
  const std::shared_ptr<backend> backend_;
  std::uint64_t id_ = 0;
  shared_bytes payload_;
};

}  // namespace detail
}  // namespace v0
}  // namespace corolith
