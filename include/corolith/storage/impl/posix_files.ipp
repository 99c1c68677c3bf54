// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>
#include <corolith/core/random_name.hpp>
#include <corolith/storage/detail/keys.hpp>
#include <corolith/storage/detail/posix_files.hpp>
#include <corolith/storage/error.hpp>

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <tuple>
#include <vector>

namespace corolith::inline v0::storage::detail {

inline constexpr std::size_t file_step = std::size_t{16} << 20;  // between two looks at the stop token

// --- what is known of a file ------------------------------------------------------------------------------------------

COROLITH_DECL object_info info_of(const struct stat& found) {
  object_info info;
  info.size = static_cast<std::uint64_t>(found.st_size);
  const std::chrono::nanoseconds since =
      std::chrono::seconds(found.st_mtim.tv_sec) + std::chrono::nanoseconds(found.st_mtim.tv_nsec);
  info.last_modified =
      std::chrono::system_clock::time_point(std::chrono::duration_cast<std::chrono::system_clock::duration>(since));
  // Every put makes a new file, so that two contents differ at least in the first and the last of these.
  char text[64];
  std::snprintf(text, sizeof text, "%llx-%llx-%llx", static_cast<unsigned long long>(found.st_ino),
                static_cast<unsigned long long>(found.st_size), static_cast<unsigned long long>(since.count()));
  info.etag = text;
  return info;
}

[[noreturn]] inline void fail_condition(const std::string& key, const std::string& why) {
  throw store_error(errc::precondition_failed, "the object '" + key + "': " + why, key);
}

COROLITH_DECL void check_conditions(const conditions& when, const object_info& info, const std::string& key) {
  if (!when.if_match.empty() && when.if_match != "*" && when.if_match != info.etag)
    fail_condition(key, "it has been replaced: its ETag is " + info.etag + ", not " + when.if_match);
  if (!when.if_none_match.empty() && (when.if_none_match == "*" || when.if_none_match == info.etag))
    fail_condition(key, "it is the one that the caller has");
  if (when.if_modified_since && *info.last_modified <= *when.if_modified_since)
    fail_condition(key, "it was not modified since then");
  if (when.if_unmodified_since && *info.last_modified > *when.if_unmodified_since)
    fail_condition(key, "it was modified since then");
}

inline constexpr std::string_view attribute_prefix = "user.corolith.";
inline constexpr std::string_view metadata_prefix = "user.corolith.meta.";

struct header_row {
  const char* name;
  std::string object_headers::* member;
};
inline constexpr header_row header_rows[] = {{"content-type", &object_headers::content_type},
                                             {"content-encoding", &object_headers::content_encoding},
                                             {"content-disposition", &object_headers::content_disposition},
                                             {"content-language", &object_headers::content_language},
                                             {"cache-control", &object_headers::cache_control}};

inline std::string read_attribute(int fd, const std::string& name) {
  const ssize_t size = ::fgetxattr(fd, name.c_str(), nullptr, 0);
  if (size <= 0) return {};
  std::string value(static_cast<std::size_t>(size), '\0');
  const ssize_t got = ::fgetxattr(fd, name.c_str(), value.data(), value.size());
  value.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  return value;
}

COROLITH_DECL object_headers headers_of(int fd) {
  object_headers headers;
  const ssize_t size = ::flistxattr(fd, nullptr, 0);
  if (size <= 0) return headers;  // none, or a file system without them
  std::string names(static_cast<std::size_t>(size), '\0');
  const ssize_t got = ::flistxattr(fd, names.data(), names.size());
  names.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  for (std::size_t at = 0; at < names.size();) {
    const std::string name(names.c_str() + at);
    at += name.size() + 1;
    if (name.starts_with(metadata_prefix)) {
      headers.metadata[name.substr(metadata_prefix.size())] = read_attribute(fd, name);
    } else if (name.starts_with(attribute_prefix)) {
      for (const header_row& row : header_rows)
        if (name.substr(attribute_prefix.size()) == row.name) headers.*row.member = read_attribute(fd, name);
    }
  }
  return headers;
}

// --- reading ----------------------------------------------------------------------------------------------------------

/// The range as offset and length. Throws for one that lies outside.
inline std::pair<std::uint64_t, std::uint64_t> resolve(const byte_range& range, std::uint64_t size,
                                                       const std::string& key) {
  if (!range.first && !range.last) return {0, size};
  const auto outside = [&] {
    throw store_error(errc::storage,
                      "the range " + range.to_string() + " lies outside the object '" + key + "', which has " +
                          std::to_string(size) + " bytes",
                      key);
  };
  if (!range.first) {
    const std::uint64_t count = std::min(*range.last, size);
    if (count == 0) outside();
    return {size - count, count};
  }
  if (range.last && *range.last < *range.first)
    throw store_error(errc::misuse, "the range " + range.to_string() + " ends before it begins", key);
  if (*range.first >= size) outside();
  const std::uint64_t last = range.last ? std::min(*range.last, size - 1) : size - 1;
  return {*range.first, last - *range.first + 1};
}

COROLITH_DECL open_object::open_object(const directory& where, std::string key, const get_options& how)
    : key_(std::move(key)) {
  if (!how.version_id.empty())
    throw store_error(errc::storage, "a directory store keeps no versions of the object '" + key_ + "'", key_);
  check_path_key(key_);
  file_ = where.open(key_, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  struct stat found{};
  if (::fstat(file_.get(), &found) != 0) fail_file(errno, "open", key_);
  if (!S_ISREG(found.st_mode)) fail_file(EISDIR, "open", key_);
  info_ = info_of(found);
  check_conditions(how.when, info_, key_);
  std::tie(begin_, size_) = resolve(how.range, info_.size, key_);
}

COROLITH_DECL void open_object::read(mutable_byte_span place, std::uint64_t offset, std::atomic<std::uint64_t>& read,
                                     const std::stop_token& stop) const {
  while (!place.empty()) {
    check_stop(stop);
    const ssize_t got =
        ::pread(file_.get(), place.data(), std::min(place.size(), file_step), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail_file(errno, "read", key_);
    if (got == 0) fail_condition(key_, "it became shorter while it was read");
    read.fetch_add(static_cast<std::uint64_t>(got), std::memory_order_relaxed);
    place = place.subspan(static_cast<std::size_t>(got));
    offset += static_cast<std::uint64_t>(got);
  }
}

COROLITH_DECL unique_fd open_user_file(const std::string& path) {
  unique_fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) throw store_error(errc::storage, "cannot read the file " + path + ": " + std::strerror(errno), {});
  return file;
}

// --- writing ----------------------------------------------------------------------------------------------------------

COROLITH_DECL unfinished_file::unfinished_file(unique_fd parent, std::string name, std::string key,
                                               std::atomic<std::uint64_t>& written)
    : parent_(std::move(parent)),
      name_(std::move(name)),
      key_(std::move(key)),
      temporary_(std::string(unfinished) + random_name()),
      written_(written) {
  file_ =
      unique_fd(::openat(parent_.get(), temporary_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666));
  if (!file_) fail_file(errno, "write", key_);
}

COROLITH_DECL unfinished_file::~unfinished_file() {
  if (!temporary_.empty()) ::unlinkat(parent_.get(), temporary_.c_str(), 0);
}

COROLITH_DECL void unfinished_file::write(byte_span bytes, const std::stop_token& stop) {
  while (!bytes.empty()) {
    check_stop(stop);
    const ssize_t put = ::write(file_.get(), bytes.data(), std::min(bytes.size(), file_step));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) fail_file(errno, "write", key_);
    count(put);
    bytes = bytes.subspan(static_cast<std::size_t>(put));
  }
}

COROLITH_DECL void unfinished_file::append_file(int source, std::uint64_t offset, std::uint64_t size,
                                                const std::stop_token& stop) {
  bool inside = true;
  std::vector<std::byte> buffer;
  while (size != 0) {
    check_stop(stop);
    const std::size_t step = static_cast<std::size_t>(std::min<std::uint64_t>(size, file_step));
    ssize_t moved = -1;
    if (inside) {
      off_t from = static_cast<off_t>(offset);
      moved = ::copy_file_range(source, &from, file_.get(), nullptr, step, 0);
      if (moved < 0 && errno != EINTR) inside = false;  // between file systems, or one that cannot
      if (moved == 0) inside = false;                   // some special files say so although they have bytes
      if (moved <= 0) continue;
      count(moved);
    } else {
      buffer.resize(std::size_t{1} << 20);
      moved = ::pread(source, buffer.data(), std::min(step, buffer.size()), static_cast<off_t>(offset));
      if (moved < 0 && errno == EINTR) continue;
      if (moved < 0) fail_file(errno, "write", key_);
      if (moved == 0) fail_condition(key_, "what is copied became shorter meanwhile");
      write(byte_span(buffer.data(), static_cast<std::size_t>(moved)), stop);
    }
    offset += static_cast<std::uint64_t>(moved);
    size -= static_cast<std::uint64_t>(moved);
  }
}

COROLITH_DECL void unfinished_file::append_all(int source, const std::stop_token& stop) {
  for (ssize_t moved = 1; moved > 0;) {
    check_stop(stop);
    moved = ::copy_file_range(source, nullptr, file_.get(), nullptr, file_step, 0);
    if (moved < 0 && errno == EINTR) {
      moved = 1;
    } else if (moved > 0) {
      count(moved);
    }
  }
  // What the kernel did not move: all of it between file systems, nothing of a usual file.
  std::vector<std::byte> buffer(std::size_t{1} << 20);
  for (;;) {
    check_stop(stop);
    const ssize_t got = ::read(source, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail_file(errno, "write", key_);
    if (got == 0) return;
    write(byte_span(buffer.data(), static_cast<std::size_t>(got)), stop);
  }
}

COROLITH_DECL void unfinished_file::set_headers(const object_headers& headers) {
  const auto set = [&](const std::string& name, const std::string& value) {
    if (::fsetxattr(file_.get(), name.c_str(), value.data(), value.size(), 0) == 0) return;
    throw store_error(errc::storage,
                      "cannot keep '" + name.substr(attribute_prefix.size()) + "' beside the object '" + key_ +
                          "': " + std::strerror(errno) + " (metadata are extended attributes of the file)",
                      key_);
  };
  for (const header_row& row : header_rows)
    if (!(headers.*row.member).empty()) set(std::string(attribute_prefix) + row.name, headers.*row.member);
  for (const auto& [name, value] : headers.metadata) set(std::string(metadata_prefix) + name, value);
}

COROLITH_DECL void unfinished_file::give_name(bool only_new) {
  const int folder = parent_.get();
  const char* const from = temporary_.c_str();
  const char* const to = name_.c_str();
  if (only_new) {
    if (::renameat2(folder, from, folder, to, RENAME_NOREPLACE) == 0) return temporary_.clear();
    if (errno == EINVAL || errno == ENOSYS) {  // not every file system can do that; two names do it everywhere else
      if (::linkat(folder, from, folder, to, 0) == 0) return;
    }
    if (errno == EEXIST) fail_condition(key_, "there is one already");
    fail_file(errno, "write", key_);
  }
  if (::renameat(folder, from, folder, to) == 0) return temporary_.clear();
  // A folder is in its place, which may be left over from objects that are gone.
  if (errno == EISDIR && ::unlinkat(folder, to, AT_REMOVEDIR) == 0 && ::renameat(folder, from, folder, to) == 0)
    return temporary_.clear();
  if (errno == EISDIR || errno == ENOTEMPTY || errno == EEXIST)
    throw store_error(errc::storage,
                      "cannot write the object '" + key_ +
                          "': it is a folder of other objects; in a directory store a key cannot be both",
                      key_);
  fail_file(errno, "write", key_);
}

COROLITH_DECL std::string unfinished_file::finish(bool only_new, bool sync) {
  if (sync && ::fsync(file_.get()) != 0) fail_file(errno, "write", key_);
  struct stat made{};
  if (::fstat(file_.get(), &made) != 0) fail_file(errno, "write", key_);
  // Some file systems tell only here that there was no room.
  if (::close(file_.release()) != 0 && errno != EINTR) fail_file(errno, "write", key_);
  give_name(only_new);
  if (sync) {
    const unique_fd folder(::openat(parent_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder || ::fsync(folder.get()) != 0) fail_file(errno, "write", key_);
  }
  return info_of(made).etag;
}

}  // namespace corolith::inline v0::storage::detail
