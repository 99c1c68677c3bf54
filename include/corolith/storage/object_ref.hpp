// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>

#include <cstdint>
#include <string>

namespace corolith {
inline namespace v0 {

/// Names an object, for other calls and for the driver: what a call returns instead of its content. It can be sent like any value and
/// read by whoever may read the store: `co_await this_call().store().get(ref)`.
struct object_ref {
  std::string url;  ///< of the store
  std::string key;
  std::uint64_t size = 0;  ///< bytes
  std::string etag;        ///< of the content that is meant: another one is read as an error, errc::precondition_failed

  friend bool operator==(const object_ref&, const object_ref&) = default;
};

}  // namespace v0
}  // namespace corolith
