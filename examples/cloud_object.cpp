// SPDX-License-Identifier: Apache-2.0
// Large intermediate results stay in the store: calls return references, other calls read what they stand for, and at the end of the run
// they are gone. Lithops calls them cloud objects.
#include <corolith/corolith.hpp>

#include <cstdint>
#include <iostream>
#include <string>
#include <vector>

namespace cl = corolith;

cl::task<cl::object_ref> make_table(int number) {
  std::string table;
  for (int i = 0; i < 100'000; ++i) table += std::to_string(number * i) + '\n';
  co_return co_await cl::this_call().store().put_temporary(std::move(table));
}

cl::task<long> count_lines(cl::object_ref table) {
  long lines = 0;
  auto pieces = cl::this_call().store().stream(table);
  while (auto piece = co_await pieces.next())
    for (const std::byte each : *piece) lines += each == std::byte{'\n'};
  co_return lines;
}

cl::task<int> run(cl::executor& ex) {
  const std::vector<int> numbers = {1, 2, 3};
  const std::vector<cl::object_ref> tables = co_await ex.map<make_table>(numbers);
  for (const cl::object_ref& table : tables) std::cout << "a table of " << table.size << " bytes\n";
  for (const long lines : co_await ex.map<count_lines>(tables)) std::cout << lines << " lines\n";
  co_return 0;
}

int main(int argc, char** argv) { return cl::main(argc, argv, run); }
