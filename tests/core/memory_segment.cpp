// SPDX-License-Identifier: Apache-2.0
#include <corolith/core/error.hpp>
#include <corolith/core/memory_segment.hpp>
#include <corolith/core/segment_pool.hpp>

#include <support/descriptors.hpp>

#include <catch2/catch.hpp>

#include <array>
#include <chrono>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

using namespace corolith;
using namespace std::chrono_literals;
using test_support::open_segments;

namespace {

constexpr std::size_t mib = std::size_t{1} << 20;

/// The pool of this process, with limits of the test's own, and empty at its beginning and end.
struct pooled {
  explicit pooled(segment_limits limits = {8, 64 * mib, 16 * mib, 1h}) {
    pool.give_back(std::chrono::steady_clock::time_point::max());
    REQUIRE(pool.count() == 0);
    pool.allow(limits);
  }
  ~pooled() {
    pool.give_back(std::chrono::steady_clock::time_point::max());
    pool.allow({});
  }
  segment_pool& pool = segment_pool::of_process();
};

shared_bytes filled(std::size_t size, std::byte with, bool share = true) {
  byte_buffer made;
  if (share) made.share_when_large();
  std::memset(made.extend(size), static_cast<int>(with), size);
  return made.release();
}

unique_fd copy_of(int descriptor) { return unique_fd(::fcntl(descriptor, F_DUPFD_CLOEXEC, 0)); }

byte_span text(std::string_view of) { return std::as_bytes(std::span(of.data(), of.size())); }

/// What another process would make of it.
shared_bytes passed_on(const shared_bytes& bytes, std::string_view head = {}) {
  const auto where = memory_segment::find(bytes);
  REQUIRE(where);
  where->segment->add_holder();
  byte_buffer front;
  front.append(text(head));
  front.append(bytes.span().first(where->before));
  return memory_segment::adopt(copy_of(where->segment->descriptor()), front.span(), where->offset, where->length);
}

bool all_are(byte_span bytes, std::byte value) {
  for (const std::byte each : bytes)
    if (each != value) return false;
  return true;
}

errc code_of_adopting(unique_fd file, std::uint64_t offset, std::uint64_t length) {
  try {
    memory_segment::adopt(std::move(file), {}, offset, length);
  } catch (const error& refused) {
    return refused.code();
  }
  return errc{};
}

}  // namespace

TEST_CASE("a buffer moves into shared memory when it is large, if there is any") {
  const auto fill = [](byte_buffer& buffer) {
    for (std::uint32_t i = 0; i < mib; ++i) buffer.append_value(i);
  };
  const auto check = [](byte_span bytes) {
    std::uint32_t wrong = 0, value = 0;
    for (std::uint32_t i = 0; i < mib; ++i) {
      std::memcpy(&value, bytes.data() + i * sizeof value, sizeof value);
      wrong += value != i;
    }
    CHECK(wrong == 0);
  };
  const pooled memory;
  byte_buffer shared, plain;
  shared.share_when_large();
  fill(shared);
  fill(plain);
  CHECK(shared.in_segment());
  CHECK_FALSE(plain.in_segment());
  CHECK(memory.pool.count() == 1);
  byte_buffer moved = std::move(shared);
  check(moved.span());
  const shared_bytes bytes = moved.release();
  check(bytes);
  CHECK(memory_segment::find(bytes)->before == 0);
  CHECK_FALSE(memory_segment::find(plain.release()));

  byte_buffer beyond;  // of what may be shared
  beyond.share_when_large();
  fill(beyond);
  REQUIRE(beyond.in_segment());
  beyond.extend(100 * mib);
  CHECK_FALSE(beyond.in_segment());
  check(beyond.span());
}

TEST_CASE("two look at the same bytes, each with a head of its own in front") {
  const pooled memory;
  const shared_bytes mine = filled(2 * mib, std::byte{7});
  const shared_bytes slice = mine.slice(12345, mib);
  for (const shared_bytes* const each : {&mine, &slice}) {
    const shared_bytes theirs = passed_on(*each, "head");
    REQUIRE(theirs.size() == 4 + each->size());
    CHECK(std::memcmp(theirs.data(), "head", 4) == 0);
    CHECK(all_are(theirs.slice(4), std::byte{7}));
    CHECK(theirs.data() != each->data());
    // and further, to a third
    const shared_bytes third = passed_on(theirs.slice(1), "over");
    CHECK(std::memcmp(third.data(), "overead", 7) == 0);
    CHECK(third.size() == 7 + each->size());
    CHECK(all_are(third.slice(7), std::byte{7}));
    CHECK(memory_segment::find(mine)->segment->has_holders());
  }
  CHECK(all_are(mine, std::byte{7}));
  CHECK_FALSE(memory_segment::find(mine)->segment->has_holders());
  CHECK(open_segments() == 1);
}

