// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/coro/run_on.hpp>
#include <corolith/s3/detail/objects.hpp>
#include <corolith/s3/detail/perform.hpp>
#include <corolith/s3/detail/xml.hpp>

#include <optional>
#include <utility>

namespace corolith::inline v0::s3::detail {

inline task<object_page> list_page(lane* at, std::string bucket, list_options what, std::string token) {
  request ask("list", "GET", std::move(bucket), {});
  ask.query.emplace_back("list-type", "2");
  ask.query.emplace_back("encoding-type", "url");
  ask.query.emplace_back("prefix", what.prefix);
  if (!what.delimiter.empty()) ask.query.emplace_back("delimiter", what.delimiter);
  if (what.page_size != 0) ask.query.emplace_back("max-keys", std::to_string(what.page_size));
  if (!token.empty())
    ask.query.emplace_back("continuation-token", token);
  else if (!what.start_after.empty())
    ask.query.emplace_back("start-after", what.start_after);
  const text_answer got = co_await perform_text(at, &ask);
  object_page page = parse_object_page(got.body);
  if (!page.next_token.empty() && page.next_token == token)
    throw error_of(ask, errc::storage, "the server gives the same page for ever");
  co_return page;
}

COROLITH_DECL generator<list_entry> list_objects(core_ptr core, std::string bucket, list_options what) {
  lane& at = core->choose();
  std::string token;
  do {
    object_page page = co_await run_on(at.loop, list_page(&at, bucket, what, token));
    for (list_entry& entry : page.entries) co_yield std::move(entry);
    token = std::move(page.next_token);
  } while (!token.empty());
}

inline task<upload_page> list_upload_page(lane* at, std::string bucket, std::string prefix, std::string key_marker,
                                          std::string id_marker) {
  request ask("list uploads", "GET", std::move(bucket), {});
  ask.query.emplace_back("uploads", "");  // no encoding-type: Ceph encodes the keys then and does not say so
  if (!prefix.empty()) ask.query.emplace_back("prefix", std::move(prefix));
  if (!key_marker.empty()) ask.query.emplace_back("key-marker", std::move(key_marker));
  if (!id_marker.empty()) ask.query.emplace_back("upload-id-marker", std::move(id_marker));
  const text_answer got = co_await perform_text(at, &ask);
  co_return parse_upload_page(got.body);
}

COROLITH_DECL generator<upload_info> list_object_uploads(core_ptr core, std::string bucket, std::string prefix) {
  lane& at = core->choose();
  std::string key_marker, id_marker;
  do {
    upload_page page = co_await run_on(at.loop, list_upload_page(&at, bucket, prefix, key_marker, id_marker));
    for (upload_info& one : page.uploads) co_yield std::move(one);
    key_marker = std::move(page.next_key_marker);
    id_marker = std::move(page.next_upload_id_marker);
  } while (!key_marker.empty() || !id_marker.empty());
}

inline task<part_page> list_part_page(lane* at, std::string bucket, std::string key, std::string upload_id,
                                      std::uint32_t behind) {
  request ask("list parts", "GET", std::move(bucket), std::move(key));
  ask.query.emplace_back("uploadId", std::move(upload_id));
  if (behind != 0) ask.query.emplace_back("part-number-marker", std::to_string(behind));
  const text_answer got = co_await perform_text(at, &ask);
  co_return parse_part_page(got.body);
}

COROLITH_DECL generator<part_info> list_upload_parts(core_ptr core, std::string bucket, std::string key,
                                                     std::string upload_id) {
  lane& at = core->choose();
  std::optional<std::uint32_t> behind = 0;
  do {
    part_page page = co_await run_on(at.loop, list_part_page(&at, bucket, key, upload_id, *behind));
    for (part_info& one : page.parts) co_yield std::move(one);
    behind = page.next_part_number_marker;
  } while (behind);
}

}  // namespace corolith::inline v0::s3::detail
