// expect: error: .*corolith cannot send a pointer
// SPDX-License-Identifier: Apache-2.0
#include <corolith/codec/archive.hpp>

int main() {
  corolith::byte_buffer buffer;
  int value = 1;
  corolith::codec::encode(buffer, &value);
}
