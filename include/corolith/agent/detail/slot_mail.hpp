// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/unique_fd.hpp>
#include <corolith/core/version.hpp>

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

namespace corolith {
inline namespace v0 {
namespace agent {
namespace detail {

/// How an agent gives slots to a worker whose slots are threads: each is one message over a pair of sockets, with two descriptors, the
/// connection of the slot and the memory of its progress_page.
struct slot_mail {
  struct delivery {
    unique_fd connection;
    unique_fd page;
  };

  /// Never waits; 0, or the reason as errno. The descriptors stay the caller's.
  static int send(int mail, int connection, int page) noexcept {
    letter with;
    cmsghdr* part = CMSG_FIRSTHDR(&with.header);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(sizeof(std::array<int, 2>));
    const std::array<int, 2> both{connection, page};
    std::memcpy(CMSG_DATA(part), both.data(), sizeof both);
    while (::sendmsg(mail, &with.header, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
      if (errno != EINTR) return errno;
    return 0;
  }

  /// Waits for the next; nothing when the other end is closed.
  static std::optional<delivery> receive(int mail) noexcept {
    for (;;) {
      letter with;
      const ssize_t got = ::recvmsg(mail, &with.header, MSG_CMSG_CLOEXEC);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return std::nullopt;
      const cmsghdr* part = CMSG_FIRSTHDR(&with.header);
      if (part == nullptr || part->cmsg_len != CMSG_LEN(sizeof(std::array<int, 2>))) continue;  // out of descriptors
      std::array<int, 2> both{};
      std::memcpy(both.data(), CMSG_DATA(part), sizeof both);
      return delivery{unique_fd(both[0]), unique_fd(both[1])};
    }
  }

 private:
  struct letter {
    letter() noexcept {
      header.msg_iov = &text;
      header.msg_iovlen = 1;
      header.msg_control = space.data();
      header.msg_controllen = space.size();
    }
    letter(const letter&) = delete;
    letter& operator=(const letter&) = delete;

    char byte = 1;
    iovec text{&byte, 1};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(std::array<int, 2>))> space{};
    msghdr header{};
  };
};

}  // namespace detail
}  // namespace agent
}  // namespace v0
}  // namespace corolith
