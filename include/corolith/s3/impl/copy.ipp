// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/coro/when_all.hpp>
#include <corolith/s3/detail/download.hpp>
#include <corolith/s3/detail/object_headers.hpp>
#include <corolith/s3/detail/objects.hpp>
#include <corolith/s3/detail/part_size.hpp>
#include <corolith/s3/detail/perform.hpp>
#include <corolith/s3/detail/shield.hpp>
#include <corolith/s3/detail/upload.hpp>
#include <corolith/s3/detail/xml.hpp>

#include <algorithm>
#include <exception>

namespace corolith::inline v0::s3::detail {

COROLITH_DECL std::string copy_source(const std::string& bucket, const std::string& key,
                                      const std::string& version_id) {
  std::string source = '/' + uri_encode(bucket, false) + '/' + uri_encode(key, true);
  if (!version_id.empty()) source += "?versionId=" + uri_encode(version_id, false);
  return source;
}

inline task<put_result> copy_whole(lane* at, const copy_ends* ends, const copy_options* how) {
  request what("copy", "PUT", ends->to_bucket, ends->to_key);
  what.headers.add("x-amz-copy-source", copy_source(ends->from_bucket, ends->from_key, how->source_version_id));
  add_conditions(what.headers, how->source_when, "x-amz-copy-source-");
  if (how->replace_headers) {
    what.headers.add("x-amz-metadata-directive", "REPLACE");
    add_object_headers(what.headers, how->headers);
  }
  if (!how->storage_class.empty()) what.headers.add("x-amz-storage-class", how->storage_class);
  const text_answer got = co_await perform_text(at, &what);
  put_result made;
  made.etag = parse_copy(got.body).etag;
  made.version_id = got.head.headers.value("x-amz-version-id");
  co_return made;
}

/// What copies of parts share.
struct parts_copy {
  const upload* to;
  std::string source;
  std::string etag;  ///< the source must still have it
  std::uint64_t size = 0;
  std::uint64_t part = 0;
};

inline task<void> copy_parts(lane* at, const parts_copy* of, part_counter* next, std::vector<part_info>* made) {
  while (const std::optional<std::uint64_t> index = next->take()) {
    const std::uint64_t begin = *index * of->part;
    const std::uint64_t end = std::min(begin + of->part, of->size);
    request what("copy part " + std::to_string(*index + 1), "PUT", of->to->target->bucket, of->to->target->key);
    what.query.emplace_back("partNumber", std::to_string(*index + 1));
    what.query.emplace_back("uploadId", of->to->id);
    what.headers.add("x-amz-copy-source", of->source);
    what.headers.add("x-amz-copy-source-range", range_text(begin, end - 1));
    if (!of->etag.empty()) what.headers.add("x-amz-copy-source-if-match", quoted_etag(of->etag));
    const text_answer got = co_await perform_text(at, &what);
    part_info& part = (*made)[static_cast<std::size_t>(*index)];
    part.number = static_cast<std::uint32_t>(*index + 1);
    part.etag = parse_copy(got.body).etag;
    part.size = end - begin;
  }
}

inline task<put_result> copy_all_parts(lane* at, const parts_copy* of) {
  const std::uint64_t count = (of->size + of->part - 1) / of->part;
  std::vector<part_info> made(static_cast<std::size_t>(count));
  part_counter next(0, count);
  std::vector<task<void>> all;
  for (std::uint64_t i = 0; i < std::min<std::uint64_t>(count, at->core.breadth()); ++i)
    all.push_back(copy_parts(at, of, &next, &made));
  co_await when_all(std::move(all));
  co_return co_await end_upload(at, of->to, std::move(made), of->size);
}

/// In parts of `part` bytes, as large as the service allows: no bytes come here.
inline task<put_result> copy_in_parts(lane* at, const copy_ends* ends, const copy_options* how,
                                      const object_info* source) {
  constexpr std::uint64_t wanted = std::uint64_t{256} << 20;
  put_target target{ends->to_bucket, ends->to_key, {}};
  target.how.headers = how->replace_headers ? how->headers : source->headers;
  target.how.storage_class = how->storage_class;
  upload to{&target, {}};
  to.id = co_await with_grace(begin_upload(at, &target), time_to_begin);
  parts_copy of;
  of.to = &to;
  of.source = copy_source(ends->from_bucket, ends->from_key, how->source_version_id);
  of.etag = source->etag;
  of.size = source->size;
  const std::uint64_t limit = std::max(smallest_part, at->core.options().copy_in_parts_above);
  of.part = part_size_for(source->size, std::min(wanted, limit));
  std::exception_ptr failed;
  try {
    co_return co_await copy_all_parts(at, &of);
  } catch (...) {
    failed = std::current_exception();
  }
  co_await take_back(at, &to);
  std::rethrow_exception(failed);
}

COROLITH_DECL task<put_result> copy_object(lane* at, copy_ends ends, copy_options how) {
  get_options source;
  source.version_id = how.source_version_id;
  source.when = how.source_when;
  const object_info found = co_await head_object(at, ends.from_bucket, ends.from_key, std::move(source));
  if (found.size <= at->core.options().copy_in_parts_above) co_return co_await copy_whole(at, &ends, &how);
  co_return co_await copy_in_parts(at, &ends, &how, &found);
}

}  // namespace corolith::inline v0::s3::detail
