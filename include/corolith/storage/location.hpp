// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/core/version.hpp>

#include <map>
#include <string>
#include <string_view>

namespace corolith::inline v0::storage {

/// Where a store is: what a URL says, taken apart.
struct location {
  enum class kind { posix, s3 };

  kind scheme = kind::posix;
  std::string folder;  ///< posix: an absolute path without a slash at its end
  std::string bucket;  ///< s3
  std::string prefix;  ///< s3: what all keys begin with there; empty, or with a slash at its end
  std::map<std::string, std::string> options;  ///< what follows the question mark

  /// From "posix:///folder", "file:///folder", a path, or "s3://bucket/prefix?endpoint=https://host&region=x". A relative path counts from
  /// the working directory; what follows a question mark are options, with %XX for special characters, in a path by "posix:" only. Throws
  /// config_error that says what is wrong, and for secrets in a URL.
  COROLITH_DECL static location parse(std::string_view url);

  /// The URL again, in the one way in which this library writes it. There is no secret in it.
  COROLITH_DECL std::string to_string() const;
};

}  // namespace corolith::inline v0::storage

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/storage/impl/location.ipp>
#endif
