// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <catch2/catch.hpp>

#include <unistd.h>

#include <string>

/// Standard error of this process goes to a pipe while it lives.
class captured_stderr {
 public:
  captured_stderr() : saved_(::dup(STDERR_FILENO)) {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    read_end_ = ends[0];
    ::dup2(ends[1], STDERR_FILENO);
    ::close(ends[1]);
  }
  ~captured_stderr() { restore(); }

  void restore() {
    if (saved_ < 0) return;
    ::dup2(saved_, STDERR_FILENO);
    ::close(saved_);
    saved_ = -1;
  }
  /// All that was written, once nobody can write any more.
  std::string text() {
    restore();
    std::string all;
    char buffer[65536];
    for (ssize_t n; (n = ::read(read_end_, buffer, sizeof buffer)) > 0;)
      all.append(buffer, static_cast<std::size_t>(n));
    ::close(read_end_);
    return all;
  }

 private:
  int saved_;
  int read_end_ = -1;
};
