// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>

#include <algorithm>
#include <fstream>
#include <ios>
#include <sstream>
#include <string>

namespace corolith {
inline namespace v0 {
namespace launch {
namespace detail {

/// The last `bytes` of a file at most; empty when it cannot be read.
inline std::string file_tail(const std::string& path, std::streamoff bytes = 4096) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) return {};
  const std::streamoff size = file.tellg();
  file.seekg(std::max<std::streamoff>(0, size - bytes));
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace detail
}  // namespace launch
}  // namespace v0
}  // namespace corolith
