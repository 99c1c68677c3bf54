// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "list.hpp"
#include "place.hpp"
#include "session.hpp"
#include "text.hpp"

#include <corolith/core/error.hpp>
#include <corolith/s3/client.hpp>
#include <corolith/s3/multipart.hpp>
#include <corolith/storage/s3.hpp>

#include <fmt/format.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

/// What only S3 has: buckets, and URLs that let others in.
namespace tool {

inline place parse_bucket(const std::string& word, const settings& how) {
  place named = parse_place(word, how);
  if (named.where.scheme != corolith::storage::location::kind::s3)
    throw corolith::config_error("'" + word + "' is a directory, which the first put makes; s3://bucket was expected");
  if (!named.key.empty())
    throw corolith::config_error("'" + word + "' is more than a bucket: s3://bucket was expected");
  return named;
}

inline corolith::task<void> list_buckets(session* of, listing_output* out) {
  corolith::storage::location where;
  where.scheme = corolith::storage::location::kind::s3;
  add_s3_options(of->how, where);
  const corolith::s3::client client = corolith::storage::s3_client_of(where);
  const std::vector<corolith::s3::bucket_info> found = co_await client.list_buckets();
  for (const corolith::s3::bucket_info& each : found) {
    if (!of->how.json) {
      out->line(
          fmt::format("{:<19} {:>14} {}", each.created ? local_time(*each.created) : std::string(), "", each.name));
      continue;
    }
    const std::string created =
        each.created ? fmt::format(",\"created\":\"{}\"", iso_time(*each.created)) : std::string();
    out->line(fmt::format("{{\"bucket\":{}{}}}", json_string(each.name), created));
  }
}

inline corolith::task<int> ls(session* of, std::vector<std::string> words) {
  listing_output out;
  for (const std::string& word : words) {
    if (word == "s3://" || word == "s3:")
      co_await list_buckets(of, &out);
    else
      co_await list_one(of, parse_place(word, of->how), &out);
  }
  out.finish();
  co_return of->status();
}

inline corolith::task<int> mb(session* of, std::vector<std::string> words) {
  for (const std::string& word : words) {
    const place named = parse_bucket(word, of->how);
    const corolith::s3::client client = corolith::storage::s3_client_of(named.where);
    co_await client.create_bucket(named.where.bucket);
  }
  co_return 0;
}

/// All objects, and what uploads have left.
inline corolith::task<void> empty_bucket(corolith::s3::client client, std::string bucket) {
  constexpr std::size_t most = 1000;
  corolith::generator<corolith::s3::list_entry> listed = client.list(bucket, std::string());
  for (bool more = true; more;) {
    std::vector<std::string> keys;
    while (more && keys.size() < most) {
      std::optional<corolith::s3::list_entry> entry = co_await listed.next();
      more = entry.has_value();
      if (more) keys.push_back(std::move(entry->key));
    }
    if (keys.empty()) break;
    const std::vector<corolith::s3::remove_result> left = co_await client.remove_many(bucket, std::move(keys));
    for (const corolith::s3::remove_result& each : left)
      if (!each.removed())
        throw corolith::error(corolith::errc::storage,
                              fmt::format("cannot remove '{}': {} {}", each.key, each.code, each.message));
  }
  corolith::generator<corolith::s3::upload_info> uploads = corolith::s3::list_uploads(client, bucket, std::string());
  while (std::optional<corolith::s3::upload_info> each = co_await uploads.next())
    co_await corolith::s3::abort_upload(client, bucket, each->key, each->upload_id);
}

inline corolith::task<int> rb(session* of, std::vector<std::string> words) {
  for (const std::string& word : words) {
    const place named = parse_bucket(word, of->how);
    const corolith::s3::client client = corolith::storage::s3_client_of(named.where);
    if (of->how.force) co_await empty_bucket(client, named.where.bucket);
    co_await client.remove_bucket(named.where.bucket);
  }
  co_return 0;
}

inline corolith::task<int> presign(session* of, std::vector<std::string> words) {
  listing_output out;
  for (const std::string& word : words) {
    const place named = parse_place(word, of->how);
    if (named.where.scheme != corolith::storage::location::kind::s3)
      throw corolith::config_error("'" + word + "' is in a directory; s3://bucket/key was expected");
    if (named.key.empty()) throw corolith::config_error("'" + word + "' is a bucket; s3://bucket/key was expected");
    corolith::s3::presign_options how;
    how.method = of->how.method;
    how.valid = of->how.expires;
    how.content_type = of->how.put.headers.content_type;
    const corolith::s3::client client = corolith::storage::s3_client_of(named.where);
    const std::string url = co_await client.presign(named.where.bucket, named.key, std::move(how));
    out.line(url);
  }
  out.finish();
  co_return 0;
}

}  // namespace tool
