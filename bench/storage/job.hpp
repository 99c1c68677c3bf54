// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace bench::storage {

enum class phase : std::uint8_t { write, read };

/// How the bytes that are read are looked at.
enum class checksum : std::uint8_t { crc32c, md5, none };

/// What each call does: writes one object, or reads it `read_times` times.
struct job {
  std::string key_prefix;
  std::uint64_t bytes = 0;  ///< of an object
  std::uint32_t read_times = 1;
  checksum sum = checksum::crc32c;

  std::string key(std::uint32_t index) const { return key_prefix + std::to_string(index); }
  double moved(phase what) const { return static_cast<double>(bytes) * (what == phase::read ? read_times : 1); }
};

/// How one call went. Times are of the process that ran it.
struct call_times {
  std::int64_t began_ns = 0;  ///< system clock, which nodes have in common
  std::int64_t ended_ns = 0;
  double store_s = 0;  ///< inside the store's put or get
  double cpu_s = 0;    ///< processor time from began to ended, all threads
  std::string sum;     ///< what was read, or what was written
};

}  // namespace bench::storage
