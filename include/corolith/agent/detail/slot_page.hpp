// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/agent/detail/progress_page.hpp>
#include <corolith/core/unique_fd.hpp>

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace corolith {
inline namespace v0 {
namespace agent {
namespace detail {

/// The mapping of a progress_page, on either side. Where memory cannot be mapped it is this object's own, and tells the other side
/// nothing.
class slot_page {
 public:
  /// A new one. Throws std::system_error when there is no memory for it.
  slot_page() : memory_(::memfd_create("corolith-worker", MFD_CLOEXEC)) {
    if (!memory_ || ::ftruncate(memory_.get(), progress_page::size) != 0)
      throw std::system_error(errno, std::generic_category(), "cannot share memory with a worker");
    map();
  }
  /// What somebody else has made.
  explicit slot_page(unique_fd memory) noexcept : memory_(std::move(memory)) {
    if (memory_) map();
    take_fd();
  }
  slot_page(const slot_page&) = delete;
  slot_page& operator=(const slot_page&) = delete;
  ~slot_page() {
    if (page_ != &own_) ::munmap(page_, progress_page::size);
  }

  progress_page& page() const noexcept { return *page_; }
  int fd() const noexcept { return memory_.get(); }
  /// For the other side. This one needs it no more.
  unique_fd take_fd() noexcept { return std::move(memory_); }

 private:
  void map() noexcept {
    void* mapped = ::mmap(nullptr, progress_page::size, PROT_READ | PROT_WRITE, MAP_SHARED, memory_.get(), 0);
    if (mapped != MAP_FAILED) page_ = static_cast<progress_page*>(mapped);
  }

  unique_fd memory_;
  progress_page own_;
  progress_page* page_ = &own_;
};

}  // namespace detail
}  // namespace agent
}  // namespace v0
}  // namespace corolith
