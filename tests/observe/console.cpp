// SPDX-License-Identifier: Apache-2.0
#include <corolith/observe/console.hpp>

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <thread>
#include <vector>

using namespace corolith;

namespace {

// Standard error of this process goes to a pipe while it lives.
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
  // All that was written, once nobody can write any more.
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

}  // namespace

TEST_CASE("lines arrive whole and in order, from many threads") {
  captured_stderr captured;
  std::string text;
  std::thread reader;
  {
    console out;
    std::vector<std::thread> writers;
    for (int writer = 0; writer < 4; ++writer)
      writers.emplace_back([&out, writer] {
        for (int i = 0; i < 100; ++i) out.line("writer " + std::to_string(writer) + " line " + std::to_string(i));
      });
    for (std::thread& each : writers) each.join();
  }
  text = captured.text();
  for (int writer = 0; writer < 4; ++writer) {
    std::size_t at = 0;
    for (int i = 0; i < 100; ++i) {
      at = text.find("writer " + std::to_string(writer) + " line " + std::to_string(i) + "\n", at);
      REQUIRE(at != std::string::npos);
    }
  }
}

TEST_CASE("what is no terminal gets no status line") {
  captured_stderr captured;
  {
    console out;
    REQUIRE_FALSE(out.is_terminal());
    out.status("50%");
    out.line("a line");
  }
  REQUIRE(captured.text() == "a line\n");
}

TEST_CASE("a reader that does not read holds nobody up") {
  captured_stderr captured;
  {
    console out;
    const std::string line(100'000, 'x');
    for (int i = 0; i < 2'000; ++i) out.line(line);  // 200 MB: more than a pipe and the queue hold
  }  // gives up writing after a second
  SUCCEED("no call above waited for the reader");
  captured.restore();
}
