// SPDX-License-Identifier: Apache-2.0
// Signatures and checksums of what is put, and checksums of what is got.
#include "client_support.hpp"

#include <corolith/s3/checksum.hpp>
#include <corolith/s3/sigv4.hpp>

#include <filesystem>

using namespace s3_test;

namespace {

struct chunked_body {
  std::string content;
  std::string trailer;
  std::size_t chunks = 0;
};

/// What stands in an aws-chunked body.
chunked_body decode(const std::string& body) {
  chunked_body made;
  for (std::size_t at = 0;;) {
    const std::size_t end = body.find("\r\n", at);
    const std::size_t size = std::stoul(body.substr(at, end - at), nullptr, 16);
    CHECK(body.substr(at, end - at).find(";chunk-signature=") != std::string::npos);
    at = end + 2;
    if (size == 0) {
      made.trailer = body.substr(at);
      return made;
    }
    made.content += body.substr(at, size);
    at += size + 2;
    ++made.chunks;
  }
}

std::string payload_signature(s3::payload_signing how) {
  fake_s3 server;
  s3::client_options options = options_for(server);
  options.signing = how;
  const s3::client client(options);
  sync_wait(client.put("b", "k", "hello"));
  return server.requests().at(0).header("x-amz-content-sha256");
}

}  // namespace

TEST_CASE("the payload is signed as the settings say") {
  const std::string hash = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
  CHECK(payload_signature(s3::payload_signing::automatic) == hash);
  CHECK(payload_signature(s3::payload_signing::always) == hash);
  CHECK(payload_signature(s3::payload_signing::never) == s3::unsigned_payload);
  CHECK(payload_signature(s3::payload_signing::chunked) == s3::streaming_payload);
}

TEST_CASE("chunks are signed while they are sent") {
  fake_s3 server;
  chunked_body seen;
  seen_request head;
  const auto script = server.on([&](peer& to, const seen_request& request) {
    seen = decode(request.body);
    head = request;
    to.answer("", "etag: \"e\"\r\n");
    return true;
  });
  s3::client_options options = options_for(server);
  options.signing = s3::payload_signing::chunked;
  const s3::client client(options);
  const std::string content = noise(2 * mib + 500, 1);
  s3::put_options how;
  sync_wait(client.put("b", "k", content, how));
  CHECK(seen.content == content);
  CHECK(seen.chunks == 3);
  CHECK(seen.trailer == "\r\n");
  CHECK(head.header("x-amz-decoded-content-length") == std::to_string(content.size()));
  CHECK(head.header("content-encoding").find("aws-chunked") != std::string::npos);

  how.checksum = s3::checksum_kind::crc32c;
  sync_wait(client.put("b", "k", content, how));
  CHECK(seen.content == content);
  CHECK(head.header("x-amz-trailer") == "x-amz-checksum-crc32c");
  const std::string sum = s3::checksum::of(s3::checksum_kind::crc32c, std::as_bytes(std::span(content)));
  CHECK(seen.trailer.starts_with("x-amz-checksum-crc32c:" + sum + "\r\n"));
}

TEST_CASE("checksums go with what is put") {
  fake_s3 server;
  const s3::client client(options_for(server));
  s3::put_options how;
  how.checksum = s3::checksum_kind::crc32;
  sync_wait(client.put("b", "k", "hello", how));
  CHECK(server.requests().at(0).header("x-amz-checksum-crc32") == "NhCmhg==");
  const std::string content = noise(11 * mib, 2);
  std::string completed;
  const auto script = server.on([&](peer&, const seen_request& request) {
    if (request.kind() == "POST ?uploadId") completed = request.body;
    return false;
  });
  how.checksum = s3::checksum_kind::sha256;
  sync_wait(client.put("b", "large", content, how));
  CHECK(server.count("PUT ?partNumber") == 3);
  for (const seen_request& each : server.requests()) {
    if (each.kind() == "POST ?uploads") CHECK(each.header("x-amz-checksum-algorithm") == "SHA256");
    if (each.kind() == "PUT ?partNumber") CHECK(!each.header("x-amz-checksum-sha256").empty());
  }
  const auto first = std::as_bytes(std::span(content)).first(5 * mib);
  CHECK(completed.find("<ChecksumSHA256>" + s3::checksum::of(s3::checksum_kind::sha256, first)) != std::string::npos);
}

TEST_CASE("what was got is compared with the server's checksum when that is asked for") {
  fake_s3 server;
  const std::string content = noise(200'000, 3);
  server.set("/b/k", content);
  std::string sum = s3::checksum::of(s3::checksum_kind::crc32c, std::as_bytes(std::span(content)));
  const auto script = server.on([&](peer& to, const seen_request& request) {
    if (request.method != "HEAD") return false;
    CHECK(request.header("x-amz-checksum-mode") == "ENABLED");
    to.write("HTTP/1.1 200 OK\r\ncontent-length: 200000\r\netag: \"" + fake_s3::etag_of(content) +
             "\"\r\nx-amz-checksum-crc32c: " + sum + "\r\n\r\n");
    return true;
  });
  const s3::client client(options_for(server));
  const scratch folder;
  s3::get_options how;
  how.verify_checksum = true;
  std::vector<std::byte> place(200'000);
  CHECK(sync_wait(client.get_text("b", "k", how)) == content);
  CHECK(sync_wait(client.get_into("b", "k", place, how)) == content.size());
  CHECK(sync_wait(client.get_to_file("b", "k", folder / "k", how)).size == content.size());
  CHECK(sync_wait(gather(client.stream("b", "k", how))) == content);

  sum = "AAAAAA==";
  CHECK(code_of([&] { sync_wait(client.get_text("b", "k", how)); }) == errc::corrupted);
  CHECK(code_of([&] { sync_wait(client.get_into("b", "k", place, how)); }) == errc::corrupted);
  CHECK(code_of([&] { sync_wait(client.get_to_file("b", "k", folder / "new", how)); }) == errc::corrupted);
  CHECK(!std::filesystem::exists(folder / "new"));
  CHECK(code_of([&] { sync_wait(gather(client.stream("b", "k", how))); }) == errc::corrupted);

  sum = "AAAAAA==-2";  // of the checksums of two parts
  CHECK(sync_wait(client.get_text("b", "k", how)) == content);
}
