// expect: error: .*corolith cannot receive this type
// SPDX-License-Identifier: Apache-2.0
#include <corolith/codec/archive.hpp>

#include <string_view>

int main() {
  corolith::byte_span bytes;
  return static_cast<int>(corolith::codec::decode<std::string_view>(bytes).size());
}
