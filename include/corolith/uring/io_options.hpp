// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>

namespace corolith {
inline namespace v0 {
namespace uring {

/// How an io_loop talks to the kernel.
enum class io_backend {
  automatic,  ///< io_uring, or poll where the kernel refuses it; the environment variable COROLITH_IO decides where it is set
  io_uring,  ///< one io_uring per loop
  poll,      ///< epoll for sockets and pipes, a few threads for files
};

/// Settings of an io_loop.
struct io_options {
  /// How many operations one system call can submit. More may be under way, and more may become ready at once: they
  /// take more system calls then. Rounded up to a power of two.
  unsigned entries = 256;
  io_backend backend = io_backend::automatic;
  /// How many threads run those file operations that the kernel cannot do in the background. Started when needed.
  unsigned file_threads = 4;
};

}  // namespace uring
}  // namespace v0
}  // namespace corolith
