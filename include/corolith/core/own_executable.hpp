// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>

#include <filesystem>
#include <string>
#include <system_error>

namespace corolith {
inline namespace v0 {

/// Opens the file that this process runs, also when another has taken its place since.
inline constexpr const char* own_executable = "/proc/self/exe";

/// Where that file is, or was; empty when /proc does not say.
inline std::string own_executable_path() {
  std::error_code ignored;
  return std::filesystem::read_symlink(own_executable, ignored).string();
}

}  // namespace v0
}  // namespace corolith
