// SPDX-License-Identifier: Apache-2.0
// Objects larger than memory: written by a generator, read piece by piece, in bounded memory on both sides.
//   stream_object [MIB]
#include <corolith/corolith.hpp>

#include <cstddef>
#include <cstdint>
#include <iostream>
#include <string>
#include <vector>

namespace cl = corolith;

using piece = std::vector<std::byte>;

cl::generator<piece> numbers(int mebibytes) {
  for (int i = 0; i < mebibytes; ++i) {
    piece made(std::size_t{1} << 20, static_cast<std::byte>(i));
    co_yield std::move(made);
  }
}

cl::task<int> run(cl::executor& ex, std::vector<std::string> arguments) {
  const int size = arguments.empty() ? 64 : std::stoi(arguments[0]);
  const cl::store objects = ex.store();
  co_await objects.put("streamed", numbers(size));  // nobody needs to know how long it will be

  std::uint64_t bytes = 0, sum = 0;
  auto pieces = objects.stream("streamed");
  while (auto next = co_await pieces.next()) {
    bytes += next->size();
    for (const std::byte each : *next) sum += std::to_integer<unsigned>(each);
  }
  std::cout << bytes << " bytes, which add up to " << sum << '\n';
  co_await objects.remove("streamed");
  co_return 0;
}

int main(int argc, char** argv) { return cl::main(argc, argv, run); }
