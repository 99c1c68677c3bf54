// SPDX-License-Identifier: Apache-2.0
// Calls that write objects, calls that read them in slices, one result for each object; and how fast that was.
//   map_over_objects [OBJECTS [MIB]]
#include <corolith/corolith.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <numeric>
#include <random>
#include <string>
#include <vector>

namespace cl = corolith;
using clock_type = std::chrono::steady_clock;

/// What stays the same however an object is cut.
std::uint64_t sum_of(const std::vector<std::byte>& bytes) {
  return std::accumulate(bytes.begin(), bytes.end(), std::uint64_t{0},
                         [](std::uint64_t sum, std::byte each) { return sum + std::to_integer<unsigned>(each); });
}

cl::task<std::uint64_t> write_object(int number, int mebibytes) {
  std::vector<std::byte> bytes(static_cast<std::size_t>(mebibytes) << 20);
  std::minstd_rand random(static_cast<unsigned>(number) + 1);
  for (std::byte& each : bytes) each = static_cast<std::byte>(random() >> 8);
  const std::uint64_t sum = sum_of(bytes);
  co_await cl::this_call().store().put("data/" + std::to_string(number), std::move(bytes));
  co_return sum;
}

cl::task<std::uint64_t> read_slice(cl::object_slice slice) {
  std::uint64_t sum = 0;
  auto pieces = slice.stream();
  while (auto next = co_await pieces.next()) sum += sum_of(*next);
  co_return sum;
}

std::uint64_t add_up(const std::vector<std::uint64_t>& sums) {
  return std::accumulate(sums.begin(), sums.end(), std::uint64_t{0});
}

void report(const char* what, double mebibytes, clock_type::time_point since) {
  const double seconds = std::chrono::duration<double>(clock_type::now() - since).count();
  std::cout << what << ' ' << mebibytes << " MiB at " << static_cast<long>(mebibytes / seconds) << " MiB/s\n";
}

cl::task<int> run(cl::executor& ex, std::vector<std::string> arguments) {
  const int count = arguments.empty() ? 8 : std::stoi(arguments[0]);
  const int size = arguments.size() < 2 ? 16 : std::stoi(arguments[1]);
  std::vector<int> numbers(static_cast<std::size_t>(count));
  std::iota(numbers.begin(), numbers.end(), 0);

  auto start = clock_type::now();
  const std::vector<std::uint64_t> written = co_await ex.map<write_object>(numbers, size);
  report("wrote", 1.0 * count * size, start);

  start = clock_type::now();
  auto slices = ex.store().objects("data/", {.bytes = 4 << 20});
  const auto read = co_await ex.map_reduce_by_key<read_slice, add_up>(std::move(slices));
  report("read", 1.0 * count * size, start);

  int wrong = 0;
  for (int i = 0; i < count; ++i) wrong += read.at("data/" + std::to_string(i)) != written[static_cast<std::size_t>(i)];
  std::cout << read.size() << " objects, " << wrong << " of them wrong\n";
  co_await ex.store().remove_all("data/");
  co_return wrong == 0 ? 0 : 1;
}

int main(int argc, char** argv) { return cl::main(argc, argv, run); }
