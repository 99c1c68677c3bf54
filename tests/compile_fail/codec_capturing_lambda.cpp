// expect: error: .*this lambda captures, or .*pass what it captures as shared arguments after the range
// SPDX-License-Identifier: Apache-2.0
#include <corolith/codec/function.hpp>

#include <string>

int main() {
  std::string prefix = "a";
  auto lambda = [&prefix](int x) { return prefix + std::to_string(x); };
  corolith::codec::map_call<decltype(lambda), int>::function::key();
}
