// SPDX-License-Identifier: Apache-2.0
// Buckets and listings on a real server.
#include "server_support.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace s3_live;

namespace {
names prefixes(const std::vector<s3::list_entry>& entries) {
  names found;
  for (const s3::list_entry& each : entries)
    if (each.is_prefix) found.push_back(each.key);
  return found;
}
s3::list_options with_prefix(const std::string& prefix, const std::string& delimiter = {}) {
  s3::list_options options;
  options.prefix = prefix;
  options.delimiter = delimiter;
  return options;
}
}  // namespace

TEST_CASE("a prefix is a plain string, a delimiter groups", "[.server]") {
  waiting_client client;
  own_bucket bucket;
  for (const char* key : {"foo.txt", "foo_bar/x", "foo/a", "foo/b/c", "fo", "k\xc3\xb6nig/a b"})
    client.put(bucket, key, key);
  CHECK(client.keys(bucket, with_prefix("foo")) == names{"foo.txt", "foo/a", "foo/b/c", "foo_bar/x"});
  CHECK(client.keys(bucket, with_prefix("foo/")) == names{"foo/a", "foo/b/c"});
  CHECK(client.keys(bucket, with_prefix("x")).empty());
  CHECK(client.keys(bucket, with_prefix("foo//")).empty());
  CHECK(client.keys(bucket, with_prefix("", "/")) == names{"fo", "foo.txt", "foo/", "foo_bar/", "k\xc3\xb6nig/"});
  CHECK(prefixes(client.list(bucket, with_prefix("", "/"))) == names{"foo/", "foo_bar/", "k\xc3\xb6nig/"});
  CHECK(client.keys(bucket, with_prefix("foo/", "/")) == names{"foo/a", "foo/b/"});
  CHECK(client.keys(bucket, with_prefix("k\xc3\xb6nig/a ")) == names{"k\xc3\xb6nig/a b"});
  CHECK(client.keys(bucket, with_prefix("foo", "_")) == names{"foo.txt", "foo/a", "foo/b/c", "foo_"});
}

TEST_CASE("a listing says what is known of the objects", "[.server]") {
  for (const std::string& endpoint : endpoints()) {
    INFO(endpoint);
    waiting_client client(options_for(endpoint));
    own_bucket bucket;
    CHECK(client.keys(bucket).empty());
    const std::string etag = client.put(bucket, "five", "12345").etag;
    client.put(bucket, "none", "");
    const auto found = client.list(bucket);
    REQUIRE(found.size() == 2);
    CHECK(found[0].key == "five");
    CHECK(found[0].size == 5);
    CHECK(found[0].etag == etag);
    CHECK(!found[0].is_prefix);
    CHECK(found[1].size == 0);
    REQUIRE(found[0].last_modified.has_value());
    CHECK(std::chrono::abs(*found[0].last_modified - std::chrono::system_clock::now()) < std::chrono::hours(1));
  }
}

TEST_CASE("a listing goes on page by page", "[.server]") {
  waiting_client client;
  own_bucket bucket;
  names keys;
  for (int i = 100; i < 150; ++i) keys.push_back((i % 2 != 0 ? "a/" : "b +&/") + std::to_string(i));
  for (const std::string& key : keys) client.put(bucket, key, "");
  std::sort(keys.begin(), keys.end());
  for (const std::uint32_t page_size : {1U, 7U, 50U, 1000U}) {
    INFO(page_size << " a page");
    s3::list_options options;
    options.page_size = page_size;
    CHECK(client.keys(bucket, options) == keys);
    options.start_after = keys[10];
    CHECK(client.keys(bucket, options) == names(keys.begin() + 11, keys.end()));
    options = with_prefix("", "/");
    options.page_size = page_size;
    CHECK(client.keys(bucket, options) == names{"a/", "b +&/"});
  }
  s3::list_options options;
  options.page_size = 7;
  CHECK(client.list(bucket, options, 9).size() == 9);  // and goes no further
}

TEST_CASE("buckets come and go", "[.server]") {
  for (const std::string& endpoint : endpoints()) {
    INFO(endpoint);
    waiting_client client(options_for(endpoint));
    const std::string name = s3_server::new_bucket();
    CHECK(failure_of([&] { client.head_bucket(name); }).code == errc::not_found);
    client.create_bucket(name);
    CHECK_NOTHROW(client.head_bucket(name));
    const names all = client.buckets();
    CHECK(std::count(all.begin(), all.end(), name) == 1);
    client.put(name, "key", "text");
    const failure full = failure_of([&] { client.remove_bucket(name); });
    CHECK(full.name == "BucketNotEmpty");
    CHECK(full.status == 409);
    CHECK(full.bucket == name);
    client.remove(name, "key");
    client.remove_bucket(name);
    CHECK(failure_of([&] { client.remove_bucket(name); }).code == errc::not_found);
    CHECK(failure_of([&] { client.put(name, "key", "text"); }).name == "NoSuchBucket");
  }
}

TEST_CASE("odd buckets are buckets like others", "[.server]") {
  waiting_client client;
  const std::string start = "t" + std::to_string(std::chrono::system_clock::now().time_since_epoch().count() % 1000000);
  for (const std::string& name :
       {start, start + ".with.dots", start + "-" + std::string(62 - start.size(), 'x'), start + "_Under_SCORES"}) {
    INFO(name);
    client.create_bucket(name);
    client.put(name, "a key", name);
    CHECK(client.get(name, "a key") == name);
    CHECK(client.keys(name) == names{"a key"});
    client.copy(name, "a key", name, "b");
    client.remove_many(name, {"a key", "b"});
    client.remove_bucket(name);
  }
}

TEST_CASE("a bucket may be part of the host", "[.server]") {
  for (std::string endpoint : endpoints()) {
    const std::size_t address = endpoint.find("127.0.0.1");
    if (address != std::string::npos) endpoint.replace(address, 9, "localhost");
    INFO(endpoint);
    s3::client_options options = options_for(endpoint);
    options.path_style = false;
    waiting_client client(options);
    own_bucket bucket("virtual-host");
    client.put(bucket, "a key/\xc3\xb6", "text");
    CHECK(client.get(bucket, "a key/\xc3\xb6") == "text");
    CHECK(client.keys(bucket) == names{"a key/\xc3\xb6"});
    CHECK(bucket.direct().keys(bucket) == names{"a key/\xc3\xb6"});
    client.copy(bucket, "a key/\xc3\xb6", bucket, "b");
    CHECK(client.remove_many(bucket, {"a key/\xc3\xb6", "b"}).empty());
    const std::string url = client.presign("GET", bucket, "none");
    CHECK(has(url, "://" + bucket.name() + ".localhost:"));
    CHECK(curl(url).first == 404);
    CHECK_NOTHROW(client.head_bucket(bucket));
  }
}
