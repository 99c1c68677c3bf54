// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/core/unique_fd.hpp>
#include <corolith/core/version.hpp>

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace corolith {
inline namespace v0 {
namespace launch {

/// What the head of a pool leaves for those who look for it.
struct pool_record {
  static constexpr std::uint64_t format = 1;

  std::string name;
  std::string launcher;
  std::string host;  ///< of the head
  pid_t pid = 0;     ///< of the head
  std::uint64_t started =
      0;  ///< of that process, in the kernel's ticks since the boot: another process of that id has another
  std::int64_t since = 0;              ///< seconds since 1970
  std::vector<std::string> addresses;  ///< as wire::address writes them, the likeliest first
};

/// The folder of one pool: DIR/NAME, closed to other users. In it: record.json, secret, lock, head.log, and one
/// folder a job.
class pool_folder {
 public:
  /// `base` empty: $HOME/.corolith/pools. Makes nothing. Throws config_error when the name is none, or the folder is
  /// not ours or open to others.
  COROLITH_DECL pool_folder(const std::string& base, const std::string& name);

  const std::string& path() const noexcept { return path_; }
  const std::string& name() const noexcept { return name_; }
  std::string secret_file() const { return path_ + "/secret"; }
  std::string log_file() const { return path_ + "/head.log"; }

  /// Nothing when there is none. Throws config_error when it cannot be read or is of another version.
  COROLITH_DECL std::optional<pool_record> read() const;
  /// In one step, mode 0600. Throws launch_failed.
  COROLITH_DECL void write(const pool_record& record) const;
  /// Makes the folder and takes its lock, which is the head's as long as it lives; nothing while another head has it.
  COROLITH_DECL std::optional<unique_fd> claim() const;
  /// Whether a head has the lock, as far as this machine can see.
  COROLITH_DECL bool is_claimed() const;
  /// All but the log, or all.
  COROLITH_DECL void remove(bool with_log) const noexcept;

  /// The names of all pools that have a record below `base`.
  COROLITH_DECL static std::vector<std::string> names(const std::string& base);

 private:
  COROLITH_DECL void check() const;

  std::string name_;
  std::string path_;
};

enum class head_state {
  alive,
  gone,     ///< it ended without taking its record away
  unknown,  ///< on another machine
};
/// What can be known of the head without talking to it.
COROLITH_DECL head_state state_of(const pool_record& record);

/// The record of a process, for `pool_record::started`; 0 when there is no such process.
COROLITH_DECL std::uint64_t start_time_of(pid_t pid);

/// As a JSON string, quotes included.
COROLITH_DECL std::string json_quoted(const std::string& text);

}  // namespace launch
}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/launch/impl/pool_record.ipp>
#endif
