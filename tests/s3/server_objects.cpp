// SPDX-License-Identifier: Apache-2.0
// Objects on a real server: what is put comes back, whatever its size, key and headers.
#include "server_support.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace s3_live;

namespace {
/// Keys that are hard to write in a URL, in XML, in a header or as a path.
const names odd_keys = {"a b",
                        " ",
                        "plus+sign",
                        "percent%41%zz",
                        "k\xc3\xb6nig/\xe6\x97\xa5\xe6\x9c\xac",
                        "q?a=b&c=d#e",
                        "(a)'b'~c!d*e@f,g;h:i=j&k$l",
                        "\"<&>'",
                        "back\\slash|{}^[]`",
                        "a//b",
                        "trailing/",
                        "dots/../x",
                        "./x",
                        "line\nbreak",
                        std::string(1024, 'k')};

s3::put_options with_headers() {
  s3::put_options options;
  options.headers.content_type = "text/x-corolith; charset=utf-8";
  options.headers.content_encoding = "identity";
  options.headers.content_disposition = "attachment; filename=\"a b.txt\"";
  options.headers.content_language = "de";
  options.headers.cache_control = "max-age=60, no-transform";
  options.headers.metadata = {{"color", "deep blue"}, {"two-words", "a  b"}, {"sign", "+%&=\"'<>"}};
  return options;
}

void check_headers(const s3::object_headers& found, const s3::object_headers& sent) {
  CHECK(found.content_type == sent.content_type);
  CHECK(found.content_disposition == sent.content_disposition);
  CHECK(found.content_encoding == sent.content_encoding);
  CHECK(found.cache_control == sent.cache_control);
  CHECK(found.metadata == sent.metadata);
  if (server().kind == "ceph") CHECK(found.content_language == sent.content_language);  // Swift keeps none
}
}  // namespace

TEST_CASE("what is put comes back", "[.server]") {
  for (const std::string& endpoint : endpoints()) {
    waiting_client client(options_for(endpoint));
    own_bucket bucket;
    for (const std::size_t size : {0, 1, 1000, 65536, 3'000'000}) {
      INFO(endpoint << ", " << size << " bytes");
      const std::string body = noise(size, size);
      const s3::put_result put = client.put(bucket, "key", body);
      CHECK(!put.etag.empty());
      CHECK(client.get(bucket, "key") == body);
      const s3::object_info info = client.head(bucket, "key");
      CHECK(info.size == size);
      CHECK(info.etag == put.etag);
      REQUIRE(info.last_modified.has_value());
      CHECK(std::chrono::abs(*info.last_modified - std::chrono::system_clock::now()) < std::chrono::hours(1));
    }
  }
}

TEST_CASE("headers and metadata come back", "[.server]") {
  for (const std::string& endpoint : endpoints()) {
    INFO(endpoint);
    waiting_client client(options_for(endpoint));
    own_bucket bucket;
    const s3::put_options options = with_headers();
    client.put(bucket, "key", "text", options);
    check_headers(client.head(bucket, "key").headers, options.headers);
    client.put(bucket, "key", "other text");
    CHECK(client.head(bucket, "key").headers.metadata.empty());
  }
}

TEST_CASE("odd keys are keys like others", "[.server]") {
  for (const std::string& endpoint : endpoints()) {
    INFO(endpoint);
    waiting_client client(options_for(endpoint));
    own_bucket bucket;
    for (const std::string& key : odd_keys) {
      INFO("'" << key << "'");
      CHECK_NOTHROW(client.put(bucket, key, key));
      CHECK(client.get(bucket, key) == key);
      CHECK(client.head(bucket, key).size == key.size());
      CHECK(client.keys(bucket, {.prefix = key, .delimiter = {}, .start_after = {}}) == names{key});
      if (key.size() < 1000) {
        CHECK_NOTHROW(client.copy(bucket, key, bucket, key + ".2"));
        CHECK(client.get(bucket, key + ".2") == key);
        CHECK_NOTHROW(client.remove(bucket, key + ".2"));
      }
    }
    names sorted = odd_keys;
    std::sort(sorted.begin(), sorted.end());
    CHECK(client.keys(bucket) == sorted);
    for (const s3::remove_result& each : client.remove_many(bucket, odd_keys))
      FAIL_CHECK("'" << each.key << "' is not removed: " << each.code << " " << each.message);
    CHECK(client.keys(bucket).empty());
  }
}

