// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>

#include <string>
#include <utility>

namespace corolith {
inline namespace v0 {

/// What went wrong in a store. `code()` is errc::not_found, errc::access_denied, errc::precondition_failed, errc::already_exists,
/// errc::misuse (a key that cannot be one), with S3 also errc::unreachable and errc::corrupted, or errc::storage for everything else.
class store_error : public error {
 public:
  store_error(errc code, const std::string& what, std::string key) : error(code, what), key_(std::move(key)) {}
  /// The object that it was about; empty when it was about none.
  const std::string& key() const noexcept { return key_; }

 private:
  std::string key_;
};

}  // namespace v0
}  // namespace corolith
