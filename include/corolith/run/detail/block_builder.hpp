// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/bytes.hpp>
#include <corolith/run/detail/backend.hpp>

#include <cstdint>
#include <utility>
#include <vector>

namespace corolith {
inline namespace v0 {
namespace detail {

/// Collects encoded elements into blocks that are large enough to be cheap and small enough to be dropped early.
class block_builder {
 public:
  static constexpr std::size_t most_elements = 1024;
  static constexpr std::size_t most_bytes = std::size_t{256} << 10;

  block_builder() noexcept { bytes_.share_when_large(); }

  /// Where to encode the next element; `end_element` closes it.
  byte_buffer& bytes() noexcept { return bytes_; }
  void end_element() { ends_.push_back(bytes_.size()); }

  bool full() const noexcept { return ends_.size() >= most_elements || bytes_.size() >= most_bytes; }
  /// Elements collected since the last `take`.
  std::uint32_t pending() const noexcept { return static_cast<std::uint32_t>(ends_.size()); }

  /// Elements collected since the beginning.
  std::uint32_t total() const noexcept { return next_ + pending(); }

  element_block take() {
    element_block block{next_, bytes_.release(), std::exchange(ends_, {})};
    next_ += block.count();
    return block;
  }

 private:
  byte_buffer bytes_;
  std::vector<std::uint64_t> ends_;
  std::uint32_t next_ = 0;
};

}  // namespace detail
}  // namespace v0
}  // namespace corolith
