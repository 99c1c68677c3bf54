// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "s3_server.hpp"

#include <corolith/coro/sync_wait.hpp>
#include <corolith/s3/client.hpp>
#include <corolith/s3/multipart.hpp>
#include <corolith/storage/location.hpp>
#include <corolith/storage/s3.hpp>
#include <corolith/storage/store.hpp>

#include <catch2/catch.hpp>

#include <cstdlib>
#include <exception>
#include <string>
#include <utility>
#include <vector>

namespace test_support {

/// A store below a prefix of a bucket of the server that a script has started (s3_server.hpp), gone with its owner. In the same bucket lie
/// objects that are none of its business. Credentials are in the environment of this process, as users have them.
class bucket_to_try {
 public:
  bucket_to_try() {
    sync_wait(client_.create_bucket(where_.bucket));
    for (const std::string& key : others_) sync_wait(client_.put(where_.bucket, key, key));
  }
  ~bucket_to_try() {
    try {
      std::vector<std::string> keys = all_keys();
      sync_wait(client_.remove_many(where_.bucket, std::move(keys)));
      sync_wait(client_.remove_bucket(where_.bucket));
    } catch (const std::exception& failure) {
      WARN("a bucket is left: " << failure.what());
    }
  }
  bucket_to_try(const bucket_to_try&) = delete;
  bucket_to_try& operator=(const bucket_to_try&) = delete;

  const corolith::store& objects() const noexcept { return objects_; }
  const std::string& url() const noexcept { return objects_.url(); }

  /// Nothing may be left of puts that failed, and what is not the store's must be as it was.
  void check_clean() const {
    corolith::generator<corolith::s3::upload_info> uploads =
        corolith::s3::list_uploads(client_, where_.bucket, std::string());
    CHECK(!sync_wait(uploads.next()).has_value());
    for (const std::string& key : others_) CHECK(sync_wait(client_.get_text(where_.bucket, key)) == key);
  }
  /// Of the whole bucket.
  std::vector<std::string> all_keys() const {
    std::vector<std::string> keys;
    corolith::generator<corolith::s3::list_entry> listed = client_.list(where_.bucket, std::string());
    while (auto entry = sync_wait(listed.next())) keys.push_back(std::move(entry->key));
    return keys;
  }
  /// Of the store, what runs keep for themselves included.
  std::vector<std::string> keys() const {
    std::vector<std::string> own;
    for (const std::string& key : all_keys())
      if (key.starts_with(where_.prefix)) own.push_back(key.substr(where_.prefix.size()));
    return own;
  }

 private:
  static corolith::storage::location new_location() {
    const s3_server server = s3_server::from_environment();
    ::setenv("AWS_ACCESS_KEY_ID", server.access_key.c_str(), 1);
    ::setenv("AWS_SECRET_ACCESS_KEY", server.secret_key.c_str(), 1);
    corolith::storage::location where;
    where.scheme = corolith::storage::location::kind::s3;
    where.bucket = s3_server::new_bucket();
    where.prefix = "some/prefix/";
    where.options = {{"endpoint", server.endpoint}, {"region", server.region}, {"part_size", "5MiB"}};
    return where;
  }

  const std::vector<std::string> others_ = {"other", "some/prefix-of-another/object", "some/prefiy"};
  const corolith::storage::location where_ = new_location();
  const corolith::s3::client client_ = corolith::storage::s3_client_of(where_);
  const corolith::store objects_ = corolith::store::open(where_.to_string());
};

}  // namespace test_support
