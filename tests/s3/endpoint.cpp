// SPDX-License-Identifier: Apache-2.0
#include <corolith/core/error.hpp>
#include <corolith/s3/endpoint.hpp>
#include <corolith/s3/error.hpp>

#include <catch2/catch.hpp>

#include <string>

using namespace corolith::s3;
using Catch::Matchers::Contains;
using corolith::config_error;
using corolith::errc;

TEST_CASE("an endpoint is read from a URL") {
  endpoint where = endpoint::parse("https://s3.example.org:9000/gate/way/");
  REQUIRE(where.tls);
  REQUIRE(where.host == "s3.example.org");
  REQUIRE(where.port == 9000);
  REQUIRE(where.base_path == "/gate/way");
  REQUIRE(where.region == "us-east-1");
  REQUIRE(where.to_string() == "https://s3.example.org:9000/gate/way");

  where = endpoint::parse("HTTP://Example.ORG", "eu-west-1");
  REQUIRE_FALSE(where.tls);
  REQUIRE(where.port == 80);
  REQUIRE(where.region == "eu-west-1");
  REQUIRE(where.to_string() == "http://example.org");

  where = endpoint::parse("node7");
  REQUIRE(where.tls);
  REQUIRE(where.to_string() == "https://node7");

  where = endpoint::parse("http://[FE80::1]:80");
  REQUIRE(where.host == "fe80::1");
  REQUIRE(where.to_string() == "http://[fe80::1]");
}

TEST_CASE("what is no endpoint is refused, and says why") {
  const auto says = [](const char* url, const char* why) {
    CAPTURE(url);
    REQUIRE_THROWS_AS(endpoint::parse(url), config_error);
    REQUIRE_THROWS_WITH(endpoint::parse(url), Contains(why));
  };
  says("", "name of a host");
  says("https://", "name of a host");
  says("ftp://host", "https:// and http://");
  says("https://host:0", "port from 1");
  says("https://host:65536", "port from 1");
  says("https://host:", "port from 1");
  says("https://host:9x", "port from 1");
  says("https://[::1", "]");
  says("https://[::1]x", "port from 1");
  says("https://[host]", "IPv6");
  says("https://ho st", "name of a host");
  says("https://host?x=y", "query");
  says("https://host/a b", "%XX");
  says("https://host\r\nx", "name of a host");
  REQUIRE_THROWS_WITH(endpoint::parse("https://host", "Not A Region"), Contains("cannot be a region"));
  REQUIRE_THROWS_WITH(endpoint::parse("https://user:hunter2@host"),
                      Contains("no place for credentials") && !Contains("hunter2"));
}

TEST_CASE("the region of an AWS host is in its name") {
  const auto region = [](const char* url) { return endpoint::parse(url).region; };
  REQUIRE(region("https://s3.eu-central-1.amazonaws.com") == "eu-central-1");
  REQUIRE(region("https://s3.dualstack.eu-west-3.amazonaws.com") == "eu-west-3");
  REQUIRE(region("https://s3-us-west-2.amazonaws.com") == "us-west-2");
  REQUIRE(region("https://s3-fips.us-gov-west-1.amazonaws.com") == "us-gov-west-1");
  REQUIRE(region("https://bucket.vpce-1a2b3c4d.s3.us-east-2.vpce.amazonaws.com") == "us-east-2");
  REQUIRE(region("https://s3.amazonaws.com") == "us-east-1");
  REQUIRE(region("https://s3.eu-central-1.example.org") == "us-east-1");
  REQUIRE(endpoint::aws("eu-west-1").to_string() == "https://s3.eu-west-1.amazonaws.com");
  REQUIRE(endpoint::aws("cn-north-1").to_string() == "https://s3.cn-north-1.amazonaws.com.cn");
  REQUIRE_THROWS_AS(endpoint::aws(""), config_error);
  REQUIRE_THROWS_AS(endpoint::aws("evil.example.org/"), config_error);
}

TEST_CASE("the same server in another region") {
  REQUIRE(endpoint::parse("https://s3.amazonaws.com").in_region("eu-west-1") == endpoint::aws("eu-west-1"));
  REQUIRE(endpoint::aws("us-west-2").in_region("eu-west-1") == endpoint::aws("eu-west-1"));
  REQUIRE(endpoint::parse("https://s3.dualstack.us-west-2.amazonaws.com").in_region("eu-west-3").host ==
          "s3.dualstack.eu-west-3.amazonaws.com");
  const endpoint own = endpoint::parse("http://host:1").in_region("here");
  REQUIRE(own.to_string() == "http://host:1");
  REQUIRE(own.region == "here");
}

