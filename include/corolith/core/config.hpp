// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/core/error.hpp>
#include <corolith/core/version.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace corolith {
inline namespace v0 {

/// Settings by name, each with the place that it came from, so that an error can name both. A place that is read later does not
/// replace what an earlier one set: read flags first, then the environment, then the file.
class config {
 public:
  struct entry {
    std::string value;
    std::string source;  ///< "flag --agents", "environment variable COROLITH_AGENTS", "run.json, key agents"
  };

  /// From now on `name` is another name of `key`, wherever either comes from.
  void alias(const std::string& name, const std::string& key) { aliases_[name] = key; }
  /// Takes `value` unless `key` is set already.
  COROLITH_DECL void set(const std::string& key, std::string value, std::string source);
  /// Reads a JSON object of strings, numbers and booleans; nested objects give keys with dots. Throws config_error that names
  /// the file and, for bad JSON, the reason.
  COROLITH_DECL void read_file(const std::string& path);

  COROLITH_DECL const entry* find(const std::string& key) const;
  const std::map<std::string, entry>& entries() const noexcept { return entries_; }

 private:
  const std::string& key_of(const std::string& name) const {
    const auto found = aliases_.find(name);
    return found == aliases_.end() ? name : found->second;
  }

  std::map<std::string, std::string> aliases_;
  std::map<std::string, entry> entries_;
};

/// Each parses the whole of an entry's value or throws config_error: "flag --agents: 'x' is no number between 1 and 4096".
COROLITH_DECL std::uint64_t parse_number(const config::entry& from, std::uint64_t least, std::uint64_t most);
/// "250ms", "2s", "1.5min", "2h"; a bare number means seconds.
COROLITH_DECL std::chrono::nanoseconds parse_duration(const config::entry& from);
/// "512MiB", "4GiB", "10MB"; a bare number means bytes.
COROLITH_DECL std::uint64_t parse_size(const config::entry& from);
/// Throws config_error with the entry's source in front of `what`.
[[noreturn]] COROLITH_DECL void reject(const config::entry& from, const std::string& what);

}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/core/impl/config.ipp>
#endif
