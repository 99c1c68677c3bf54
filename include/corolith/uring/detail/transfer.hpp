// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/uring/detail/request.hpp>

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace corolith {
inline namespace v0 {
namespace uring {
namespace detail {

/// What the system moves at most in one call.
inline constexpr std::size_t longest_call = 0x7ffff000;

/// Moves bytes between a descriptor and one buffer: what one call moves, or with All the whole of it unless the other
/// side ends. `take` gives how many.
template <op_kind Kind, bool All>
struct transfer {
  using value = std::size_t;
  static constexpr const char* name = Kind == op_kind::recv   ? "recv"
                                      : Kind == op_kind::send ? "send"
                                      : Kind == op_kind::read ? "read"
                                                              : "write";
  int fd = -1;
  void* data = nullptr;
  std::size_t size = 0;
  std::uint64_t offset = 0;
  int flags = 0;
  std::size_t before = 0;  // moved by earlier calls

  bool nothing_to_do() const noexcept { return size == 0; }
  void fill(request& into) const noexcept {
    into.kind = Kind;
    into.fd = fd;
    into.data = data;
    into.length = std::min(size, longest_call);
    into.offset = offset;
    into.flags = static_cast<std::uint32_t>(flags);
  }
  bool advance(request& rest, std::int32_t part) noexcept {
    if constexpr (!All) return false;
    const auto moved = static_cast<std::size_t>(part);
    if (before + moved == size) return false;
    before += moved;
    rest.data = static_cast<std::byte*>(rest.data) + moved;
    rest.length = std::min(size - before, longest_call);
    if (rest.offset != ~std::uint64_t{0}) rest.offset += moved;
    return true;
  }
  std::size_t take(std::int32_t last) const noexcept { return before + static_cast<std::size_t>(last); }
  void dispose(std::int32_t) const noexcept {}
};

/// Takes `moved` bytes off the front of some buffers. What is left of them.
inline std::span<::iovec> without_front(std::span<::iovec> buffers, std::size_t moved) noexcept {
  while (!buffers.empty() && moved >= buffers.front().iov_len) {
    moved -= buffers.front().iov_len;
    buffers = buffers.subspan(1);
  }
  if (moved > 0) {
    buffers.front().iov_base = static_cast<std::byte*>(buffers.front().iov_base) + moved;
    buffers.front().iov_len -= moved;
  }
  return buffers;
}

/// Sends or writes several buffers: what one call takes of them, or with All the whole.
template <op_kind Kind, bool All>
struct gather {
  using value = std::size_t;
  static constexpr const char* name = Kind == op_kind::sendmsg ? "send" : "write";
  static constexpr std::size_t most = 1024;  // IOV_MAX: the system takes no more at once

  int fd = -1;
  std::span<::iovec> buffers;
  std::uint64_t offset = 0;
  std::size_t before = 0;
  ::msghdr message{};

  bool nothing_to_do() const noexcept { return buffers.empty(); }
  void fill(request& into) noexcept {
    into.kind = Kind;
    into.fd = fd;
    into.offset = offset;
    if constexpr (Kind == op_kind::sendmsg) {
      into.data = &message;
      into.flags = MSG_NOSIGNAL;
    }
    point_to_rest(into);
  }
  bool advance(request& rest, std::int32_t part) noexcept {
    if constexpr (!All) return false;
    const auto moved = static_cast<std::size_t>(part);
    buffers = without_front(buffers, moved);
    if (buffers.empty()) return false;
    before += moved;
    if (rest.offset != ~std::uint64_t{0}) rest.offset += moved;
    point_to_rest(rest);
    return true;
  }
  std::size_t take(std::int32_t last) const noexcept { return before + static_cast<std::size_t>(last); }
  void dispose(std::int32_t) const noexcept {}

 private:
  void point_to_rest(request& into) noexcept {
    const std::size_t count = std::min(buffers.size(), most);
    if constexpr (Kind == op_kind::sendmsg) {
      message.msg_iov = buffers.data();
      message.msg_iovlen = count;
    } else {
      into.data = buffers.data();
      into.length = count;
    }
  }
};

}  // namespace detail
}  // namespace uring
}  // namespace v0
}  // namespace corolith
