// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/bytes.hpp>
#include <corolith/core/error.hpp>
#include <corolith/coro/future.hpp>
#include <corolith/coro/generator.hpp>
#include <corolith/coro/loop.hpp>
#include <corolith/coro/spawn.hpp>
#include <corolith/coro/task.hpp>

#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace tool {

inline corolith::task<std::vector<std::byte>> read_block(int fd, std::size_t size) {
  std::vector<std::byte> block(size);
  std::size_t have = 0;
  while (have < size) {
    const ssize_t got = ::read(fd, block.data() + have, size - have);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0)
      throw corolith::error(corolith::errc::storage,
                            std::string("cannot read standard input: ") + std::strerror(errno));
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  block.resize(have);
  co_return block;
}

/// Reads standard input to its end, on a thread of its own: a pipe may be silent for ever, and other work goes on meanwhile.
inline corolith::generator<std::vector<std::byte>> standard_input() {
  constexpr std::size_t size = std::size_t{1} << 20;
  struct reader {
    corolith::run_loop loop;
    std::thread thread{[this] { loop.run(); }};
  };
  // It may wait in a read at the end of the program, so it stays.
  static reader& of_process = *new reader;
  corolith::future<std::vector<std::byte>> ahead = corolith::start(of_process.loop, read_block(STDIN_FILENO, size));
  for (;;) {
    std::vector<std::byte> block = co_await ahead;
    if (block.empty()) co_return;
    if (block.size() == size) ahead = corolith::start(of_process.loop, read_block(STDIN_FILENO, size));
    const bool last = block.size() < size;
    co_yield std::move(block);
    if (last) co_return;
  }
}

/// All of it, or an exception that names `where`.
inline void write_fully(int fd, corolith::byte_span bytes, const std::string& where) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0)
      throw corolith::error(corolith::errc::storage, "cannot write to " + where + ": " + std::strerror(errno));
    bytes = bytes.subspan(static_cast<std::size_t>(put));
  }
}

}  // namespace tool
