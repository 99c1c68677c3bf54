// SPDX-License-Identifier: Apache-2.0
#include "captured_stderr.hpp"

#include <corolith/observe/console.hpp>

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <thread>
#include <vector>

using namespace corolith;

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
