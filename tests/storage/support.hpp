// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>
#include <corolith/coro/generator.hpp>
#include <corolith/coro/sync_wait.hpp>
#include <corolith/coro/task.hpp>
#include <corolith/storage/slice.hpp>
#include <corolith/storage/store.hpp>

#include <support/bucket_to_try.hpp>
#include <support/scratch.hpp>

#include <catch2/catch.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

namespace storage_test {

using namespace corolith;
using bytes = std::vector<std::byte>;

using test_support::scratch;

/// A directory to try. At the end no unfinished file may be left in it.
class directory_to_try {
 public:
  const store& objects() const noexcept { return objects_; }
  void check_clean() const {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_.path()))
      CHECK(entry.path().filename().string().find("unfinished") == std::string::npos);
  }

 private:
  scratch folder_;
  store objects_ = store::open(folder_ / "objects");
};

inline bytes to_bytes(const std::string& text) {
  const auto* data = reinterpret_cast<const std::byte*>(text.data());
  return bytes(data, data + text.size());
}
inline std::string to_string(const bytes& data) {
  return std::string(reinterpret_cast<const char*>(data.data()), data.size());
}

/// The same for the same seed, and like nothing else.
inline bytes noise(std::size_t size, std::uint64_t seed) {
  bytes made(size);
  std::mt19937_64 random(seed);
  for (std::size_t i = 0; i < size; i += 8) {
    const std::uint64_t word = random();
    for (std::size_t j = i; j < std::min(size, i + 8); ++j) made[j] = static_cast<std::byte>(word >> (8 * (j - i)));
  }
  return made;
}

inline std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}
inline void write_file(const std::string& path, const std::string& content) {
  std::ofstream file(path, std::ios::binary);
  file << content;
  if (!file.flush()) throw std::runtime_error("cannot write " + path);
}

template <class T>
task<std::vector<T>> all_of(generator<T> from) {
  std::vector<T> all;
  while (std::optional<T> next = co_await from.next()) all.push_back(std::move(*next));
  co_return all;
}
template <class T>
std::vector<T> gather(generator<T> from) {
  return sync_wait(all_of(std::move(from)));
}
inline bytes joined(generator<bytes> from) {
  bytes all;
  for (const bytes& piece : gather(std::move(from))) all.insert(all.end(), piece.begin(), piece.end());
  return all;
}

inline void put(const store& into, const std::string& key, const std::string& text) { sync_wait(into.put(key, text)); }

inline std::vector<std::string> keys(const store& of, const std::string& prefix, const std::string& delimiter = {}) {
  std::vector<std::string> found;
  for (const auto& entry : gather(of.list(prefix, delimiter))) found.push_back(entry.key);
  return found;
}

/// The code of the error that `act` throws. No error, or one of another kind, fails the test.
template <class Act>
errc code_of(Act&& act) {
  try {
    act();
  } catch (const error& expected) {
    return expected.code();
  }
  throw std::runtime_error("nothing was thrown");
}

inline generator<bytes> pieces_of(std::vector<bytes> pieces) {
  for (bytes& each : pieces) co_yield std::move(each);
}

}  // namespace storage_test

/// A case for every store: a directory, and what lies below a prefix in a bucket of a real server, which tests/storage/server.sh starts.
/// `objects` is an empty store.
#define STORE_TEST_CASE(name) STORE_TEST_CASE_NAMED(INTERNAL_CATCH_UNIQUE_NAME(store_test_), name)
#define STORE_TEST_CASE_NAMED(function, name)           \
  static void function(const corolith::store& objects); \
  TEST_CASE("a directory: " name, "[storage]") {        \
    const storage_test::directory_to_try tried;         \
    function(tried.objects());                          \
    tried.check_clean();                                \
  }                                                     \
  TEST_CASE("a bucket: " name, "[.server][storage]") {  \
    const test_support::bucket_to_try tried;            \
    function(tried.objects());                          \
    tried.check_clean();                                \
  }                                                     \
  static void function([[maybe_unused]] const corolith::store& objects)
