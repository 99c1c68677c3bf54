// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/bytes.hpp>
#include <corolith/core/unique_fd.hpp>

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <deque>
#include <span>

namespace corolith::inline v0::wire::detail {

/// The most descriptors that one system call sends or receives: no sender of ours sends more.
inline constexpr std::size_t most_descriptors = 16;
/// The most spans that one system call writes.
inline constexpr std::size_t max_gather = 64;

/// Like ::recv on a Unix socket; descriptors that came along are appended to `into_queue`. -1 with EMFILE when this process has no room for
/// them: they are lost then.
inline ssize_t receive_with_descriptors(int socket, mutable_byte_span into, int flags,
                                        std::deque<unique_fd>& into_queue) {
  alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(most_descriptors * sizeof(int))> control;
  iovec part{into.data(), into.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  const ssize_t got = ::recvmsg(socket, &header, flags | MSG_CMSG_CLOEXEC);
  if (got < 0 || header.msg_controllen == 0) return got;
  for (cmsghdr* each = CMSG_FIRSTHDR(&header); each != nullptr; each = CMSG_NXTHDR(&header, each)) {
    if (each->cmsg_level != SOL_SOCKET || each->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (each->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int descriptor;
      std::memcpy(&descriptor, CMSG_DATA(each) + i * sizeof(int), sizeof(int));
      into_queue.emplace_back(descriptor);
    }
  }
  if ((header.msg_flags & MSG_CTRUNC) == 0) return got;
  errno = EMFILE;
  return -1;
}

/// Like ::sendmsg; the descriptors go along with the first byte.
inline ssize_t send_with_descriptors(int socket, std::span<const byte_span> parts, int flags,
                                     std::span<const int> descriptors) {
  std::array<iovec, max_gather> vectors;
  std::size_t count = 0;
  for (; count < parts.size() && count < vectors.size(); ++count)
    vectors[count] = {const_cast<std::byte*>(parts[count].data()), parts[count].size()};
  msghdr header{};
  header.msg_iov = vectors.data();
  header.msg_iovlen = count;
  alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(most_descriptors * sizeof(int))> control;
  if (!descriptors.empty()) {
    control.fill(std::byte{0});
    header.msg_control = control.data();
    header.msg_controllen = CMSG_SPACE(descriptors.size() * sizeof(int));
    cmsghdr* const all = CMSG_FIRSTHDR(&header);
    all->cmsg_level = SOL_SOCKET;
    all->cmsg_type = SCM_RIGHTS;
    all->cmsg_len = CMSG_LEN(descriptors.size() * sizeof(int));
    std::memcpy(CMSG_DATA(all), descriptors.data(), descriptors.size() * sizeof(int));
  }
  return ::sendmsg(socket, &header, MSG_NOSIGNAL | flags);
}

}  // namespace corolith::inline v0::wire::detail
