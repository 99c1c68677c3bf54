// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/agent/detail/program_fetch.hpp>

#include <corolith/core/error.hpp>
#include <corolith/core/log.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace corolith {
inline namespace v0 {
namespace agent {
namespace detail {

COROLITH_DECL program_fetch::program_fetch(std::vector<wire::module_file> modules, std::string cache_folder)
    : modules_(std::move(modules)), cache_folder_(std::move(cache_folder)) {}

inline std::optional<program_file> at_its_path(const wire::module_file& file) {
  if (file.path.empty() || file.path.front() != '/') return std::nullopt;
  if (file.executable && ::access(file.path.c_str(), X_OK) != 0) return std::nullopt;
  // Should it be a pipe, say, nobody waits for the other end.
  program_file found{file.path, unique_fd(::open(file.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK))};
  struct stat info{};
  if (!found.file || ::fstat(found.file.get(), &info) != 0 || !S_ISREG(info.st_mode)) return std::nullopt;
  if (static_cast<std::uint64_t>(info.st_size) != file.size) return std::nullopt;
  if (sha256_of_file(found.file.get()) != file.sha256) return std::nullopt;
  return found;
}

COROLITH_DECL void program_fetch::found(const wire::module_file& file, program_file&& where) {
  paths_.push_back(where.path);
  if (file.executable) executable_ = std::move(where);
}

COROLITH_DECL bool program_fetch::find(const wire::module_file& file) {
  auto cached = cache_->find(file);
  if (!cached) return false;
  found(file, std::move(*cached));
  moved_ = true;
  return true;
}

COROLITH_DECL program_fetch::state program_fetch::advance(
    const std::function<void(const wire::sha256_bytes&)>& request) {
  while (paths_.size() < modules_.size()) {
    const wire::module_file& file = modules_[paths_.size()];
    if (!cache_ || !permit_) {
      if (auto here = at_its_path(file)) {
        found(file, std::move(*here));
        continue;
      }
      if (!cache_) cache_.emplace(cache_folder_);
    }
    if (find(file)) continue;
    permit_ = cache_->try_permit(file);
    if (!permit_) return state::wait;
    if (find(file)) {  // it came while this agent was not looking
      permit_.reset();
      continue;
    }
    log::info("asking the driver for " + file.name + " (" + std::to_string(file.size) + " bytes)");
    request(file.sha256);
    return state::asked;
  }
  finish();
  return state::done;
}

COROLITH_DECL void program_fetch::received(const shared_bytes& body) {
  if (!permit_ || paths_.size() == modules_.size())
    throw error(errc::protocol, "the driver sent a program file that nobody asked for");
  const wire::module_file& file = modules_[paths_.size()];
  if (wire::read_head<wire::sha256_bytes>(body) != file.sha256)
    throw error(errc::protocol, "the driver sent another program file than the one it was asked for");
  const shared_bytes content = wire::after_head<wire::sha256_bytes>(body);
  if (content.empty() && file.size != 0)
    throw error(errc::protocol,
                "the driver has no file with the hash of " + file.name + " any more: was it rebuilt meanwhile?");
  found(file, cache_->install(file, content));
  moved_ = true;
  permit_.reset();
}

COROLITH_DECL void program_fetch::finish() {
  if (!executable_.file) throw error(errc::protocol, "the driver announced a program without an executable");
  const bool libraries =
      std::any_of(modules_.begin(), modules_.end(), [](const wire::module_file& each) { return !each.executable; });
  if (moved_ && libraries) library_folder_ = cache_->library_folder(modules_, paths_);
}

}  // namespace detail
}  // namespace agent
}  // namespace v0
}  // namespace corolith
