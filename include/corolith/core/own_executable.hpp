// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>

#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

namespace corolith {
inline namespace v0 {

/// Opens the file that this process runs, also when another has taken its place since.
inline constexpr const char* own_executable = "/proc/self/exe";

/// Where that file is, or was before another took its place; empty when /proc does not say.
inline std::string own_executable_path() {
  constexpr std::string_view mark = " (deleted)";
  std::error_code ignored;
  std::string path = std::filesystem::read_symlink(own_executable, ignored).string();
  if (path.ends_with(mark) && !std::filesystem::exists(path, ignored)) path.resize(path.size() - mark.size());
  return path;
}

}  // namespace v0
}  // namespace corolith
