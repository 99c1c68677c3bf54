// SPDX-License-Identifier: Apache-2.0
// Transfers of large objects on a real server: in parts, from and to spans, files and generators; and multipart uploads by hand.
#include "server_support.hpp"
#include "support/scratch.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <filesystem>

using namespace s3_live;

namespace {
/// Small parts, so that moderate objects have many. Less than 5 MiB the servers refuse for uploads.
s3::client_options small_parts(const std::string& endpoint = {}) {
  s3::client_options options = options_for(endpoint);
  options.part_size = 5 * mib;
  return options;
}
const std::size_t large_size = 17 * mib + 3;
}  // namespace

TEST_CASE("large objects come back from spans, files and generators", "[.server]") {
  for (const std::string& endpoint : endpoints()) {
    INFO(endpoint);
    waiting_client client(small_parts(endpoint));
    own_bucket bucket;
    test_support::scratch folder;
    const std::string body = noise(large_size, 1), digest = sha256(body);
    s3::put_options options;
    options.headers.content_type = "x/y";
    options.headers.metadata = {{"color", "blue"}};

    client.put(bucket, "span", body, options);
    write_file(folder / "source", body);
    client.put_file(bucket, "file", folder / "source", options);
    client.put_pieces(bucket, "pieces", cut(body, 777'777), options);
    CHECK(bucket.unfinished().empty());

    for (const char* key : {"span", "file", "pieces"}) {
      INFO(key);
      const s3::object_info info = client.head(bucket, key);
      CHECK(info.size == large_size);
      CHECK(has(info.etag, "-4"));  // it came in parts
      CHECK(info.headers.content_type == "x/y");
      CHECK(info.headers.metadata == options.headers.metadata);
    }
    CHECK(sha256(client.get(bucket, "span")) == digest);
    std::string room(large_size, '\0');
    CHECK(client.get_into(bucket, "file", room) == large_size);
    CHECK(sha256(room) == digest);
    CHECK(sha256(joined(client.stream(bucket, "pieces"))) == digest);
    const s3::object_info got = client.get_to_file(bucket, "span", folder / "target");
    CHECK(got.size == large_size);
    CHECK(got.headers.content_type == "x/y");
    CHECK(sha256(read_file(folder / "target")) == digest);
    CHECK(files_in(folder.path()) == names{"source", "target"});

    s3::get_options range;
    range.range = {mib + 5, 13 * mib};
    CHECK(sha256(client.get(bucket, "pieces", range)) == sha256(body.substr(mib + 5, 12 * mib - 4)));
    CHECK(sha256(joined(client.stream(bucket, "file", range))) == sha256(body.substr(mib + 5, 12 * mib - 4)));
  }
}

TEST_CASE("a generator may give anything", "[.server]") {
  waiting_client client(small_parts());
  own_bucket bucket;
  client.put_pieces(bucket, "nothing", {});
  CHECK(client.get(bucket, "nothing").empty());
  client.put_pieces(bucket, "empty pieces", {"", "a", "", "", "bc", ""});
  CHECK(client.get(bucket, "empty pieces") == "abc");
  const std::string one = noise(12 * mib, 4);
  client.put_pieces(bucket, "one", {one});
  CHECK(sha256(client.get(bucket, "one")) == sha256(one));
  const std::string exactly = noise(10 * mib, 5);
  client.put_pieces(bucket, "exactly", cut(exactly, mib));
  CHECK(sha256(client.get(bucket, "exactly")) == sha256(exactly));
  CHECK(bucket.unfinished().empty());
}

TEST_CASE("a generator that fails leaves nothing", "[.server]") {
  waiting_client client(small_parts());
  own_bucket bucket;
  for (const std::size_t size : {std::size_t(1000), 11 * mib}) {
    INFO(size << " bytes before");
    const failure broken = failure_of([&] { client.put_broken(bucket, "key", cut(noise(size, 6), mib)); });
    CHECK(broken.text == "no more");
    CHECK(bucket.unfinished().empty());
    CHECK(client.keys(bucket).empty());
  }
}

TEST_CASE("a stream may be dropped", "[.server]") {
  waiting_client client(small_parts());
  own_bucket bucket;
  const std::string body = noise(large_size, 8);
  client.put(bucket, "key", body);
  for (const std::size_t pieces : {0, 1, 2}) {
    const std::string start = joined(client.stream(bucket, "key", {}, pieces));
    CHECK(body.starts_with(start));
    CHECK(start.empty() == (pieces == 0));
  }
  CHECK(sha256(joined(client.stream(bucket, "key"))) == sha256(body));
}

TEST_CASE("a file is replaced when all is there, and not before", "[.server]") {
  waiting_client client(small_parts());
  own_bucket bucket;
  test_support::scratch folder;
  write_file(folder / "target", "what was there");
  CHECK(failure_of([&] { client.get_to_file(bucket, "none", folder / "target"); }).code == errc::not_found);
  CHECK(read_file(folder / "target") == "what was there");
  CHECK(files_in(folder.path()) == names{"target"});
  client.put(bucket, "empty", "");
  client.get_to_file(bucket, "empty", folder / "target");
  CHECK(read_file(folder / "target").empty());
  const failure nowhere = failure_of([&] { client.get_to_file(bucket, "empty", folder / "no/such/folder"); });
  INFO(nowhere.text);
  CHECK(nowhere.happened);
  const failure missing = failure_of([&] { client.put_file(bucket, "key", folder / "none"); });
  INFO(missing.text);
  CHECK(missing.happened);
  CHECK(client.keys(bucket) == names{"empty"});
  CHECK(bucket.unfinished().empty());
}

TEST_CASE("an upload in parts by hand", "[.server]") {
  for (const std::string& endpoint : endpoints()) {
    INFO(endpoint);
    waiting_client client(options_for(endpoint));
    own_bucket bucket;
    const std::string key = "a key/k\xc3\xb6nig&+";
    const std::string first = noise(5 * mib, 1), last = noise(1234, 2), source = noise(6 * mib, 3);
    client.put(bucket, "the source", source);
    s3::put_options options;
    options.headers.content_type = "x/y";
    options.headers.metadata = {{"color", "blue"}};
    const std::string id = client.create_upload(bucket, key, options);
    const auto begun = client.uploads(bucket);
    REQUIRE(begun.size() == 1);
    CHECK(begun[0].key == key);
    CHECK(begun[0].upload_id == id);
    CHECK(client.uploads(bucket, "other").empty());

    std::vector<s3::part_info> parts{client.upload_part(bucket, key, id, 1, noise(100, 9))};
    parts[0] = client.upload_part(bucket, key, id, 1, first);  // instead of the one before
    parts.push_back(client.copy_part(bucket, "the source", bucket, key, id, 2, {100, 5 * mib + 99}));
    parts.push_back(client.upload_part(bucket, key, id, 7, last));
    const auto listed = client.parts(bucket, key, id);
    REQUIRE(listed.size() == 3);
    for (std::size_t i = 0; i < 3; ++i) {
      CHECK(listed[i].number == parts[i].number);
      CHECK(listed[i].etag == parts[i].etag);
    }
    CHECK(listed[1].size == 5 * mib);
    CHECK(listed[2].size == 1234);
    CHECK(client.keys(bucket) == names{"the source"});

    client.complete_upload(bucket, key, id, parts);
    CHECK(client.uploads(bucket).empty());
    CHECK(sha256(client.get(bucket, key)) == sha256(first + source.substr(100, 5 * mib) + last));
    CHECK(client.head(bucket, key).headers.content_type == "x/y");
    CHECK(client.head(bucket, key).headers.metadata == options.headers.metadata);
  }
}

TEST_CASE("an upload that is aborted leaves nothing", "[.server]") {
  waiting_client client;
  own_bucket bucket;
  const std::string id = client.create_upload(bucket, "key");
  client.upload_part(bucket, "key", id, 1, "text");
  CHECK(bucket.unfinished() == names{"key (1 parts)"});
  client.abort_upload(bucket, "key", id);
  CHECK(bucket.unfinished().empty());
  CHECK(client.keys(bucket).empty());
  const failure gone = failure_of([&] { client.upload_part(bucket, "key", id, 2, "text"); });
  CHECK(gone.name == "NoSuchUpload");
  CHECK(gone.code == errc::not_found);
}

TEST_CASE("many uploads and parts are listed page by page", "[.server]") {
  waiting_client client;
  own_bucket bucket;
  names ids;
  for (int i = 0; i < 12; ++i) ids.push_back(client.create_upload(bucket, "key-" + std::to_string(i % 5)));
  CHECK(client.uploads(bucket).size() == 12);
  for (std::uint32_t i = 1; i <= 12; ++i) client.upload_part(bucket, "key-0", ids[0], i, "text");
  CHECK(client.parts(bucket, "key-0", ids[0]).size() == 12);
  for (std::size_t i = 0; i < 12; ++i) client.abort_upload(bucket, "key-" + std::to_string(i % 5), ids[i]);
  CHECK(client.uploads(bucket).empty());
}

TEST_CASE("wrong parts are refused by name", "[.server]") {
  waiting_client client;
  own_bucket bucket;
  const std::string id = client.create_upload(bucket, "key");
  std::vector<s3::part_info> parts{client.upload_part(bucket, "key", id, 1, "too small"),
                                   client.upload_part(bucket, "key", id, 2, "text")};
  const failure small = failure_of([&] { client.complete_upload(bucket, "key", id, parts); });
  INFO(small.text);
  CHECK(small.name == "EntityTooSmall");
  parts[1].etag = "0123456789abcdef0123456789abcdef";
  const failure other = failure_of([&] { client.complete_upload(bucket, "key", id, {parts[1]}); });
  INFO(other.text);
  CHECK(other.name == "InvalidPart");
  CHECK(failure_of([&] { client.upload_part(bucket, "key", id, 0, "x"); }).happened);
  CHECK(failure_of([&] { client.upload_part(bucket, "key", id, 10'001, "x"); }).happened);
  client.abort_upload(bucket, "key", id);
}

TEST_CASE("copies in parts", "[.server][ceph]") {
  s3::client_options options = small_parts();
  options.copy_in_parts_above = 6 * mib;
  waiting_client client(options);
  own_bucket bucket;
  const std::string body = noise(large_size, 9);
  s3::put_options headers;
  headers.headers.content_type = "x/y";
  headers.headers.metadata = {{"color", "blue"}};
  client.put(bucket, "a key", body, headers);
  client.copy(bucket, "a key", bucket, "copy");
  CHECK(sha256(client.get(bucket, "copy")) == sha256(body));
  CHECK(client.head(bucket, "copy").headers.content_type == "x/y");
  CHECK(client.head(bucket, "copy").headers.metadata == headers.headers.metadata);
  CHECK(bucket.unfinished().empty());
}
