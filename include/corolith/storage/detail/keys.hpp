// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/core/version.hpp>

#include <string>
#include <string_view>

namespace corolith::inline v0::storage::detail {

/// Below this lies what runs of corolith keep for themselves: values on their way, temporary objects. Listings leave it out, unless they
/// ask for it.
inline constexpr std::string_view reserved_prefix = ".corolith/";

inline bool hidden(std::string_view key, std::string_view listed_prefix) noexcept {
  return key.starts_with(reserved_prefix) && !listed_prefix.starts_with(".corolith");
}

/// How names of files begin that a put has not finished. No key may have such a part.
inline constexpr std::string_view unfinished = ".corolith-unfinished-";

/// Throws store_error(errc::misuse) for a key that no store takes: empty, longer than 1024 bytes, with a zero byte.
COROLITH_DECL void check_key(const std::string& key);

/// Throws store_error(errc::misuse) for a key that is no path below a folder: with a part that is empty, "." or "..", longer than 255
/// bytes, or of an unfinished file.
COROLITH_DECL void check_path_key(const std::string& key);

}  // namespace corolith::inline v0::storage::detail

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/storage/impl/keys.ipp>
#endif
