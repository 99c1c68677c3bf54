// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/coro/generator.hpp>
#include <corolith/coro/task.hpp>
#include <corolith/storage/store.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace corolith {
inline namespace v0 {

/// A part of an object, as `store::objects` gives it to the calls of a map: small, and read where it is needed. With `newline` it has the
/// records that begin in it, all of the last one included, so that every record of the object is in one slice: boundaries move to behind the
/// next newline, which the reader finds.
struct object_slice {
  std::string url;  ///< of the store
  std::string key;
  std::string etag;               ///< of the object when it was listed: a slice of another content is not read
  std::uint64_t object_size = 0;  ///< of the whole object
  std::uint64_t begin = 0;        ///< offset of the first byte
  std::uint64_t end = 0;          ///< and of the first byte behind it
  std::uint32_t index = 0;        ///< which slice of its object this is
  std::uint32_t count = 1;        ///< of how many
  std::optional<char> newline{};

  /// All of it. Throws errc::not_found or errc::precondition_failed when the object is gone or another by now.
  COROLITH_DECL task<std::vector<std::byte>> read() const;
  COROLITH_DECL task<std::string> read_text() const;
  /// Piece by piece, in bounded memory.
  COROLITH_DECL generator<std::vector<std::byte>> stream() const;
  /// Record by record: lines without their newline. A slice without `newline` is cut at '\n'.
  COROLITH_DECL generator<std::string> lines() const;

  friend bool operator==(const object_slice&, const object_slice&) = default;
};

}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/storage/impl/slice.ipp>
#endif
