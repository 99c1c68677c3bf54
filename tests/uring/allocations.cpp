// SPDX-License-Identifier: Apache-2.0
#include "support.hpp"

#include <corolith/coro/spawn.hpp>
#include <corolith/coro/task.hpp>
#include <corolith/uring/io_thread.hpp>
#include <corolith/uring/network.hpp>

#include <catch2/catch.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <new>
#include <span>
#include <stop_token>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define COROLITH_TEST_SANITIZED
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define COROLITH_TEST_SANITIZED
#endif

namespace {

thread_local long allocated = 0;

}  // namespace

#if !defined(COROLITH_TEST_SANITIZED)         // which have their own
#if defined(__GNUC__) && !defined(__clang__)  // which sees `free` where it has inlined the rest
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
#endif
void* operator new(std::size_t size) {
  ++allocated;
  if (void* made = std::malloc(size == 0 ? 1 : size)) return made;
  throw std::bad_alloc();
}
void operator delete(void* given) noexcept { std::free(given); }
void operator delete(void* given, std::size_t) noexcept { std::free(given); }
#endif

namespace cl = corolith;
namespace ur = corolith::uring;
using namespace uring_test;

namespace {

cl::task<long> operations_allocate(ur::io_loop* io, int a, int b, int rounds, std::chrono::nanoseconds timeout) {
  std::array<std::byte, 64> buffer{};
  ur::op_options options;
  options.timeout = timeout;
  long before = 0;
  for (int i = -10; i < rounds; ++i) {
    if (i == 0) before = allocated;
    co_await ur::send_all(*io, a, std::span<const std::byte>(buffer), options);
    co_await ur::recv_all(*io, b, std::span(buffer), options);
  }
  co_return allocated - before;
}

}  // namespace

TEST_CASE("an operation allocates nothing") {
  ur::io_thread io;
  two_ends pair = socket_pair();
  std::stop_source stop;
  for (auto timeout : {ur::no_timeout, std::chrono::nanoseconds(std::chrono::hours(1))})
    REQUIRE(cl::start(io.loop(), operations_allocate(&io.loop(), pair.a.get(), pair.b.get(), 1000, timeout),
                      stop.get_token())
                .get() == 0);
}
