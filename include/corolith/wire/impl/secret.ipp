// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/wire/secret.hpp>

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace corolith::inline v0::wire {

namespace detail {

/// A file descriptor that closes itself.
class file_handle {
 public:
  explicit file_handle(int fd) noexcept : fd_(fd) {}
  file_handle(const file_handle&) = delete;
  file_handle& operator=(const file_handle&) = delete;
  ~file_handle() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const noexcept { return fd_; }

 private:
  int fd_;
};

/// Memory for text that must not stay behind.
template <std::size_t Size>
struct wiped_text {
  std::array<char, Size> text{};
  wiped_text() = default;
  wiped_text(const wiped_text&) = delete;
  wiped_text& operator=(const wiped_text&) = delete;
  ~wiped_text() { OPENSSL_cleanse(text.data(), text.size()); }
};

inline constexpr std::string_view hex_digits = "0123456789abcdef";

inline void to_hex(byte_span bytes, char* out) noexcept {
  for (std::byte each : bytes) {
    *out++ = hex_digits[std::to_integer<std::size_t>(each >> 4)];
    *out++ = hex_digits[std::to_integer<std::size_t>(each & std::byte{15})];
  }
}

inline config_error secret_file_error(const std::string& path, const std::string& why) {
  return config_error("secret file " + path + ": " + why);
}

}  // namespace detail

COROLITH_DECL secret::~secret() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }

COROLITH_DECL secret secret::make() {
  secret made;
  if (RAND_bytes(reinterpret_cast<unsigned char*>(made.bytes_.data()), static_cast<int>(size)) != 1)
    throw error(errc::config, "the system's random generator gives no bytes for a secret");
  return made;
}

COROLITH_DECL secret secret::load(const std::string& path) {
  using detail::secret_file_error;
  detail::file_handle file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) throw secret_file_error(path, std::strerror(errno));
  struct stat facts{};
  if (::fstat(file.get(), &facts) != 0) throw secret_file_error(path, std::strerror(errno));
  if (!S_ISREG(facts.st_mode)) throw secret_file_error(path, "it is no regular file");
  if (facts.st_uid != ::geteuid()) throw secret_file_error(path, "it belongs to another user");
  if ((facts.st_mode & 077) != 0) throw secret_file_error(path, "others may read it; chmod 600 it, or make a new one");

  if (facts.st_size > static_cast<off_t>(2 * size + 1))
    throw secret_file_error(path, "it does not hold 64 hexadecimal digits");
  secret loaded = read(file.get(), path);
  loaded.source_ = path;
  return loaded;
}

// One byte at a time: what follows is not ours to take, and nobody waits for more than 65 of them.
COROLITH_DECL secret secret::read(int fd, const std::string& name) {
  detail::wiped_text<2 * size + 1> content;
  std::size_t filled = 0;
  while (filled < content.text.size()) {
    ssize_t got = ::read(fd, content.text.data() + filled, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw detail::secret_file_error(name, std::strerror(errno));
    if (got == 0 || content.text[filled] == '\n') break;
    ++filled;
  }
  secret made;
  bool good = filled == 2 * size;
  for (std::size_t i = 0; good && i < 2 * size; ++i) {
    std::size_t digit = detail::hex_digits.find(content.text[i]);
    good = digit != std::string_view::npos;
    made.bytes_[i / 2] = (made.bytes_[i / 2] << 4) | static_cast<std::byte>(digit & 15);
  }
  if (!good) throw detail::secret_file_error(name, "it does not hold 64 hexadecimal digits");
  return made;
}

COROLITH_DECL void secret::save(const std::string& path) const {
  using detail::secret_file_error;
  detail::file_handle file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (file.get() < 0) throw secret_file_error(path, std::strerror(errno));
  detail::wiped_text<2 * size + 1> content;
  detail::to_hex(bytes_, content.text.data());
  content.text[2 * size] = '\n';
  std::size_t written = 0;
  while (written < content.text.size()) {
    ssize_t put = ::write(file.get(), content.text.data() + written, content.text.size() - written);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) {
      int why = errno;
      ::unlink(path.c_str());
      throw secret_file_error(path, std::strerror(why));
    }
    written += static_cast<std::size_t>(put);
  }
  if (::fchmod(file.get(), 0600) != 0 || ::fsync(file.get()) != 0) throw secret_file_error(path, std::strerror(errno));
  source_ = path;
}

COROLITH_DECL std::string secret::fingerprint() const {
  constexpr std::string_view purpose = "corolith secret fingerprint";
  std::array<unsigned char, purpose.size() + size> input;
  std::memcpy(input.data(), purpose.data(), purpose.size());
  std::memcpy(input.data() + purpose.size(), bytes_.data(), size);
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest;
  SHA256(input.data(), input.size(), digest.data());
  OPENSSL_cleanse(input.data(), input.size());
  std::string shown(16, '0');
  detail::to_hex(std::as_bytes(std::span(digest)).first(8), shown.data());
  return shown;
}

}  // namespace corolith::inline v0::wire