TEST_CASE("the bucket is in the host's name at AWS, and in the path elsewhere") {
  const endpoint aws = endpoint::aws("eu-west-1");
  request_place place = locate(aws, "bucket", "a/b", {});
  REQUIRE(place.host == "bucket.s3.eu-west-1.amazonaws.com");
  REQUIRE(place.host_header == place.host);
  REQUIRE(place.target == "/a/b");
  for (const char* name : {"with.dots", "With_Capitals", "ab", "-bucket", "bucket-", "1.2.3.4"}) {
    CAPTURE(name);
    place = locate(aws, name, "key", {});
    REQUIRE(place.host == "s3.eu-west-1.amazonaws.com");
    REQUIRE(place.target == std::string("/") + name + "/key");
  }
  place = locate(endpoint::parse("http://s3.eu-west-1.amazonaws.com"), "with.dots", "key",
                 {});  // no certificate is in the way
  REQUIRE(place.host == "with.dots.s3.eu-west-1.amazonaws.com");

  const endpoint own = endpoint::parse("http://localhost:7480/base");
  place = locate(own, "bucket", "", {{"list-type", "2"}, {"prefix", "a b/&"}});
  REQUIRE(place.host == "localhost");
  REQUIRE(place.host_header == "localhost:7480");
  REQUIRE(place.target == "/base/bucket?list-type=2&prefix=a%20b%2F%26");
  REQUIRE(locate(own, "", "", {}).target == "/base/");
}

TEST_CASE("the way of writing the bucket can be chosen") {
  const endpoint as_host = endpoint::parse("http://localhost:7480", "", addressing::virtual_host);
  request_place place = locate(as_host, "bucket", "key", {});
  REQUIRE(place.host == "bucket.localhost");
  REQUIRE(place.host_header == "bucket.localhost:7480");
  REQUIRE(place.target == "/key");
  REQUIRE(locate(as_host, "", "", {}).host == "localhost");
  REQUIRE(locate(as_host, "No_Host", "key", {}).target == "/No_Host/key");
  endpoint aws = endpoint::aws("eu-west-1");
  aws.style = addressing::path;
  REQUIRE(locate(aws, "bucket", "key", {}).target == "/bucket/key");
  const endpoint address = endpoint::parse("http://[::1]:9000", "", addressing::virtual_host);
  place = locate(address, "bucket", "key", {});
  REQUIRE(place.host == "::1");
  REQUIRE(place.host_header == "[::1]:9000");
  REQUIRE(place.target == "/bucket/key");
  REQUIRE(endpoint::parse("http://10.0.0.1", "", addressing::virtual_host).uses_path("bucket"));
}

TEST_CASE("names that cannot be are refused before anything is sent") {
  const endpoint own = endpoint::parse("http://localhost:7480");
  const auto refused = [&](const std::string& bucket, const std::string& key) {
    try {
      locate(own, bucket, key, {});
    } catch (const s3_error& refusal) {
      return refusal.code() == errc::misuse && refusal.bucket() == bucket && refusal.key() == key;
    }
    return false;
  };
  REQUIRE(refused("", "key"));
  REQUIRE(refused("a/b", "key"));
  REQUIRE(refused("..", "key"));
  REQUIRE(refused("a\r\nhost: b", "key"));
  REQUIRE(refused(std::string(256, 'a'), "key"));
  REQUIRE(refused("bucket", std::string(1025, 'k')));
  REQUIRE_NOTHROW(locate(own, "bucket", std::string(1024, 'k'), {}));
}

TEST_CASE("every byte of a key arrives") {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  const std::string encoded = uri_encode(all, true);
  REQUIRE(uri_decode(encoded) == all);
  REQUIRE_THAT(encoded, Contains("%00") && Contains("%20") && Contains("%2B") && Contains("%7F") && Contains("%FF"));
  REQUIRE(encoded.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%/") ==
          std::string::npos);
  REQUIRE(uri_encode("a/b c~", true) == "a/b%20c~");
  REQUIRE(uri_encode("a/b", false) == "a%2Fb");
  REQUIRE(uri_decode("a+b%2b%2B") == "a+b++");
  REQUIRE(uri_decode("a+b%2B", true) == "a b+");
  REQUIRE(uri_decode("100%, %4, %zz, %") == "100%, %4, %zz, %");
  REQUIRE(locate(endpoint::parse("http://h"), "bucket", "/a//../b?x#y", {}).target == "/bucket//a//../b%3Fx%23y");
}
