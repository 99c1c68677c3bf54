// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/bytes.hpp>
#include <corolith/core/detail/decl.hpp>
#include <corolith/core/error.hpp>
#include <corolith/core/unique_fd.hpp>
#include <corolith/storage/detail/directory.hpp>
#include <corolith/storage/types.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <stop_token>
#include <string>

// What blocks when objects are files. The stop token is looked at between steps.
namespace corolith::inline v0::storage::detail {

inline void check_stop(const std::stop_token& stop) {
  if (stop.stop_requested()) throw cancelled("cancelled: the task was asked to stop while it used a file");
}

/// An object that is open for reading: it stays what it is, whoever replaces or removes it.
class open_object {
 public:
  /// Opens it and checks the conditions. Throws store_error.
  COROLITH_DECL open_object(const directory& where, std::string key, const get_options& how);

  const object_info& info() const noexcept { return info_; }
  int fd() const noexcept { return file_.get(); }
  const std::string& key() const noexcept { return key_; }
  /// Where the range that was asked for begins, and how long it is.
  std::uint64_t begin() const noexcept { return begin_; }
  std::uint64_t size() const noexcept { return size_; }

  /// Fills `place` from `offset` on, and adds to `read` as it goes. Throws errc::precondition_failed when the file has become shorter.
  COROLITH_DECL void read(mutable_byte_span place, std::uint64_t offset, std::atomic<std::uint64_t>& read,
                          const std::stop_token& stop) const;

 private:
  std::string key_;
  unique_fd file_;
  object_info info_;
  std::uint64_t begin_ = 0;
  std::uint64_t size_ = 0;
};

/// A file that has no name yet: it gets one by `finish`, or is gone with its owner.
class unfinished_file {
 public:
  /// In the folder `parent`, to become `name` there. `key` is for errors. What is written is added to `written` as it goes.
  COROLITH_DECL unfinished_file(unique_fd parent, std::string name, std::string key,
                                std::atomic<std::uint64_t>& written);
  COROLITH_DECL ~unfinished_file();
  unfinished_file(const unfinished_file&) = delete;
  unfinished_file& operator=(const unfinished_file&) = delete;

  COROLITH_DECL void write(byte_span bytes, const std::stop_token& stop);
  /// Appends `size` bytes of `source` from `offset` on, inside the file system where it can do that.
  COROLITH_DECL void append_file(int source, std::uint64_t offset, std::uint64_t size, const std::stop_token& stop);
  /// Appends what is left to read of `source`, be it a file or something that has no length.
  COROLITH_DECL void append_all(int source, const std::stop_token& stop);
  COROLITH_DECL void set_headers(const object_headers& headers);
  /// Gives it its name, in one step; `only_new`: throws errc::precondition_failed when there is something of that name. Returns its ETag.
  COROLITH_DECL std::string finish(bool only_new, bool sync);

 private:
  void give_name(bool only_new);
  void count(ssize_t bytes) noexcept {
    written_.fetch_add(static_cast<std::uint64_t>(bytes), std::memory_order_relaxed);
  }

  unique_fd parent_;
  unique_fd file_;
  std::string name_;
  std::string key_;
  std::string temporary_;
  std::atomic<std::uint64_t>& written_;
};

/// Size, ETag and time of what `stat` found.
COROLITH_DECL object_info info_of(const struct stat& found);
/// Throws errc::precondition_failed when the conditions do not hold.
COROLITH_DECL void check_conditions(const conditions& when, const object_info& info, const std::string& key);
COROLITH_DECL object_headers headers_of(int fd);

/// Opens a file of the user's. Throws store_error(errc::storage).
COROLITH_DECL unique_fd open_user_file(const std::string& path);

}  // namespace corolith::inline v0::storage::detail

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/storage/impl/posix_files.ipp>
#endif
