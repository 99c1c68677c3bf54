// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/bytes.hpp>
#include <corolith/core/detail/decl.hpp>
#include <corolith/coro/object_source.hpp>
#include <corolith/coro/task.hpp>
#include <corolith/s3/detail/client_core.hpp>
#include <corolith/s3/types.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

// Puts. What has more bytes than a part goes in parts; one that fails takes all of them back, also when it is cancelled.
namespace corolith::inline v0::s3::detail {

/// Where an object is to be made, and how.
struct put_target {
  std::string bucket;
  std::string key;
  put_options how;
};

/// On the loop of whoever awaits it.
COROLITH_DECL task<put_result> put_object(core_ptr core, put_target target, object_source source);

// On a lane. What is pointed to lives until the task has ended.

/// One request, with the whole object.
COROLITH_DECL task<put_result> put_whole(lane* at, const put_target* target, std::vector<byte_span> content);

/// What a stop request leaves the beginning of an upload: one that has begun without our knowing could not be taken back.
inline constexpr std::chrono::seconds time_to_begin{5};

/// An upload in parts.
struct upload {
  const put_target* target;
  std::string id;
};
COROLITH_DECL task<std::string> begin_upload(lane* at, const put_target* target);
COROLITH_DECL task<part_info> put_part(lane* at, const upload* of, std::uint32_t number,
                                       std::vector<byte_span> content);
/// `size` of all parts together.
COROLITH_DECL task<put_result> end_upload(lane* at, const upload* of, std::vector<part_info> parts, std::uint64_t size);
/// Takes back what is there of it, though the awaiting task was asked to stop, and though that may fail; in bounded time.
COROLITH_DECL task<void> take_back(lane* at, const upload* of);

}  // namespace corolith::inline v0::s3::detail

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/s3/impl/upload.ipp>
#include <corolith/s3/impl/upload_stream.ipp>
#endif
