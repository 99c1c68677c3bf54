// SPDX-License-Identifier: Apache-2.0
// Objects by name, in the store of the run: a directory for it alone, or what --store says.
//   put_get [--store FOLDER]
#include <corolith/corolith.hpp>

#include <iostream>
#include <optional>
#include <string>

namespace cl = corolith;

cl::task<int> run(cl::executor& ex) {
  const cl::store objects = ex.store();
  co_await objects.put("greetings/english", "hello");
  co_await objects.put("greetings/spanish", "hola");
  std::cout << "english: " << co_await objects.get_text("greetings/english") << '\n';

  const auto part = co_await objects.get_range("greetings/spanish", 1, 2);  // both ends included
  std::cout << "bytes 1 to 2: " << static_cast<char>(part[0]) << static_cast<char>(part[1]) << '\n';

  auto listed = objects.list("greetings/");
  while (auto entry = co_await listed.next()) std::cout << entry->key << " has " << entry->size << " bytes\n";

  try {
    co_await objects.get("greetings/french");
  } catch (const cl::error& failure) {  // the same code for every kind of store
    if (failure.code() != cl::errc::not_found) throw;
    std::cout << "there is no french one\n";
  }
  std::cout << "removed " << co_await objects.remove_all("greetings/") << '\n';
  co_return 0;
}

int main(int argc, char** argv) { return cl::main(argc, argv, run); }
