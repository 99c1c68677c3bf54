// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>

#include <cstdint>
#include <random>
#include <string>

namespace corolith {
inline namespace v0 {

/// 32 hexadecimal digits, 128 bits from the system's generator: nobody hits upon the same, by chance or by guessing. Thread-safe.
inline std::string random_name() {
  std::random_device random;
  std::string name;
  for (int word = 0; word < 4; ++word) {
    std::uint32_t bits = random();
    for (int digit = 0; digit < 8; ++digit, bits >>= 4U) name += "0123456789abcdef"[bits & 15U];
  }
  return name;
}

}  // namespace v0
}  // namespace corolith
