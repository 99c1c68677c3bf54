// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/storage/detail/keys.hpp>
#include <corolith/storage/error.hpp>

#include <algorithm>
#include <cctype>

namespace corolith::inline v0::storage::detail {

/// The key as an error shows it: control characters and endless keys stay out of logs.
inline std::string shown(const std::string& key) {
  std::string text = key.substr(0, 200);
  for (char& c : text)
    if (std::iscntrl(static_cast<unsigned char>(c)) != 0) c = '?';
  return "'" + text + (text.size() < key.size() ? "...'" : "'");
}

[[noreturn]] inline void refuse_key(const std::string& key, const std::string& why) {
  throw store_error(errc::misuse, "the key " + shown(key) + " cannot be used: " + why, key);
}

COROLITH_DECL void check_key(const std::string& key) {
  if (key.empty()) refuse_key(key, "it is empty");
  if (key.size() > 1024) refuse_key(key, "keys have at most 1024 bytes");
  if (key.find('\0') != std::string::npos) refuse_key(key, "it has a zero byte");
}

COROLITH_DECL void check_path_key(const std::string& key) {
  check_key(key);
  for (std::string_view rest = key;;) {
    const std::size_t slash = rest.find('/');
    const std::string_view part = rest.substr(0, slash);
    if (part.empty()) refuse_key(key, "in a directory store no part between slashes may be empty");
    if (part == "." || part == "..")
      refuse_key(key, "in a directory store a key must stay below the directory, without . and ..");
    if (part.size() > 255) refuse_key(key, "in a directory store a part between slashes has at most 255 bytes");
    if (part.starts_with(unfinished)) refuse_key(key, "names of unfinished files begin like this");
    if (slash == std::string_view::npos) return;
    rest.remove_prefix(slash + 1);
  }
}

}  // namespace corolith::inline v0::storage::detail
