// SPDX-License-Identifier: Apache-2.0
#include <corolith/s3/error.hpp>

#include <catch2/catch.hpp>

#include <string>

using namespace corolith::s3;
using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;
using Catch::Matchers::StartsWith;
using corolith::errc;
using corolith::error;

namespace {

failure_details answered(int status, const std::string& name) {
  failure_details details;
  details.operation = "get";
  details.bucket = "bucket";
  details.key = "a/key";
  details.status = status;
  details.name = name;
  return details;
}

}  // namespace

TEST_CASE("an error carries what the server said") {
  failure_details details = answered(404, "NoSuchKey");
  details.message = "The specified key does not exist.";
  details.request_id = "tx01";
  details.host_id = "host";
  const s3_error failed(details);
  REQUIRE(failed.code() == errc::not_found);
  REQUIRE(failed.status() == 404);
  REQUIRE(failed.name() == "NoSuchKey");
  REQUIRE(failed.message() == "The specified key does not exist.");
  REQUIRE(failed.request_id() == "tx01");
  REQUIRE(failed.host_id() == "host");
  REQUIRE(failed.operation() == "get");
  REQUIRE(failed.bucket() == "bucket");
  REQUIRE(failed.key() == "a/key");
  REQUIRE_FALSE(failed.not_modified());
  REQUIRE(std::string(failed.what()) ==
          "get s3://bucket/a/key: NoSuchKey (404): The specified key does not exist. (request tx01)");
}

TEST_CASE("what the server calls a failure decides its code, then its status") {
  const auto code = [](int status, const char* name) { return s3_error(answered(status, name)).code(); };
  REQUIRE(code(404, "NoSuchBucket") == errc::not_found);
  REQUIRE(code(404, "NoSuchUpload") == errc::not_found);
  REQUIRE(code(404, "") == errc::not_found);
  REQUIRE(code(409, "BucketAlreadyOwnedByYou") == errc::already_exists);
  REQUIRE(code(409, "BucketNotEmpty") == errc::storage);
  REQUIRE(code(403, "AccessDenied") == errc::access_denied);
  REQUIRE(code(400, "ExpiredToken") == errc::access_denied);
  REQUIRE(code(400, "AuthorizationHeaderMalformed") == errc::access_denied);
  REQUIRE(code(401, "") == errc::access_denied);
  REQUIRE(code(412, "PreconditionFailed") == errc::precondition_failed);
  REQUIRE(code(409, "ConditionalRequestConflict") == errc::precondition_failed);
  REQUIRE(code(412, "") == errc::precondition_failed);
  REQUIRE(code(304, "") == errc::precondition_failed);
  REQUIRE(s3_error(answered(304, "")).not_modified());
  REQUIRE(code(400, "BadDigest") == errc::corrupted);
  REQUIRE(code(400, "KeyTooLongError") == errc::misuse);
  REQUIRE(code(416, "InvalidRange") == errc::storage);
  REQUIRE(code(503, "SlowDown") == errc::storage);
  REQUIRE(code(0, "") == errc::unreachable);
}

TEST_CASE("an error says what can be done about it") {
  const auto says = [](failure_details details) { return std::string(s3_error(std::move(details)).what()); };
  REQUIRE_THAT(says(answered(403, "RequestTimeTooSkewed")), Contains("clock"));
  REQUIRE_THAT(says(answered(403, "SignatureDoesNotMatch")), Contains("secret key"));
  REQUIRE_THAT(says(answered(403, "InvalidAccessKeyId")), Contains("endpoint"));
  REQUIRE_THAT(says(answered(403, "")), Contains("rights") && Contains("clock"));
  REQUIRE_THAT(says(answered(409, "BucketNotEmpty")), Contains("first"));
  REQUIRE_THAT(says(answered(301, "PermanentRedirect")), Contains("AWS_REGION"));
  failure_details elsewhere = answered(400, "AuthorizationHeaderMalformed");
  elsewhere.region = "eu-west-1";
  REQUIRE_THAT(says(elsewhere), EndsWith("set it to eu-west-1"));
  REQUIRE_THAT(says(answered(500, "InternalError")), EndsWith("InternalError (500)"));
}

TEST_CASE("an error is one line of bounded length, whatever a server says") {
  failure_details details = answered(500, "Bad\r\nName\x1b[2J");
  details.message = std::string(100'000, 'm') + "\n";
  details.key = std::string(1024, 'k');
  details.request_id = std::string(1000, 'r');
  const std::string text = s3_error(details).what();
  REQUIRE(text.size() < 1200);
  for (const char c : text) REQUIRE(static_cast<unsigned char>(c) >= 0x20);
  REQUIRE_THAT(text, StartsWith("get s3://bucket/kkk"));
  REQUIRE(s3_error(details).message() == details.message);
}

TEST_CASE("an error without an answer says so") {
  REQUIRE(std::string(s3_error(answered(0, "")).what()) == "get s3://bucket/a/key: no answer");
  failure_details details;
  details.operation = "list buckets";
  details.status = 502;
  REQUIRE(std::string(s3_error(details).what()) == "list buckets: status 502");
}
