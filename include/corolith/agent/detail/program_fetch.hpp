// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/agent/program_cache.hpp>
#include <corolith/core/detail/decl.hpp>
#include <corolith/wire/messages.hpp>

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace corolith {
inline namespace v0 {
namespace agent {
namespace detail {

/// Finds the files of a program: at the driver's own path, in the node's cache, or by asking the driver. No I/O but on files:
/// whoever owns it sends the requests and brings the answers.
class program_fetch {
 public:
  COROLITH_DECL program_fetch(std::vector<wire::module_file> modules, std::string cache_folder);

  enum class state { done, asked, wait };
  /// Goes as far as possible. `asked`: `request` was called, `received` must follow. `wait`: another agent of the node
  /// fetches the file now, call again in a few milliseconds. Throws error.
  COROLITH_DECL state advance(const std::function<void(const wire::sha256_bytes&)>& request);
  /// The body of a program_file message.
  COROLITH_DECL void received(const shared_bytes& body);

  /// When done: the executable, and what LD_LIBRARY_PATH needs (empty when all is where it was built).
  const program_file& executable() const noexcept { return executable_; }
  const std::string& library_folder() const noexcept { return library_folder_; }

 private:
  COROLITH_DECL bool find(const wire::module_file& file);
  COROLITH_DECL void found(const wire::module_file& file, program_file&& where);
  COROLITH_DECL void finish();

  std::vector<wire::module_file> modules_;
  std::vector<std::string> paths_;
  std::string cache_folder_;
  std::optional<program_cache> cache_;
  std::optional<program_cache::permit> permit_;
  bool moved_ = false;  // some file is not where the driver has it
  program_file executable_;
  std::string library_folder_;
};

}  // namespace detail
}  // namespace agent
}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/agent/impl/program_fetch.ipp>
#endif
