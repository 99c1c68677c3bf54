// SPDX-License-Identifier: Apache-2.0
// URLs of stores.
#include "support.hpp"

#include <corolith/storage/location.hpp>

using namespace storage_test;
using storage::location;

namespace {
std::string complaint(const std::string& url) {
  try {
    location::parse(url);
  } catch (const config_error& failure) {
    return failure.what();
  }
  return {};
}
bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }
}  // namespace

TEST_CASE("a path or a posix URL is a directory", "[storage]") {
  CHECK(location::parse("/data/x").folder == "/data/x");
  CHECK(location::parse("/data//x/../y/").folder == "/data/y");
  CHECK(location::parse("posix:///data/x/").folder == "/data/x");
  CHECK(location::parse("file:///data/a%20b").folder == "/data/a b");
  CHECK(location::parse("a?b=c").folder == (std::filesystem::current_path() / "a?b=c").string());
  CHECK(location::parse("posix:///x?sync=yes").options.at("sync") == "yes");
  CHECK(location::parse("posix:///data/a%20b%3F").to_string() == "posix:///data/a%20b%3F");
  CHECK(store::open("/tmp/../tmp/store").url() == "posix:///tmp/store");
}

TEST_CASE("an s3 URL is a bucket, a prefix and options", "[storage]") {
  const location where = location::parse("s3://bucket/some/prefix/?endpoint=https://host:7480&region=eu-west-1");
  CHECK(where.scheme == location::kind::s3);
  CHECK(where.bucket == "bucket");
  CHECK(where.prefix == "some/prefix/");
  CHECK(where.options.at("endpoint") == "https://host:7480");
  CHECK(where.to_string() == "s3://bucket/some/prefix?endpoint=https://host:7480&region=eu-west-1");
  CHECK(location::parse(where.to_string()).to_string() == where.to_string());
  CHECK(location::parse("s3://bucket").prefix.empty());
  CHECK(location::parse("s3://bucket/").to_string() == "s3://bucket");
}

TEST_CASE("a wrong URL says what is wrong", "[storage]") {
  CHECK(has(complaint(""), "a folder or s3://bucket"));
  CHECK(has(complaint("/"), "root of the file system"));
  CHECK(has(complaint("posix://relative"), "absolute path"));
  CHECK(has(complaint("gopher://x"), "there are posix://"));
  CHECK(has(complaint("s3:///prefix"), "name of a bucket"));
  CHECK(has(complaint("s3://bucket?endpoint"), "name=value"));
  CHECK(has(complaint("s3://bucket?endpoint=%4"), "hexadecimal"));
  CHECK_THROWS_AS(store::open("posix:///x?nonsense=1"), config_error);
  CHECK_THROWS_AS(store::open("posix:///x?sync=maybe"), config_error);
  CHECK_THROWS_AS(store::open("s3://bucket?nonsense=1"), config_error);
  CHECK_THROWS_AS(store::open("s3://bucket?verify=maybe"), config_error);
  CHECK_THROWS_AS(store::open("s3://bucket?part_size=large"), config_error);
  CHECK_THROWS_AS(store::open("s3://bucket?endpoint=gopher://x"), config_error);
}

TEST_CASE("stores of S3 with the same options share a client", "[storage]") {
  const auto client = [](const char* url) { return storage::s3_client_of(location::parse(url)).core(); };
  CHECK(client("s3://one/prefix?endpoint=http://127.0.0.1:1") == client("s3://two?endpoint=http://127.0.0.1:1"));
  CHECK(client("s3://one?endpoint=http://127.0.0.1:1") != client("s3://one?endpoint=http://127.0.0.1:2"));
  const auto options =
      storage::s3_client_of(location::parse("s3://one?part_size=16MiB&connections=7&threads=2")).options();
  CHECK(options.part_size == std::size_t{16} << 20);
  CHECK(options.most_connections == 7);
  CHECK(options.io_threads == 2);
  CHECK_THROWS_AS(client("posix:///folder"), config_error);
}

TEST_CASE("a URL is no place for secrets, and none is repeated", "[storage]") {
  for (const char* name : {"secret_key", "access_key", "session_token", "password"}) {
    const std::string said = complaint("s3://bucket?" + std::string(name) + "=hunter2");
    CHECK(has(said, "AWS_SECRET_ACCESS_KEY"));
    CHECK(!has(said, "hunter2"));
  }
  const std::string said = complaint("s3://key:hunter2@bucket/x");
  CHECK(has(said, "no place for credentials"));
  CHECK(!has(said, "hunter2"));
}
