// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/s3/client.hpp>
#include <corolith/s3/detail/client_core.hpp>
#include <corolith/s3/detail/download.hpp>
#include <corolith/s3/detail/objects.hpp>
#include <corolith/s3/detail/upload.hpp>
#include <corolith/s3/sigv4.hpp>

#include <utility>

namespace corolith::inline v0::s3 {
namespace detail {

inline task<std::string> get_object_text(core_ptr core, std::string bucket, std::string key, get_options how) {
  const std::vector<std::byte> bytes =
      co_await on_a_lane(std::move(core), &get_object, std::move(bucket), std::move(key), std::move(how));
  co_return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

inline task<bool> object_exists(lane* at, std::string bucket, std::string key) {
  try {
    get_options how;
    co_await head_object(at, std::move(bucket), std::move(key), std::move(how));
    co_return true;
  } catch (const s3_error& refused) {
    if (refused.code() != errc::not_found) throw;
  }
  co_return false;
}

inline task<std::string> presigned_url(lane* at, std::string bucket, std::string key, presign_options how) {
  const credentials* keys = co_await at->keys();
  const std::shared_ptr<const endpoint> where = at->core.endpoint_of(bucket);
  query_list query;
  if (!how.version_id.empty()) query.emplace_back("versionId", how.version_id);
  header_list headers;
  if (!how.content_type.empty()) headers.add("content-type", how.content_type);
  co_return s3::presign(how.method, *where, bucket, key, query, *keys, at->core.now(), how.valid, headers);
}

}  // namespace detail

COROLITH_DECL client::client(client_options options)
    : core_(std::make_shared<detail::client_core>(std::move(options))) {}
COROLITH_DECL client::client() : client(client_options()) {}

COROLITH_DECL task<put_result> client::put(std::string bucket, std::string key, object_source source,
                                           put_options how) const {
  detail::put_target target{std::move(bucket), std::move(key), std::move(how)};
  return detail::put_object(core_, std::move(target), std::move(source));
}

COROLITH_DECL task<std::vector<std::byte>> client::get(std::string bucket, std::string key, get_options how) const {
  return detail::on_a_lane(core_, &detail::get_object, std::move(bucket), std::move(key), std::move(how));
}

COROLITH_DECL task<std::vector<std::byte>> client::get_range(std::string bucket, std::string key, std::uint64_t first,
                                                             std::uint64_t last) const {
  get_options how;
  how.range.first = first;
  how.range.last = last;
  return get(std::move(bucket), std::move(key), std::move(how));
}

COROLITH_DECL task<std::string> client::get_text(std::string bucket, std::string key, get_options how) const {
  return detail::get_object_text(core_, std::move(bucket), std::move(key), std::move(how));
}

COROLITH_DECL task<std::size_t> client::get_into(std::string bucket, std::string key, mutable_byte_span place,
                                                 get_options how) const {
  return detail::on_a_lane(core_, &detail::get_object_into, std::move(bucket), std::move(key), place, std::move(how));
}

COROLITH_DECL task<object_info> client::get_to_file(std::string bucket, std::string key, std::string path,
                                                    get_options how) const {
  return detail::on_a_lane(core_, &detail::get_object_to_file, std::move(bucket), std::move(key), std::move(path),
                           std::move(how));
}

COROLITH_DECL generator<std::vector<std::byte>> client::stream(std::string bucket, std::string key,
                                                               get_options how) const {
  return detail::stream_object(core_, std::move(bucket), std::move(key), std::move(how));
}

COROLITH_DECL task<object_info> client::head(std::string bucket, std::string key, get_options how) const {
  return detail::on_a_lane(core_, &detail::head_object, std::move(bucket), std::move(key), std::move(how));
}

COROLITH_DECL task<bool> client::exists(std::string bucket, std::string key) const {
  return detail::on_a_lane(core_, &detail::object_exists, std::move(bucket), std::move(key));
}

COROLITH_DECL task<void> client::remove(std::string bucket, std::string key, std::string version_id) const {
  return detail::on_a_lane(core_, &detail::remove_object, std::move(bucket), std::move(key), std::move(version_id));
}

COROLITH_DECL task<std::vector<remove_result>> client::remove_many(std::string bucket,
                                                                   std::vector<std::string> keys) const {
  return detail::on_a_lane(core_, &detail::remove_objects, std::move(bucket), std::move(keys));
}

COROLITH_DECL task<put_result> client::copy(std::string from_bucket, std::string from_key, std::string to_bucket,
                                            std::string to_key, copy_options how) const {
  detail::copy_ends ends{std::move(from_bucket), std::move(from_key), std::move(to_bucket), std::move(to_key)};
  return detail::on_a_lane(core_, &detail::copy_object, std::move(ends), std::move(how));
}

COROLITH_DECL generator<list_entry> client::list(std::string bucket, list_options what) const {
  return detail::list_objects(core_, std::move(bucket), std::move(what));
}

COROLITH_DECL generator<list_entry> client::list(std::string bucket, std::string prefix, std::string delimiter) const {
  list_options what;
  what.prefix = std::move(prefix);
  what.delimiter = std::move(delimiter);
  return list(std::move(bucket), std::move(what));
}

COROLITH_DECL task<void> client::create_bucket(std::string bucket) const {
  return detail::on_a_lane(core_, &detail::create_bucket, std::move(bucket));
}
COROLITH_DECL task<void> client::head_bucket(std::string bucket) const {
  return detail::on_a_lane(core_, &detail::head_bucket, std::move(bucket));
}
COROLITH_DECL task<void> client::remove_bucket(std::string bucket) const {
  return detail::on_a_lane(core_, &detail::remove_bucket, std::move(bucket));
}
COROLITH_DECL task<std::vector<bucket_info>> client::list_buckets() const {
  return detail::on_a_lane(core_, &detail::list_buckets);
}

COROLITH_DECL task<std::string> client::presign(std::string bucket, std::string key, presign_options how) const {
  return detail::on_a_lane(core_, &detail::presigned_url, std::move(bucket), std::move(key), std::move(how));
}

COROLITH_DECL client_counters client::counters() const { return core_->counters(); }
COROLITH_DECL const client_options& client::options() const noexcept { return core_->options(); }
COROLITH_DECL loop& client::own_loop() const noexcept { return core_->choose().loop; }

}  // namespace corolith::inline v0::s3
