// SPDX-License-Identifier: Apache-2.0
// The memory limit of a call.
#include <corolith/run/executor.hpp>

#include "support.hpp"

#include <new>

#include <sys/mman.h>

using namespace run_test;

namespace {

constexpr std::uint64_t MiB = std::uint64_t{1} << 20;

std::size_t touch(char* at, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; i += 4096) at[i] = 1;
  return bytes;
}
std::size_t allocate(std::size_t bytes) {
  const auto memory = std::make_unique<char[]>(bytes);
  return touch(memory.get(), bytes);
}
std::string try_to_allocate(std::size_t bytes) {
  try {
    allocate(bytes);
  } catch (const std::bad_alloc&) {
    return "no";
  }
  return "yes";
}
// Memory that no allocator gives and no limit on allocations counts; and it stays.
std::size_t map_pages(std::size_t bytes) {
  void* mapped = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) throw std::runtime_error("mmap failed");
  touch(static_cast<char*>(mapped), bytes);
  std::this_thread::sleep_for(1h);
  return bytes;
}

}  // namespace

TEST_CASE("an allocation past the limit throws where the function can see it", "[run]") {
  if (sanitized) {
    WARN("skipped: a sanitizer needs the address space that would be limited");
    return;
  }
  cluster local(options{.slots = 1});
  const executor limited = local->with({.memory = 64 * MiB});
  CHECK(limited.call<try_to_allocate>(8 * MiB).get() == "yes");
  CHECK(limited.call<try_to_allocate>(256 * MiB).get() == "no");
  const auto failure = thrown<memory_exceeded>([&] { limited.call<allocate>(256 * MiB).get(); });
  CHECK(failure.code() == errc::memory_exceeded);
  CHECK(failure.origin().pid > 0);
  // The limit goes with its call.
  CHECK(local->call<allocate>(256 * MiB).get() == 256 * MiB);
  CHECK(limited.call<allocate>(8 * MiB).get() == 8 * MiB);
}

TEST_CASE("a call that holds more memory than its limit is ended", "[run]") {
  cluster local(options{.slots = 1});
  const std::uint64_t limit = (sanitized ? 256 : 64) * MiB;
  const auto failure =
      thrown<memory_exceeded>([&] { local->with({.memory = limit}).call<map_pages>(4 * limit).get(); });
  CHECK(contains(failure.what(), "limit"));
  CHECK(local->call([](int x) { return x; }, 5).get() == 5);
}

TEST_CASE("memory costs a retry as any failure does", "[run]") {
  if (sanitized) {
    WARN("skipped: a sanitizer needs the address space that would be limited");
    return;
  }
  cluster local(options{.slots = 1});
  const auto failure =
      thrown<memory_exceeded>([&] { local->with({.retries = 2, .memory = 64 * MiB}).call<allocate>(256 * MiB).get(); });
  CHECK(failure.origin().attempt == 3);
}

TEST_CASE("what a function throws when it has memory left is no matter of memory", "[run]") {
  cluster local(options{.slots = 1});
  const auto unlucky = []() -> int { throw std::bad_alloc(); };
  CHECK(thrown<remote_error>([&] { local->call(unlucky).get(); }).type_name() == "std::bad_alloc");
}
