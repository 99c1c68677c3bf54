// SPDX-License-Identifier: Apache-2.0
// Joins one target, FUZZ_TARGET, with libFuzzer.
#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::FUZZ_TARGET.run({reinterpret_cast<const std::byte*>(data), size});
  return 0;
}