TEST_CASE("memory is used again when nobody looks at it any more, and not before") {
  const pooled memory;
  shared_bytes first = filled(2 * mib, std::byte{1});
  const std::byte* const place = first.data();
  shared_bytes theirs = passed_on(first);
  first = {};
  shared_bytes second = filled(2 * mib, std::byte{2});
  CHECK(second.data() != place);
  CHECK(all_are(theirs, std::byte{1}));
  theirs = {};
  const shared_bytes third = filled(2 * mib, std::byte{3});
  CHECK(third.data() == place);
  CHECK(filled(mib + mib / 2, std::byte{4}).data() != place);
  CHECK(all_are(second, std::byte{2}));
}

TEST_CASE("who never says that he is done keeps nobody from being right") {
  const pooled memory;
  shared_bytes bytes = filled(2 * mib, std::byte{1});
  memory_segment::find(bytes)->segment->add_holder();  // who died with it
  bytes = {};
  CHECK(memory.pool.count() == 1);
  for (int i = 0; i < 3; ++i) CHECK(all_are(filled(2 * mib, std::byte{2}), std::byte{2}));
  CHECK(memory.pool.count() == 2);
  memory.pool.give_back(std::chrono::steady_clock::time_point::max());
  CHECK(memory.pool.count() == 0);
  CHECK(open_segments() == 0);
}

TEST_CASE("what is over the limits is no shared memory, and what is unused makes room") {
  const pooled memory({.count = 2, .bytes = 10 * mib, .kept = 8 * mib, .idle = 1h});
  const shared_bytes a = filled(2 * mib, std::byte{1});
  shared_bytes b = filled(2 * mib, std::byte{1});
  CHECK_FALSE(memory_segment::find(filled(2 * mib, std::byte{1})));  // too many
  b = {};
  CHECK(memory.pool.keeps_any());
  CHECK(memory_segment::find(filled(8 * mib, std::byte{1})));  // instead of b
  CHECK_FALSE(memory_segment::find(filled(9 * mib, std::byte{1})));
  CHECK(memory.pool.count() == 2);
}

TEST_CASE("memory that nobody used for a while is given back") {
  const pooled memory({.count = 4, .bytes = 64 * mib, .kept = 4 * mib, .idle = 10s});
  filled(2 * mib, std::byte{1});
  filled(8 * mib, std::byte{1});  // more than is kept at all
  CHECK(memory.pool.count() == 1);
  const auto now = std::chrono::steady_clock::now();
  memory.pool.give_back(now + 5s);
  CHECK(memory.pool.keeps_any());
  memory.pool.give_back(now + 11s);
  CHECK_FALSE(memory.pool.keeps_any());
  CHECK(open_segments() == 0);
}

TEST_CASE("a descriptor that is no such memory is refused") {
  const pooled memory;
  const shared_bytes bytes = filled(2 * mib, std::byte{1});
  const int good = memory_segment::find(bytes)->segment->descriptor();
  constexpr std::uint64_t from = memory_segment::data_offset;
  CHECK(code_of_adopting(copy_of(good), 0, mib) == errc::protocol);
  CHECK(code_of_adopting(copy_of(good), from, 3 * mib) == errc::protocol);
  CHECK(code_of_adopting(copy_of(good), from, 0) == errc::protocol);
  CHECK(code_of_adopting(copy_of(good), from + 1, ~std::uint64_t{0}) == errc::protocol);
  CHECK(code_of_adopting(copy_of(good), ~std::uint64_t{0}, 10) == errc::protocol);
  CHECK(code_of_adopting(unique_fd(::open("/dev/zero", O_RDONLY | O_CLOEXEC)), from, 10) == errc::protocol);
  CHECK(code_of_adopting(unique_fd(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC)), from, 10) == errc::protocol);
  const auto other = [good](unsigned flags, unsigned seals, bool with_header = true) {
    unique_fd made(::memfd_create("corolith-value", MFD_CLOEXEC | flags));
    REQUIRE(::ftruncate(made.get(), static_cast<off_t>(2 * mib)) == 0);
    std::array<std::byte, memory_segment::data_offset> header{};
    REQUIRE(::pread(good, header.data(), header.size(), 0) == static_cast<ssize_t>(header.size()));
    if (with_header) REQUIRE(::pwrite(made.get(), header.data(), header.size(), 0) > 0);
    if (seals != 0) REQUIRE(::fcntl(made.get(), F_ADD_SEALS, seals) == 0);
    return made;
  };
  CHECK(code_of_adopting(other(0, 0), from, 10) == errc::protocol);  // it could be made smaller under our eyes
  CHECK(code_of_adopting(other(MFD_ALLOW_SEALING, F_SEAL_GROW), from, 10) == errc::protocol);
  CHECK(code_of_adopting(other(MFD_ALLOW_SEALING, F_SEAL_SHRINK, false), from, 10) == errc::protocol);
  CHECK(code_of_adopting(other(MFD_ALLOW_SEALING, F_SEAL_SHRINK), from, 10) == errc{});  // one like ours
  CHECK(open_segments() == 1);
  CHECK(::ftruncate(good, 4096) != 0);
}
