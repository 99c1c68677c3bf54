// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../object_memory.hpp"
#include "crc32c.hpp"
#include "job.hpp"

#include <openssl/evp.h>

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>

/// The bytes of objects. Calls and the bare loop use the same.
namespace bench::storage {

/// Memory for one object, filled once in a process: what is written differs from object to object in every page, and nothing can
/// compress it.
inline object_memory& source_memory(std::uint64_t bytes) {
  static std::unique_ptr<object_memory> made;
  if (!made || made->size() != bytes) {
    made = std::make_unique<object_memory>(bytes);
    fill(made->span(), 1);
  }
  return *made;
}

/// Memory to read one object into.
inline object_memory& target_memory(std::uint64_t bytes) {
  static std::unique_ptr<object_memory> made;
  if (!made || made->size() != bytes) made = std::make_unique<object_memory>(bytes);
  return *made;
}

/// The object of that number.
inline std::span<const std::byte> object(std::uint32_t index, std::uint64_t bytes) {
  constexpr std::size_t page = 4096;
  const std::span<std::byte> all = source_memory(bytes).span();
  for (std::size_t at = 0; at + sizeof index <= all.size(); at += page)
    std::memcpy(all.data() + at, &index, sizeof index);
  return all;
}

inline std::string checksum_of(std::span<const std::byte> bytes, checksum kind) {
  if (kind == checksum::none) return {};
  if (kind == checksum::crc32c) return fmt::format("{:08x}", crc32c(bytes));
  std::array<unsigned char, EVP_MAX_MD_SIZE> sum{};
  unsigned size = 0;
  EVP_Digest(bytes.data(), bytes.size(), sum.data(), &size, EVP_md5(), nullptr);
  std::string text;
  for (unsigned i = 0; i < size; ++i) text += fmt::format("{:02x}", sum[i]);
  return text;
}

}  // namespace bench::storage
