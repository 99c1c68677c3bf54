// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/bytes.hpp>
#include <corolith/core/detail/decl.hpp>
#include <corolith/coro/generator.hpp>
#include <corolith/coro/task.hpp>
#include <corolith/s3/client.hpp>
#include <corolith/s3/types.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

// Uploads in parts by hand: for parts that come from several processes, or over days. `client::put` does all of it by itself. Parts but the
// last have at least 5 MiB; there are at most 10,000. An upload that is neither completed nor aborted stays, and costs money.
namespace corolith::inline v0::s3 {

/// Begins an upload; returns its id. `how.when` belongs to `complete_upload`.
COROLITH_DECL task<std::string> create_upload(client where, std::string bucket, std::string key, put_options how);
inline task<std::string> create_upload(client where, std::string bucket, std::string key) {
  return create_upload(std::move(where), std::move(bucket), std::move(key), put_options());
}

/// Uploads a part, or replaces the one of that number (from 1 on). The bytes must live until then.
COROLITH_DECL task<part_info> upload_part(client where, std::string bucket, std::string key, std::string upload_id,
                                          std::uint32_t number, byte_span content, checksum_kind checksum);
inline task<part_info> upload_part(client where, std::string bucket, std::string key, std::string upload_id,
                                   std::uint32_t number, byte_span content) {
  return upload_part(std::move(where), std::move(bucket), std::move(key), std::move(upload_id), number, content,
                     checksum_kind::none);
}
/// A part that is a range of another object of the service; an empty range: all of it.
COROLITH_DECL task<part_info> upload_part_copy(client where, std::string bucket, std::string key, std::string upload_id,
                                               std::uint32_t number, std::string from_bucket, std::string from_key,
                                               byte_range range, conditions source_when);
inline task<part_info> upload_part_copy(client where, std::string bucket, std::string key, std::string upload_id,
                                        std::uint32_t number, std::string from_bucket, std::string from_key,
                                        byte_range range) {
  return upload_part_copy(std::move(where), std::move(bucket), std::move(key), std::move(upload_id), number,
                          std::move(from_bucket), std::move(from_key), range, conditions());
}

/// Makes the object of its parts, given in the order of their numbers. Of `when`, `if_match` and `if_none_match` count.
COROLITH_DECL task<put_result> complete_upload(client where, std::string bucket, std::string key, std::string upload_id,
                                               std::vector<part_info> parts, conditions when);
inline task<put_result> complete_upload(client where, std::string bucket, std::string key, std::string upload_id,
                                        std::vector<part_info> parts) {
  return complete_upload(std::move(where), std::move(bucket), std::move(key), std::move(upload_id), std::move(parts),
                         conditions());
}
/// Gives it up; its parts are removed. Throws errc::not_found when there is none.
COROLITH_DECL task<void> abort_upload(client where, std::string bucket, std::string key, std::string upload_id);

/// Uploads that have begun and not ended, of keys that begin with `prefix`.
COROLITH_DECL generator<upload_info> list_uploads(client where, std::string bucket, std::string prefix);
/// Parts of an upload that are there.
COROLITH_DECL generator<part_info> list_parts(client where, std::string bucket, std::string key, std::string upload_id);

}  // namespace corolith::inline v0::s3

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/s3/impl/multipart.ipp>
#endif
