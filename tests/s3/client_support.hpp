// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "environment.hpp"
#include "fake_s3.hpp"

#include <corolith/core/error.hpp>
#include <corolith/coro/generator.hpp>
#include <corolith/coro/object_source.hpp>
#include <corolith/coro/task.hpp>
#include <corolith/s3/client.hpp>

#include <support/scratch.hpp>

#include <catch2/catch.hpp>

#include <cstddef>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace s3_test {

namespace s3 = corolith::s3;
using corolith::errc;
using corolith::object_source;
using corolith::task;
using test_support::scratch;

template <class Does>
errc code_of(Does does) {
  try {
    does();
  } catch (const corolith::error& failure) {
    return failure.code();
  }
  return errc{};
}

inline std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline object_source::byte_stream pieces_of(std::string text, std::size_t each) {
  for (std::size_t at = 0; at < text.size(); at += each) co_yield to_bytes(text.substr(at, each));
}

inline task<std::string> gather(corolith::generator<std::vector<std::byte>> pieces) {
  std::string all;
  while (auto piece = co_await pieces.next()) all += to_text(*piece);
  co_return all;
}

inline task<std::vector<std::string>> keys_of(corolith::generator<s3::list_entry> entries) {
  std::vector<std::string> keys;
  while (auto entry = co_await entries.next()) keys.push_back(entry->key);
  co_return keys;
}

inline constexpr std::size_t mib = std::size_t{1} << 20;

}  // namespace s3_test
