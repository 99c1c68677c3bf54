// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/agent/program_cache.hpp>
#include <corolith/core/error.hpp>
#include <corolith/core/own_executable.hpp>
#include <corolith/run/detail/program.hpp>

#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <string_view>

namespace corolith {
inline namespace v0 {
namespace detail {

/// A file's bytes, mapped; the mapping lives as long as the result. Empty when the file cannot be read.
inline shared_bytes map_file(const char* path) {
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  struct stat status{};
  void* mapped = MAP_FAILED;
  if (::fstat(fd, &status) == 0 && status.st_size > 0)
    mapped = ::mmap(nullptr, static_cast<std::size_t>(status.st_size), PROT_READ, MAP_PRIVATE, fd, 0);
  ::close(fd);
  if (mapped == MAP_FAILED) return {};
  const auto size = static_cast<std::size_t>(status.st_size);
  std::shared_ptr<const void> owner(mapped, [size](const void* at) { ::munmap(const_cast<void*>(at), size); });
  return {std::move(owner), byte_span(static_cast<const std::byte*>(mapped), size)};
}

inline bool is_system_library(std::string_view path) {
  constexpr std::string_view folders[] = {"/lib/", "/lib64/", "/usr/lib/", "/usr/lib64/"};
  return path.find('/') == std::string_view::npos ||
         std::any_of(std::begin(folders), std::end(folders),
                     [&](std::string_view each) { return path.starts_with(each); });
}

inline wire::module_file describe_module(const std::string& opened, std::string path, bool executable) {
  const shared_bytes bytes = map_file(opened.c_str());
  if (bytes.empty()) throw launch_failed("cannot read " + path + ", a file of this program");
  wire::module_file module;
  module.name = path.substr(path.rfind('/') + 1);
  module.path = std::move(path);
  module.sha256 = agent::sha256_of(bytes);
  module.size = bytes.size();
  module.executable = executable;
  return module;
}

COROLITH_DECL std::vector<wire::module_file> program_modules() {
  const std::string path = own_executable_path();
  if (path.empty()) throw launch_failed("cannot read /proc/self/exe: is /proc mounted?");
  // The open file, not the path: a program that was rebuilt while it runs still ships what runs.
  std::vector<wire::module_file> modules{describe_module(own_executable, path, true)};
  std::vector<std::string> libraries;
  ::dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* list) {
        if (!is_system_library(info->dlpi_name))
          static_cast<std::vector<std::string>*>(list)->emplace_back(info->dlpi_name);
        return 0;
      },
      &libraries);
  for (std::string& library : libraries) modules.push_back(describe_module(library, library, false));
  return modules;
}

COROLITH_DECL shared_bytes read_module(const wire::module_file& module) {
  shared_bytes bytes = map_file(module.executable ? own_executable : module.path.c_str());
  if (bytes.size() != module.size || agent::sha256_of(bytes) != module.sha256) return {};
  return bytes;
}

COROLITH_DECL std::array<std::uint8_t, 32> program_id(const std::vector<wire::module_file>& modules) {
  return modules.at(0).sha256;
}

}  // namespace detail
}  // namespace v0
}  // namespace corolith
