// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "standard_streams.hpp"

#include <corolith/core/bytes.hpp>
#include <corolith/core/error.hpp>
#include <corolith/core/unique_fd.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>

namespace tool {

/// What has come of an object that is to become a file, beside that: "data.bin.corolith-partial-0123456789abcdef". The digits stand for the
/// object and its ETag, so that what is found under this name is the beginning of the very same content.
class partial_file {
 public:
  /// Opens it, or makes it; what is left of other contents is removed. Throws when another process has it.
  partial_file(std::string target, std::string_view object, std::string_view etag) : target_(std::move(target)) {
    const std::string begin = target_ + ".corolith-partial-";
    path_ = begin + digits_of(object, etag);
    remove_others(begin);
    file_ = corolith::unique_fd(::open(path_.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666));
    struct stat about{};
    if (!file_ || ::fstat(file_.get(), &about) != 0) fail("open");
    if (::flock(file_.get(), LOCK_EX | LOCK_NB) != 0)
      throw corolith::error(corolith::errc::misuse, "another process writes to " + path_);
    size_ = static_cast<std::uint64_t>(about.st_size);
    if (::lseek(file_.get(), 0, SEEK_END) < 0) fail("read");
  }
  partial_file(const partial_file&) = delete;
  partial_file& operator=(const partial_file&) = delete;

  std::uint64_t size() const noexcept { return size_; }
  void append(corolith::byte_span bytes) {
    write_fully(file_.get(), bytes, path_);
    size_ += bytes.size();
  }
  void start_again() {
    if (::ftruncate(file_.get(), 0) != 0 || ::lseek(file_.get(), 0, SEEK_SET) < 0) fail("write");
    size_ = 0;
  }
  void finish() {
    if (::rename(path_.c_str(), target_.c_str()) != 0)
      throw corolith::error(corolith::errc::storage,
                            "cannot rename " + path_ + " to " + target_ + ": " + std::strerror(errno));
  }

 private:
  static std::string digits_of(std::string_view object, std::string_view etag) {
    const std::string text = fmt::format("{} {}", object, etag);
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    if (::EVP_Q_digest(nullptr, "SHA256", nullptr, text.data(), text.size(), digest.data(), nullptr) != 1)
      throw corolith::error(corolith::errc::storage, "OpenSSL gives no SHA-256");
    std::string digits;
    for (std::size_t i = 0; i < 8; ++i) digits += fmt::format("{:02x}", digest[i]);
    return digits;
  }

  void remove_others(const std::string& begin) const {
    const std::filesystem::path whole(begin);
    const std::filesystem::path folder = whole.has_parent_path() ? whole.parent_path() : ".";
    std::error_code problem;
    std::filesystem::directory_iterator entry(folder, problem);
    for (; !problem && entry != std::filesystem::directory_iterator(); entry.increment(problem)) {
      const std::string name = entry->path().filename().string();
      if (!name.starts_with(whole.filename().string()) || name == std::filesystem::path(path_).filename()) continue;
      std::error_code ignored;
      std::filesystem::remove(entry->path(), ignored);
    }
  }

  [[noreturn]] void fail(const char* act) const {
    throw corolith::error(corolith::errc::storage, fmt::format("cannot {} {}: {}", act, path_, std::strerror(errno)));
  }

  std::string target_, path_;
  corolith::unique_fd file_;
  std::uint64_t size_ = 0;
};

}  // namespace tool
