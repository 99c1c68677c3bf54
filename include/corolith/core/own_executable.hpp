// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/unique_fd.hpp>
#include <corolith/core/version.hpp>

#include <fcntl.h>
#include <sys/stat.h>

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

/// What to execute to run the same file again. That is own_executable, except under valgrind: there it can be opened and its name read, but
/// it is valgrind that would be executed. The file is then meant by its name, if it still has that.
inline std::string own_executable_to_run() {
  struct stat opened{}, executed{}, named{};
  const auto same = [](const struct stat& a, const struct stat& b) {
    return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
  };
  const unique_fd file(::open(own_executable, O_RDONLY | O_CLOEXEC));
  if (!file || ::fstat(file.get(), &opened) != 0 || ::stat(own_executable, &executed) != 0 || same(opened, executed))
    return own_executable;
  std::string path = own_executable_path();
  if (::stat(path.c_str(), &named) != 0 || !same(opened, named)) return own_executable;
  return path;
}

}  // namespace v0
}  // namespace corolith
