// SPDX-License-Identifier: Apache-2.0
// What calls write to their standard output and error.
#include <corolith/run/executor.hpp>

#include "support.hpp"

#include <cstdio>
#include <iostream>
#include <mutex>
#include <ranges>

using namespace run_test;

namespace {

/// Takes lines on the executor's thread.
struct recorder {
  std::mutex mutex;
  std::vector<output_line> lines;

  auto handler() {
    return [this](const output_line& line) {
      const std::lock_guard lock(mutex);
      lines.push_back(line);
    };
  }
  std::vector<output_line> get() {
    const std::lock_guard lock(mutex);
    return lines;
  }
  std::string text(int stream) {
    std::string all;
    for (const output_line& line : get())
      if (line.stream == stream) all += line.text + "\n";
    return all;
  }
};

pid_t speaks(int x) {
  std::cout << "cout " << x << "\n";
  std::printf("printf %d\n", x);
  std::cerr << "cerr " << x << "\n";
  return ::getpid();
}

void put(const std::string& bytes) {
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t written = ::write(STDOUT_FILENO, bytes.data() + done, bytes.size() - done);
    if (written <= 0) throw std::runtime_error("write failed");
    done += static_cast<std::size_t>(written);
  }
}
int square_behind_noise(int x, std::string noise) {
  put(noise);
  return x * x;
}
std::size_t flood(std::size_t lines, std::size_t width) {
  const std::string line(width - 1, 'f');
  std::string block;
  for (int i = 0; i < 64; ++i) block += line + "\n";
  for (std::size_t i = 0; i < lines; i += 64) put(block);
  return lines;
}

}  // namespace

TEST_CASE("lines arrive with host, process, call and stream", "[run]") {
  recorder heard;
  std::vector<pid_t> pids;
  std::uint64_t id = 0;
  {
    cluster local(options{.on_output = heard.handler()});
    // One at a time in a worker: lines of calls that are shorter than a read of the pipe cannot be told apart.
    batch<pid_t> all = local->with({.chunk = 1}).map<speaks>(std::vector{0, 1, 2});
    id = all.id();
    pids = all.get();
    wait_until([&] { return heard.get().size() == 9; });
  }
  for (int x : {0, 1, 2}) {
    int of_this_call = 0;
    for (const output_line& line : heard.get()) {
      if (!line.text.ends_with(" " + std::to_string(x))) continue;
      ++of_this_call;
      CHECK(line.pid == pids.at(static_cast<std::size_t>(x)));
      CHECK(line.batch == id);
      CHECK(line.index == static_cast<std::uint32_t>(x));
      CHECK_FALSE(line.host.empty());
      CHECK(line.stream == (line.text.starts_with("cerr") ? 2 : 1));
    }
    CHECK(of_this_call == 3);
  }
}

TEST_CASE("whatever a call writes, its result is right and its lines can be shown", "[run]") {
  recorder heard;
  cluster local(options{.slots = 1, .on_output = heard.handler()});
  const auto say = [&](const std::string& noise, const std::string& shown) {
    const std::size_t before = heard.text(1).size();
    CHECK(local->call<square_behind_noise>(12, noise).get() == 144);
    wait_until([&] { return heard.text(1).size() >= before + shown.size(); });
    CHECK(heard.text(1).substr(before) == shown);
  };
  say("plain\n", "plain\n");
  say("no newline", "no newline\n");
  say("tabs\tand \xc3\xbcmlauts\n", "tabs\tand \xc3\xbcmlauts\n");
  say("\n", "\n");
  say(std::string("zero \0 here\n", 12), "zero \\x00 here\n");
  say("broken \xff\xc3( utf-8\n", "broken \\xff\\xc3( utf-8\n");
  say("colours \x1b[31m\n", "colours \\x1b[31m\n");
  say("windows\r\n", "windows\n");
  std::string binary;
  for (int i = 0; i < 256; ++i) binary += static_cast<char>(i);
  CHECK(local->call<square_behind_noise>(3, binary).get() == 9);
  CHECK(local->call<square_behind_noise>(4, std::string(3, '\0')).get() == 16);
  // A frame of the protocol on standard output is only text.
  CHECK(local->call<square_behind_noise>(5, std::string("COROLITH\x00\x01\x00\x00\x00\x10", 14)).get() == 25);
  CHECK(local->map<square_behind_noise>(std::views::iota(0, 20), binary).get().at(19) == 361);
}

TEST_CASE("a line of a megabyte comes in pieces", "[run]") {
  recorder heard;
  cluster local(options{.slots = 1, .on_output = heard.handler()});
  std::string expected;
  for (int i = 0; expected.size() < (1u << 20); ++i) expected += std::to_string(i) + " ";
  CHECK(local->call<square_behind_noise>(5, expected + "\n").get() == 25);
  const auto together = [&] {
    std::string all;
    for (const output_line& line : heard.get()) all += line.text;
    return all;
  };
  wait_until([&] { return together().size() >= expected.size(); });
  CHECK((together() == expected));
  for (const output_line& line : heard.get()) CHECK(line.text.size() <= 8192);
}

TEST_CASE("a flood of output arrives whole, and calls go on beside it", "[run]") {
  constexpr std::size_t width = 8000;
  const std::size_t lines = 64 * (sanitized ? 20 : 200);  // 100 MB
  std::atomic<std::size_t> bytes{0};
  cluster local(options{.slots = 2, .on_output = [&](const output_line& line) { bytes += line.text.size() + 1; }});
  future<std::size_t> flooding = local->call<flood>(lines, width);
  const auto half = [](int x) { return x / 2; };
  CHECK(local->map(half, std::vector{2, 4}).get() == std::vector{1, 2});
  CHECK(flooding.get() == lines);
  wait_until([&] { return bytes == lines * width; });
}

TEST_CASE("a handler that throws loses its line and nothing else", "[run]") {
  std::atomic<int> calls{0};
  cluster local(options{.on_output = [&](const output_line&) {
    ++calls;
    throw std::runtime_error("not interested");
  }});
  local->map<speaks>(std::vector{0, 1}).get();
  wait_until([&] { return calls == 6; });
}
