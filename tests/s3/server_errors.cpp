// SPDX-License-Identifier: Apache-2.0
// What a real server refuses, and servers that are not what they should be: each a typed error that says what happened.
#include "server_support.hpp"
#include "support/fault_proxy.hpp"

#include <catch2/catch.hpp>

using namespace s3_live;

TEST_CASE("a wrong secret", "[.server]") {
  waiting_client client(options_with_key(server().access_key, "a-wrong-secret"));
  own_bucket bucket;
  const failure wrong = failure_of([&] { client.put(bucket, "a key", "text"); });
  INFO(wrong.text);
  CHECK(wrong.from_s3);
  CHECK(wrong.code == errc::access_denied);
  CHECK(wrong.status == 403);
  CHECK(wrong.name == "SignatureDoesNotMatch");
  CHECK(!wrong.request_id.empty());
  CHECK(wrong.bucket == bucket.name());
  CHECK(wrong.key == "a key");
  CHECK(!wrong.operation.empty());
  CHECK(has(wrong.text, "secret"));
  CHECK(!has(wrong.text, "a-wrong-secret"));
  CHECK(failure_of([&] { client.head(bucket, "a key"); }).code == errc::access_denied);  // whose answer has no body
  CHECK(failure_of([&] { client.keys(bucket); }).name == "SignatureDoesNotMatch");
  CHECK(failure_of([&] { client.put(bucket, "a key", noise(20 * mib, 1)); }).code == errc::access_denied);
}

TEST_CASE("an access key that nobody has", "[.server]") {
  waiting_client client(options_with_key("nobody", "some-secret"));
  const failure wrong = failure_of([&] { client.buckets(); });
  INFO(wrong.text);
  CHECK(wrong.code == errc::access_denied);
  CHECK(wrong.status == 403);
  CHECK((wrong.name == "InvalidAccessKeyId" || wrong.name == "SignatureDoesNotMatch"));
}

TEST_CASE("no credentials at all", "[.server][ceph]") {
  own_bucket bucket;
  s3::client_options options = options_for();
  options.credentials = s3::anonymous_credentials();
  waiting_client client(options);
  const failure wrong = failure_of([&] { client.put(bucket, "a key", "text"); });
  INFO(wrong.text);
  CHECK(wrong.code == errc::access_denied);
  CHECK(wrong.status == 403);
}

TEST_CASE("a bucket and a key that are not there", "[.server]") {
  waiting_client client;
  own_bucket bucket;
  const auto check = [](const failure& seen, const std::string& name, const std::string& of_bucket,
                        const std::string& key) {
    INFO(seen.text);
    CHECK(seen.from_s3);
    CHECK(seen.code == errc::not_found);
    CHECK(seen.status == 404);
    CHECK(seen.name == name);
    CHECK(seen.bucket == of_bucket);
    CHECK(seen.key == key);
    CHECK(has(seen.text, of_bucket));
    CHECK(has(seen.text, key));
  };
  const std::string none = s3_server::new_bucket();
  check(failure_of([&] { client.get(bucket, "a key"); }), "NoSuchKey", bucket, "a key");
  check(failure_of([&] { client.get(none, "a key"); }), "NoSuchBucket", none, "a key");
  check(failure_of([&] { client.put(none, "a key", "text"); }), "NoSuchBucket", none, "a key");
  check(failure_of([&] { client.keys(none); }), "NoSuchBucket", none, "");
  check(failure_of([&] { client.stream(bucket, "a key"); }), "NoSuchKey", bucket, "a key");
  std::string room(10, '\0');
  check(failure_of([&] { client.get_into(bucket, "a key", room); }), "NoSuchKey", bucket, "a key");
  CHECK(failure_of([&] { client.head(bucket, "a key"); }).code == errc::not_found);
  CHECK(failure_of([&] { client.head_bucket(none); }).code == errc::not_found);
}

TEST_CASE("a wrong clock is set right, or told of", "[.server]") {
  own_bucket bucket;
  for (const std::chrono::hours ahead : {std::chrono::hours(-30), std::chrono::hours(5)}) {
    INFO(ahead.count() << " hours ahead");
    waiting_client client;
    wrong_clock clock(ahead);
    CHECK_NOTHROW(client.put(bucket, "key", "text"));
    CHECK(client.get(bucket, "key") == "text");
    CHECK(client.head(bucket, "key").size == 4);
  }
  fault_proxy proxy(server().endpoint);
  proxy.tell("arm answer status=403 code=RequestTimeTooSkewed times=-1");
  waiting_client client(options_for(proxy.endpoint()));
  const failure skewed = failure_of([&] { client.put(bucket, "key", "text"); });
  INFO(skewed.text);
  CHECK(skewed.code == errc::access_denied);
  CHECK(skewed.name == "RequestTimeTooSkewed");
  CHECK(has(skewed.text, "clock"));
}

TEST_CASE("a region that the server does not know", "[.server][ceph]") {
  s3::client_options options = options_for();
  options.region = "nowhere";
  waiting_client client(options);
  const failure unknown = failure_of([&] { client.create_bucket(s3_server::new_bucket()); });
  INFO(unknown.text);
  CHECK(unknown.from_s3);
  CHECK(unknown.name == "InvalidLocationConstraint");
  CHECK(unknown.status == 400);
}

