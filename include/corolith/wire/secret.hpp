// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/bytes.hpp>
#include <corolith/core/detail/decl.hpp>
#include <corolith/core/error.hpp>

#include <array>
#include <cstddef>
#include <string>

namespace corolith::inline v0::wire {

/// 256 bits that the two ends of a TLS connection share. Lives in a file that only its owner can read; never in a log,
/// a command line or an environment variable. Wiped when destroyed.
class secret {
 public:
  static constexpr std::size_t size = 32;

  /// A fresh one from the system's random generator.
  COROLITH_DECL static secret make();
  /// Reads a file that `save` made. Throws config_error when it is missing, malformed, not ours, or readable by others.
  COROLITH_DECL static secret load(const std::string& path);
  /// Reads the same 64 digits and a newline, or an end, from a descriptor; nothing behind the newline is taken. Waits
  /// for them. `name` is what errors call it.
  COROLITH_DECL static secret read(int fd, const std::string& name);
  /// Writes it to a new file of mode 0600, as 64 hexadecimal digits. Throws config_error when the file exists.
  COROLITH_DECL void save(const std::string& path) const;

  secret(const secret&) = default;
  secret& operator=(const secret&) = default;
  COROLITH_DECL ~secret();

  byte_span bytes() const noexcept { return bytes_; }
  /// 16 hexadecimal digits that name the secret and tell nothing about it; two ends that cannot talk compare these.
  COROLITH_DECL std::string fingerprint() const;
  /// The file it came from or went to; empty when there is none.
  const std::string& source() const noexcept { return source_; }

 private:
  secret() = default;

  std::array<std::byte, size> bytes_{};
  mutable std::string source_;
};

}  // namespace corolith::inline v0::wire

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/wire/impl/secret.ipp>
#endif
