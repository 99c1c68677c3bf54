// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/s3/detail/object_headers.hpp>
#include <corolith/s3/detail/objects.hpp>
#include <corolith/s3/detail/part_size.hpp>
#include <corolith/s3/detail/perform.hpp>
#include <corolith/s3/detail/upload.hpp>
#include <corolith/s3/detail/xml.hpp>
#include <corolith/s3/multipart.hpp>

#include <utility>

namespace corolith::inline v0::s3 {
namespace detail {

inline put_target target_of(std::string bucket, std::string key) {
  put_target target;
  target.bucket = std::move(bucket);
  target.key = std::move(key);
  return target;
}

inline task<std::string> begin_upload_of(lane* at, put_target target) { co_return co_await begin_upload(at, &target); }

inline void check_part_number(const put_target& target, std::uint32_t number) {
  if (number >= 1 && number <= most_parts) return;
  throw error_of(request("put part " + std::to_string(number), "PUT", target.bucket, target.key), errc::misuse,
                 "parts have numbers from 1 to 10,000");
}

inline task<part_info> put_part_of(lane* at, put_target target, std::string id, std::uint32_t number, byte_span bytes) {
  check_part_number(target, number);
  const upload of{&target, std::move(id)};
  std::vector<byte_span> content;
  if (!bytes.empty()) content.push_back(bytes);
  co_return co_await put_part(at, &of, number, std::move(content));
}

inline task<part_info> copy_part_of(lane* at, put_target target, std::string id, std::uint32_t number,
                                    std::string source, byte_range range, conditions when) {
  check_part_number(target, number);
  request what("copy part " + std::to_string(number), "PUT", target.bucket, target.key);
  what.query.emplace_back("partNumber", std::to_string(number));
  what.query.emplace_back("uploadId", std::move(id));
  what.headers.add("x-amz-copy-source", std::move(source));
  if (const std::string wanted = range.to_string(); !wanted.empty())
    what.headers.add("x-amz-copy-source-range", wanted);
  add_conditions(what.headers, when, "x-amz-copy-source-");
  const text_answer got = co_await perform_text(at, &what);
  const copy_document made = parse_copy(got.body);
  part_info part;
  part.number = number;
  part.etag = made.etag;
  part.last_modified = made.last_modified;
  part.checksums = made.checksums;
  if (range.first && range.last) part.size = *range.last - *range.first + 1;
  co_return part;
}

inline task<put_result> end_upload_of(lane* at, put_target target, std::string id, std::vector<part_info> parts) {
  const upload of{&target, std::move(id)};
  std::uint64_t size = 0;
  for (const part_info& part : parts) size += part.size;
  co_return co_await end_upload(at, &of, std::move(parts), size);
}

inline task<void> abort_upload_of(lane* at, std::string bucket, std::string key, std::string id) {
  request what("abort upload", "DELETE", std::move(bucket), std::move(key));
  what.query.emplace_back("uploadId", std::move(id));
  attempts tries(*at, what);
  try {
    co_await perform_text(at, &what, &tries);
  } catch (const s3_error& refused) {
    if (refused.name() != "NoSuchUpload" || !tries.may_be_done()) throw;
  }
}

}  // namespace detail

COROLITH_DECL task<std::string> create_upload(client where, std::string bucket, std::string key, put_options how) {
  detail::put_target target = detail::target_of(std::move(bucket), std::move(key));
  target.how = std::move(how);
  return detail::on_a_lane(where.core(), &detail::begin_upload_of, std::move(target));
}

COROLITH_DECL task<part_info> upload_part(client where, std::string bucket, std::string key, std::string upload_id,
                                          std::uint32_t number, byte_span content, checksum_kind checksum) {
  detail::put_target target = detail::target_of(std::move(bucket), std::move(key));
  target.how.checksum = checksum;
  return detail::on_a_lane(where.core(), &detail::put_part_of, std::move(target), std::move(upload_id), number,
                           content);
}

COROLITH_DECL task<part_info> upload_part_copy(client where, std::string bucket, std::string key, std::string upload_id,
                                               std::uint32_t number, std::string from_bucket, std::string from_key,
                                               byte_range range, conditions source_when) {
  return detail::on_a_lane(where.core(), &detail::copy_part_of, detail::target_of(std::move(bucket), std::move(key)),
                           std::move(upload_id), number, detail::copy_source(from_bucket, from_key, {}), range,
                           std::move(source_when));
}

COROLITH_DECL task<put_result> complete_upload(client where, std::string bucket, std::string key, std::string upload_id,
                                               std::vector<part_info> parts, conditions when) {
  detail::put_target target = detail::target_of(std::move(bucket), std::move(key));
  target.how.when = std::move(when);
  return detail::on_a_lane(where.core(), &detail::end_upload_of, std::move(target), std::move(upload_id),
                           std::move(parts));
}

COROLITH_DECL task<void> abort_upload(client where, std::string bucket, std::string key, std::string upload_id) {
  return detail::on_a_lane(where.core(), &detail::abort_upload_of, std::move(bucket), std::move(key),
                           std::move(upload_id));
}

COROLITH_DECL generator<upload_info> list_uploads(client where, std::string bucket, std::string prefix) {
  return detail::list_object_uploads(where.core(), std::move(bucket), std::move(prefix));
}

COROLITH_DECL generator<part_info> list_parts(client where, std::string bucket, std::string key,
                                              std::string upload_id) {
  return detail::list_upload_parts(where.core(), std::move(bucket), std::move(key), std::move(upload_id));
}

}  // namespace corolith::inline v0::s3
