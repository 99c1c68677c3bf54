// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/bytes.hpp>
#include <corolith/core/detail/decl.hpp>
#include <corolith/core/unique_fd.hpp>
#include <corolith/wire/messages.hpp>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace corolith {
inline namespace v0 {
namespace agent {

/// The SHA-256 of a file's bytes; nothing when it cannot be read.
COROLITH_DECL std::optional<wire::sha256_bytes> sha256_of_file(const std::string& path);
/// The same for an open file, from its beginning.
COROLITH_DECL std::optional<wire::sha256_bytes> sha256_of_file(int file);
COROLITH_DECL wire::sha256_bytes sha256_of(byte_span bytes);
COROLITH_DECL std::string to_hex(const wire::sha256_bytes& hash);

/// A file of a program, open: it stays the one that was hashed, whatever takes its place at the path.
struct program_file {
  std::string path;
  unique_fd file;
};

/// Programs that came to this node, each file under its hash, in a folder that only its owner can use. Several agents may use
/// it at once. What it hands out was hashed just before: a damaged entry is removed and fetched again.
class program_cache {
 public:
  /// Makes the folder if need be, and removes what agents that were killed have left half written. An empty name is the
  /// default: $XDG_CACHE_HOME/corolith, ~/.cache/corolith or /tmp/corolith-cache-UID. Throws config_error when the folder is not ours or open to others.
  COROLITH_DECL explicit program_cache(std::string folder);

  const std::string& folder() const noexcept { return folder_; }

  /// The file, if it is here and whole.
  COROLITH_DECL std::optional<program_file> find(const wire::module_file& file) const;

  /// Leave to fetch one file: while somebody has it, nobody else on the node gets it.
  class permit {
   public:
    permit(permit&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    permit& operator=(permit&& other) noexcept {
      std::swap(fd_, other.fd_);
      return *this;
    }
    COROLITH_DECL ~permit();

   private:
    friend class program_cache;
    explicit permit(int fd) noexcept : fd_(fd) {}
    int fd_;
  };
  /// Never blocks; nothing when another agent is fetching the file now.
  COROLITH_DECL std::optional<permit> try_permit(const wire::module_file& file) const;

  /// Puts the bytes in place in one step. Throws error when they are not what the hash says or cannot be written.
  COROLITH_DECL program_file install(const wire::module_file& file, byte_span bytes) const;

  /// A folder in which each library has its own name, for LD_LIBRARY_PATH.
  COROLITH_DECL std::string library_folder(const std::vector<wire::module_file>& files,
                                           const std::vector<std::string>& paths) const;

 private:
  std::string path_of(const wire::sha256_bytes& hash) const { return folder_ + "/" + to_hex(hash); }

  std::string folder_;
};

}  // namespace agent
}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/agent/impl/program_cache.ipp>
#endif
