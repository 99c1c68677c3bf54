// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include <sys/types.h>

namespace test_support {

/// How many descriptors of memory for values a process has open; 0 when it is gone.
inline std::size_t open_segments(const std::string& process = "self") {
  std::size_t count = 0;
  std::error_code gone;
  const std::string folder = "/proc/" + process + "/fd";
  for (auto it = std::filesystem::directory_iterator(folder, gone);
       !gone && it != std::filesystem::directory_iterator(); it.increment(gone)) {
    std::error_code closed;
    const std::string target = std::filesystem::read_symlink(it->path(), closed).string();
    count += !closed && target.find("corolith-value") != std::string::npos;
  }
  return count;
}

}  // namespace test_support
