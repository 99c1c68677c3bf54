// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>
#include <corolith/core/memory_segment.hpp>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

namespace corolith {
inline namespace v0 {

namespace detail {

struct segment_counter {
  std::uint64_t magic;
  std::atomic<std::uint32_t> holders;
};
static_assert(std::atomic<std::uint32_t>::is_always_lock_free, "processes count themselves in shared memory");

inline constexpr std::uint64_t segment_magic = 0x746e656d67657343;  // "Csegment"
inline constexpr std::size_t segment_page = memory_segment::data_offset;

inline segment_counter& counter_of(std::byte* page) noexcept { return *reinterpret_cast<segment_counter*>(page); }

inline std::size_t whole_pages(std::size_t size) noexcept {
  return (size + segment_page - 1) / segment_page * segment_page;
}

/// nullptr when it cannot be mapped.
inline std::byte* map_file(int file, std::size_t size, int protection, int kind, std::uint64_t from) noexcept {
  void* mapped = ::mmap(nullptr, size, protection, kind, file, static_cast<off_t>(from));
  return mapped == MAP_FAILED ? nullptr : static_cast<std::byte*>(mapped);
}

// Not executable, where the system knows of that; some allow no other.
inline unique_fd new_memory_file() noexcept {
  constexpr unsigned no_exec_seal = 8;  // MFD_NOEXEC_SEAL
  const char* const name = "corolith-value";
  const int made = ::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | no_exec_seal);
  return unique_fd(made >= 0 || errno != EINVAL ? made : ::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
}

COROLITH_DECL void segment_owner::operator()(const void*) const noexcept {
  if (segment->made_here())
    segments.load(std::memory_order_acquire)->put(segment);
  else
    delete segment;
}

}  // namespace detail

COROLITH_DECL std::unique_ptr<memory_segment> memory_segment::make(std::size_t capacity) noexcept {
  const std::size_t size = data_offset + detail::whole_pages(capacity);
  std::unique_ptr<memory_segment> made(new (std::nothrow) memory_segment);
  if (made == nullptr || size < capacity) return nullptr;
  made->file_ = detail::new_memory_file();
  if (!made->file_ || ::ftruncate(made->file_.get(), static_cast<off_t>(size)) != 0 ||
      ::fcntl(made->file_.get(), F_ADD_SEALS, F_SEAL_SHRINK) != 0)
    return nullptr;
  made->base_ = detail::map_file(made->file_.get(), size, PROT_READ | PROT_WRITE, MAP_SHARED, 0);
  if (made->base_ == nullptr) return nullptr;
  made->mapped_ = size;
  made->made_here_ = true;
  made->counter_ = made->base_;
  made->shared_from_ = made->base_;
  ::madvise(made->base_, size, MADV_HUGEPAGE);  // where the system gives shared memory such pages
  new (made->base_) detail::segment_counter{detail::segment_magic, 0};
  return made;
}

COROLITH_DECL memory_segment::~memory_segment() {
  if (base_ != nullptr) ::munmap(base_, mapped_);
  if (made_here_ || counter_ == nullptr) return;
  // Only now: what is told by it is that nobody here reads any more.
  detail::counter_of(counter_).holders.fetch_sub(1, std::memory_order_release);
  ::munmap(counter_, detail::segment_page);
}

COROLITH_DECL bool memory_segment::grow(std::size_t capacity) noexcept {
  const std::size_t size = data_offset + detail::whole_pages(capacity);
  if (size <= mapped_) return size > capacity;
  if (::ftruncate(file_.get(), static_cast<off_t>(size)) != 0) return false;
  void* moved = ::mremap(base_, mapped_, size, MREMAP_MAYMOVE);
  if (moved == MAP_FAILED) return false;
  base_ = counter_ = shared_from_ = static_cast<std::byte*>(moved);
  mapped_ = size;
  return true;
}

COROLITH_DECL void memory_segment::add_holder() noexcept {
  if (counter_ != nullptr) detail::counter_of(counter_).holders.fetch_add(1, std::memory_order_relaxed);
}

COROLITH_DECL bool memory_segment::has_holders() const noexcept {
  return counter_ != nullptr && detail::counter_of(counter_).holders.load(std::memory_order_acquire) != 0;
}

COROLITH_DECL std::optional<memory_segment::place> memory_segment::find(const shared_bytes& bytes) noexcept {
  const auto* owner = std::get_deleter<detail::segment_owner>(bytes.owner());
  if (owner == nullptr) return std::nullopt;
  memory_segment& segment = *owner->segment;
  place found;
  found.segment = &segment;
  if (bytes.data() < segment.shared_from_)
    found.before = std::min(bytes.size(), static_cast<std::size_t>(segment.shared_from_ - bytes.data()));
  found.offset = segment.mapped_from_ + static_cast<std::uint64_t>(bytes.data() + found.before - segment.base_);
  found.length = bytes.size() - found.before;
  return found;
}

// The file comes from another process: it must be one that cannot become smaller while it is mapped here.
COROLITH_DECL void memory_segment::check(int file, std::uint64_t offset, std::uint64_t length) {
  struct stat facts{};
  const int seals = ::fcntl(file, F_GET_SEALS);
  if (seals < 0 || (seals & F_SEAL_SHRINK) == 0 || ::fstat(file, &facts) != 0 || !S_ISREG(facts.st_mode))
    throw error(errc::protocol, "the peer sent a descriptor that is no sealed memory");
  const auto size = static_cast<std::uint64_t>(facts.st_size);
  if (offset < data_offset || offset > size || length == 0 || length > size - offset)
    throw error(errc::protocol, "the peer sent memory that is smaller than it says");
}

// The pages of `head` and of the bytes are mapped in one piece, privately: to write `head` in front of the bytes copies a page or two of the
// file for this process, and all others stay those that everybody has.
COROLITH_DECL bool memory_segment::map_part(byte_span head, std::uint64_t offset, std::uint64_t length) noexcept {
  constexpr std::uint64_t page = detail::segment_page;
  mapped_from_ = (offset - head.size()) / page * page;
  mapped_ = static_cast<std::size_t>(offset + length - mapped_from_);
  base_ = detail::map_file(file_.get(), mapped_, PROT_READ, MAP_PRIVATE, mapped_from_);
  if (base_ == nullptr) return false;
  shared_from_ = base_ + (offset - mapped_from_);
  if (head.empty()) return true;
  if (::mprotect(base_, detail::whole_pages(static_cast<std::size_t>(offset - mapped_from_)), PROT_READ | PROT_WRITE) !=
      0)
    return false;
  std::memcpy(shared_from_ - head.size(), head.data(), head.size());
  return true;
}

COROLITH_DECL shared_bytes memory_segment::adopt(unique_fd file, byte_span head, std::uint64_t offset,
                                                 std::uint64_t length) {
  check(file.get(), offset, length);
  if (head.size() > data_offset) throw error(errc::protocol, "the peer sent memory with too much in front of it");
  std::unique_ptr<memory_segment> made(new memory_segment);
  made->file_ = std::move(file);
  made->counter_ = detail::map_file(made->file_.get(), detail::segment_page, PROT_READ | PROT_WRITE, MAP_SHARED, 0);
  if (made->counter_ != nullptr && detail::counter_of(made->counter_).magic != detail::segment_magic) {
    ::munmap(std::exchange(made->counter_, nullptr), detail::segment_page);
    throw error(errc::protocol, "the peer sent memory that is no segment");
  }
  if (made->map_part(head, offset, length)) {
    const byte_span bytes{made->shared_from_ - head.size(), head.size() + static_cast<std::size_t>(length)};
    memory_segment* const segment = made.release();
    std::shared_ptr<const void> owner(bytes.data(), detail::segment_owner{segment});
    return {std::move(owner), bytes};
  }
  byte_buffer copy(head.size() + static_cast<std::size_t>(length));
  copy.append(head);
  std::byte* to = copy.extend(static_cast<std::size_t>(length));
  for (std::uint64_t done = 0; done < length;) {
    const ssize_t got = ::pread(made->file_.get(), to + done, length - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) throw error(errc::protocol, "the peer sent memory that cannot be read");
    done += static_cast<std::uint64_t>(got);
  }
  return copy.release();
}

}  // namespace v0
}  // namespace corolith