TEST_CASE("a wrong region is set right where the server names the right one, else told of", "[.server]") {
  own_bucket bucket;
  bucket.direct().put(bucket, "key", "text");
  fault_proxy proxy(server().endpoint);
  s3::client_options options = options_for(proxy.endpoint());
  {
    s3::client_options elsewhere = options;
    elsewhere.region = "eu-west-1";
    waiting_client client(elsewhere);
    proxy.tell("arm answer status=301 code=PermanentRedirect header=x-amz-bucket-region:us-east-1");
    CHECK(client.get(bucket, "key") == "text");
    CHECK(client.head(bucket, "key").size == 4);
  }
  {
    waiting_client client(options);
    const long before = proxy.count("requests");
    proxy.tell("arm answer status=307 code=TemporaryRedirect header=Location:" + server().endpoint + "/" +
               bucket.name() + "/key");
    CHECK(client.get(bucket, "key") == "text");
    CHECK(proxy.count("requests") == before + 1);  // the answer came from the other address
  }
  proxy.tell("arm answer status=400 code=AuthorizationHeaderMalformed times=-1");
  waiting_client client(options);
  const failure wrong = failure_of([&] { client.get(bucket, "key"); });
  INFO(wrong.text);
  CHECK(wrong.from_s3);
  CHECK(wrong.name == "AuthorizationHeaderMalformed");
  CHECK(has(wrong.text, "region"));
}

TEST_CASE("certificates are looked at", "[.server][ceph]") {
  own_bucket bucket;
  bucket.direct().put(bucket, "key", "text");
  const auto refused = [&](const s3::client_options& options, const std::string& word) {
    waiting_client client(options);
    const failure wrong = failure_of([&] { client.get(bucket, "key"); });
    INFO(wrong.text);
    CHECK(wrong.code == errc::access_denied);
    CHECK(has(wrong.text, "certificate"));
    CHECK(has(wrong.text, word));
  };
  refused(options_for(server().wrong_name_endpoint), "127.0.0.2");  // it names other hosts

  s3::client_options stranger = options_for(server().tls_endpoint);
  stranger.tls.ca_file.clear();
  refused(stranger, "authorit");

  const std::string folder = server().certificates;
  fault_proxy good(server().endpoint, {"--certificate", folder + "/server.pem", "--key", folder + "/server.key"});
  waiting_client client(options_for(good.endpoint()));
  CHECK(client.get(bucket, "key") == "text");
  fault_proxy expired(server().endpoint, {"--certificate", folder + "/expired.pem", "--key", folder + "/server.key"});
  refused(options_for(expired.endpoint()), "expired");

  s3::client_options careless = options_for(server().wrong_name_endpoint);
  careless.tls.verify = false;
  careless.tls.ca_file.clear();
  waiting_client blind(careless);
  CHECK(blind.get(bucket, "key") == "text");
}

TEST_CASE("a server that is not there or speaks another protocol", "[.server][ceph]") {
  const auto seen_at = [&](const std::string& endpoint) {
    INFO(endpoint);
    s3::client_options options = options_for(endpoint);
    options.retry.attempts = 2;
    waiting_client client(options);
    watchdog dog(endpoint);
    const failure seen = failure_of([&] { client.get("bucket", "key"); });
    INFO(seen.text);
    CHECK(seen.happened);
    const std::size_t host = endpoint.find("://") + 3;
    CHECK(has(seen.text, endpoint.substr(host, endpoint.rfind(':') - host)));
    return seen.code;
  };
  CHECK(seen_at("http://no-such-host.invalid:80") == errc::unreachable);
  CHECK(seen_at("http://127.0.0.1:1") == errc::unreachable);
  CHECK(seen_at("https://localhost:1") == errc::unreachable);
  const std::string plain = server().endpoint, tls = server().tls_endpoint;
  const errc tls_to_plain = seen_at("https://localhost" + plain.substr(plain.rfind(':')));
  CHECK((tls_to_plain == errc::unreachable || tls_to_plain == errc::protocol));
  const errc plain_to_tls = seen_at("http://localhost" + tls.substr(tls.rfind(':')));
  CHECK((plain_to_tls == errc::unreachable || plain_to_tls == errc::protocol || plain_to_tls == errc::storage));
}

TEST_CASE("names that cannot be do not reach the server", "[.server]") {
  fault_proxy proxy(server().endpoint);
  waiting_client client(options_for(proxy.endpoint()));
  const auto refused = [&](const std::function<void()>& action) {
    const failure seen = failure_of(action);
    INFO(seen.text);
    CHECK(seen.code == errc::misuse);
    CHECK(proxy.count("requests") == 0);
  };
  refused([&] { client.get("", "key"); });
  refused([&] { client.get("bucket", ""); });
  refused([&] { client.put("bucket", "", "text"); });
  refused([&] { client.remove("bucket", ""); });
  refused([&] { client.presign("DELETE", "bucket", ""); });
  refused([&] { client.put("a/b", "key", "text"); });
  refused([&] { client.put("bucket", std::string(1025, 'k'), "text"); });
  s3::put_options options;
  options.headers.metadata = {{"color", "blue\r\nx-amz-acl: public-read"}};
  refused([&] { client.put("bucket", "key", "text", options); });
  options.headers.metadata = {{"two words", "blue"}};
  refused([&] { client.put("bucket", "key", "text", options); });
}
