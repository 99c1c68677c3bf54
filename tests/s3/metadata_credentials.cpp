// SPDX-License-Identifier: Apache-2.0
// Credentials of machines and containers, from a metadata service that a test plays.
#include "environment.hpp"
#include "fake_s3.hpp"

#include <corolith/core/error.hpp>
#include <corolith/s3/metadata_credentials.hpp>

#include <support/scratch.hpp>

#include <catch2/catch.hpp>

using namespace s3_test;
using corolith::errc;
namespace s3 = corolith::s3;

namespace {

constexpr const char* keys = R"({"Code": "Success", "AccessKeyId": "ASIA", "SecretAccessKey": "s/ecret", "Token": "t",
                                 "Expiration": "2099-01-01T00:00:00Z"})";

s3::metadata_options at(const std::string& url) {
  s3::metadata_options how;
  how.endpoint = url;
  how.attempts = 2;
  return how;
}

errc refused(const std::shared_ptr<s3::credentials_provider>& from) {
  try {
    sync_wait(from->get());
  } catch (const corolith::error& failure) {
    CHECK(std::string(failure.what()).find("s/ecret") == std::string::npos);
    return failure.code();
  }
  return errc{};
}

}  // namespace

TEST_CASE("the role of an instance is found by a session") {
  const environment none;
  fake_s3 server;
  const auto script = server.on([](peer& to, const seen_request& request) {
    const bool known = request.header("x-aws-ec2-metadata-token") == "session";
    if (request.method == "PUT" && request.path == "/latest/api/token")
      to.answer("session");
    else if (known && request.path == "/latest/meta-data/iam/security-credentials/")
      to.answer("my-role\n");
    else if (known && request.path == "/latest/meta-data/iam/security-credentials/my-role")
      to.answer(keys);
    else
      to.answer("", "", "401 Unauthorized");
    return true;
  });
  const auto provider = s3::instance_credentials(at(server.url()));
  const s3::credentials found = sync_wait(provider->get());
  CHECK(found.access_key == "ASIA");
  CHECK(found.secret_key == "s/ecret");
  CHECK(found.session_token == "t");
  CHECK(found.expires.has_value());
  CHECK(server.requests().at(0).header("x-aws-ec2-metadata-token-ttl-seconds") == "21600");
  sync_wait(provider->get());
  CHECK(server.requests().size() == 3);  // it is kept
}

TEST_CASE("no metadata service, and none that is wanted, are errors that say so") {
  environment around;
  std::string nobody;
  {
    fake_s3 server;
    nobody = server.url();
  }
  CHECK(refused(s3::instance_credentials(at(nobody))) == errc::access_denied);
  around.set("AWS_EC2_METADATA_DISABLED", "true");
  CHECK(refused(s3::instance_credentials(at(nobody))) == errc::access_denied);
  CHECK(refused(s3::container_credentials()) == errc::access_denied);
}

TEST_CASE("answers of a metadata service that are none are errors") {
  const environment none;
  fake_s3 server;
  std::string answer;
  const auto script = server.on([&](peer& to, const seen_request& request) {
    to.answer(request.path.ends_with("/role") ? answer : "role");
    return true;
  });
  for (const char* each : {"", "nothing", "[]", R"({"Code": "Failed"})", R"({"AccessKeyId": "a"})"}) {
    answer = each;
    CHECK(refused(s3::instance_credentials(at(server.url()))) == errc::access_denied);
  }
}

TEST_CASE("a container's role comes with its token") {
  environment around;
  const test_support::scratch folder;
  write_file(folder / "token", "from a file\n");
  fake_s3 server;
  const auto script = server.on([](peer& to, const seen_request&) {
    to.answer(keys);
    return true;
  });
  around.set("AWS_CONTAINER_CREDENTIALS_FULL_URI", server.url() + "/role?id=1");
  around.set("AWS_CONTAINER_AUTHORIZATION_TOKEN", "a token");
  CHECK(sync_wait(s3::container_credentials()->get()).access_key == "ASIA");
  around.set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", folder / "token");
  CHECK(sync_wait(s3::container_credentials()->get()).access_key == "ASIA");
  const auto seen = server.requests();
  CHECK(seen.at(0).path == "/role");
  CHECK(seen.at(0).query == "id=1");
  CHECK(seen.at(0).header("authorization") == "a token");
  CHECK(seen.at(1).header("authorization") == "from a file");
  around.set("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://example.org/role");
  CHECK(refused(s3::container_credentials()) == errc::access_denied);
  CHECK(server.requests().size() == 2);
}