TEST_CASE("a range is that part of the object", "[.server]") {
  waiting_client client;
  own_bucket bucket;
  const std::string body = noise(300'000, 7);
  client.put(bucket, "key", body);
  const auto part = [&](std::optional<std::uint64_t> first, std::optional<std::uint64_t> last) {
    s3::get_options options;
    options.range = {first, last};
    std::string into(400'000, '?');
    into.resize(client.get_into(bucket, "key", into, options));
    CHECK(joined(client.stream(bucket, "key", options)) == into);
    CHECK(client.get(bucket, "key", options) == into);
    return into;
  };
  CHECK(part(0, 0) == body.substr(0, 1));
  CHECK(part(10, 19) == body.substr(10, 10));
  CHECK(part(299'990, {}) == body.substr(299'990));
  CHECK(part(299'990, 500'000) == body.substr(299'990));
  CHECK(part({}, 7) == body.substr(300'000 - 7));
  CHECK(part({}, 500'000) == body);
  CHECK(part(0, {}) == body);
  const failure behind = failure_of([&] { part(300'000, {}); });
  CHECK(behind.from_s3);
  CHECK(behind.name == "InvalidRange");
  CHECK(behind.status == 416);
}

TEST_CASE("what does not fit a span is an error, and nothing is written behind it", "[.server]") {
  waiting_client client;
  own_bucket bucket;
  client.put(bucket, "key", noise(1000, 3));
  std::string room(1000, '?');
  const failure small = failure_of([&] { client.get_into(bucket, "key", std::span(room).first(999)); });
  INFO(small.text);
  CHECK(small.happened);
  CHECK(room.back() == '?');
  CHECK(client.get_into(bucket, "key", room) == 1000);
  CHECK(room == noise(1000, 3));
}

TEST_CASE("conditions of a get", "[.server]") {
  waiting_client client;
  own_bucket bucket;
  const std::string etag = client.put(bucket, "key", "text").etag;
  const auto get_when = [&](const s3::conditions& when) {
    s3::get_options options;
    options.when = when;
    return client.get(bucket, "key", options);
  };
  const auto code_when = [&](const s3::conditions& when) { return failure_of([&] { get_when(when); }); };
  s3::conditions when;
  when.if_match = etag;
  CHECK(get_when(when) == "text");
  when.if_match = "0123456789abcdef0123456789abcdef";
  CHECK(code_when(when).code == errc::precondition_failed);
  CHECK(code_when(when).status == 412);
  when = {};
  when.if_none_match = "0123456789abcdef0123456789abcdef";
  CHECK(get_when(when) == "text");
  when.if_none_match = etag;
  CHECK(code_when(when).status == 304);
  CHECK(code_when(when).code == errc::precondition_failed);
  when = {};
  const auto now = std::chrono::system_clock::now();
  when.if_modified_since = now - std::chrono::hours(24);
  CHECK(get_when(when) == "text");
  when.if_modified_since = now + std::chrono::hours(1);
  if (server().kind == "ceph") CHECK(code_when(when).status == 304);
  when = {};
  when.if_unmodified_since = now + std::chrono::hours(1);
  CHECK(get_when(when) == "text");
  when.if_unmodified_since = now - std::chrono::hours(24);
  CHECK(code_when(when).code == errc::precondition_failed);
}

TEST_CASE("a put only where there is nothing yet", "[.server][ceph]") {
  waiting_client client;
  own_bucket bucket;
  s3::put_options options;
  options.when.if_none_match = "*";
  client.put(bucket, "key", "first", options);
  const failure second = failure_of([&] { client.put(bucket, "key", "second", options); });
  INFO(second.text);
  CHECK(second.code == errc::precondition_failed);
  CHECK(second.status == 412);
  CHECK(second.key == "key");
  CHECK(client.get(bucket, "key") == "first");
  CHECK_NOTHROW(client.put(bucket, "other key", "second", options));
}

TEST_CASE("a put only over what was there", "[.server][ceph]") {
  waiting_client client;
  own_bucket bucket;
  client.put(bucket, "key", "first");
  s3::put_options options;
  options.when.if_match = "0123456789abcdef0123456789abcdef";
  CHECK(failure_of([&] { client.put(bucket, "key", "second", options); }).code == errc::precondition_failed);
  options.when.if_match = "*";
  CHECK_NOTHROW(client.put(bucket, "key", "third", options));
  CHECK(client.get(bucket, "key") == "third");
}

TEST_CASE("copies keep headers or replace them", "[.server]") {
  waiting_client client;
  own_bucket bucket, other;
  const s3::put_options options = with_headers();
  const std::string etag = client.put(bucket, "a key", "text", options).etag;
  const s3::put_result copied = client.copy(bucket, "a key", other, "b/key");
  CHECK(copied.etag == etag);
  CHECK(client.get(other, "b/key") == "text");
  check_headers(client.head(other, "b/key").headers, options.headers);

  s3::copy_options replacing;
  replacing.replace_headers = true;
  replacing.headers.content_type = "x/y";
  replacing.headers.metadata = {{"shape", "round"}};
  client.copy(bucket, "a key", bucket, "a key", replacing);
  CHECK(client.get(bucket, "a key") == "text");
  CHECK(client.head(bucket, "a key").headers.content_type == "x/y");
  CHECK(client.head(bucket, "a key").headers.metadata == s3::metadata_map{{"shape", "round"}});

  s3::copy_options conditional;
  conditional.source_when.if_match = etag;
  CHECK_NOTHROW(client.copy(bucket, "a key", bucket, "c", conditional));
  conditional.source_when.if_match = "0123456789abcdef0123456789abcdef";
  if (server().kind != "ceph")  // whose gateway looks for this condition under another name
    CHECK(failure_of([&] { client.copy(bucket, "a key", bucket, "d", conditional); }).code ==
          errc::precondition_failed);
  const failure missing = failure_of([&] { client.copy(bucket, "none", bucket, "d"); });
  INFO(missing.text);
  CHECK(missing.code == errc::not_found);
  CHECK(client.keys(bucket) == names{"a key", "c"});
}

TEST_CASE("what is removed is gone, and what is not there can be removed", "[.server]") {
  waiting_client client;
  own_bucket bucket;
  client.put(bucket, "key", "text");
  client.remove(bucket, "key");
  CHECK(failure_of([&] { client.get(bucket, "key"); }).code == errc::not_found);
  CHECK_NOTHROW(client.remove(bucket, "key"));
  CHECK(client.remove_many(bucket, {}).empty());
  CHECK(client.remove_many(bucket, {"none", "<&>\"'"}).empty());
}

TEST_CASE("more keys are removed than one request takes", "[.server]") {
  waiting_client client;
  own_bucket bucket;
  names keys;
  for (int i = 0; i < 1003; ++i) keys.push_back("key-" + std::to_string(i));
  for (int i = 0; i < 1003; i += 100) client.put(bucket, keys[static_cast<std::size_t>(i)], "text");
  client.put(bucket, "stays", "text");
  CHECK(client.remove_many(bucket, keys).empty());
  CHECK(client.keys(bucket) == names{"stays"});
}

TEST_CASE("bodies may be signed or not, over either way", "[.server]") {
  for (const std::string& endpoint : endpoints()) {
    for (const auto signing : {s3::payload_signing::always, s3::payload_signing::never}) {
      INFO(endpoint << (signing == s3::payload_signing::always ? ", signed" : ", unsigned"));
      s3::client_options options = options_for(endpoint);
      options.signing = signing;
      waiting_client client(options);
      own_bucket bucket;
      const std::string body = noise(200'000, 11);
      client.put(bucket, "span", body);
      CHECK(client.get(bucket, "span") == body);
      client.put_pieces(bucket, "pieces", cut(body, 33'333));
      CHECK(client.get(bucket, "pieces") == body);
      CHECK(client.remove_many(bucket, {"span", "pieces"}).empty());
      CHECK(client.keys(bucket).empty());
    }
  }
}

TEST_CASE("checksums are sent, and verified where the server keeps them", "[.server]") {
  waiting_client client;
  own_bucket bucket;
  const std::string body = noise(150'000, 12);
  for (const auto kind : {s3::checksum_kind::crc32c, s3::checksum_kind::crc32, s3::checksum_kind::sha256}) {
    INFO("kind " << static_cast<int>(kind));
    s3::put_options options;
    options.checksum = kind;
    s3::get_options verifying;
    verifying.verify_checksum = true;
    client.put(bucket, "key", body, options);
    CHECK(client.get(bucket, "key", verifying) == body);
  }
}

TEST_CASE("presigned URLs work without the client", "[.server]") {
  for (const std::string& endpoint : endpoints()) {
    INFO(endpoint);
    waiting_client client(options_for(endpoint));
    own_bucket bucket;
    for (const std::string key : {"key", "a b/k\xc3\xb6nig+%41&x=y?", "trailing/"}) {
      INFO(key);
      const auto put = curl(client.presign("PUT", bucket, key), "-X PUT --data-binary 'some text'");
      INFO(put.second);
      CHECK(put.first == 200);
      CHECK(client.get(bucket, key) == "some text");
      CHECK(curl(client.presign("GET", bucket, key)) == std::pair<int, std::string>(200, "some text"));
      CHECK(curl(client.presign("HEAD", bucket, key), "-I").first == 200);
      CHECK(curl(client.presign("DELETE", bucket, key), "-X DELETE").first == 204);
      CHECK(curl(client.presign("GET", bucket, key)).first == 404);
    }
    client.put(bucket, "key", "text");
    std::string forged = client.presign("GET", bucket, "key");
    forged.back() = forged.back() == '0' ? '1' : '0';
    CHECK(curl(forged).first == 403);
    CHECK(curl(client.presign("GET", bucket, "key"), "-X PUT --data-binary x").first == 403);
    std::string expired;
    {
      wrong_clock yesterday(std::chrono::hours(-24));
      expired = client.presign("GET", bucket, "key", std::chrono::seconds(5));
    }
    CHECK(curl(expired).first == 403);
  }
}
