// SPDX-License-Identifier: Apache-2.0
#include <corolith/s3/checksum.hpp>
#include <corolith/s3/detail/crc.hpp>

#include <catch2/catch.hpp>

#include <cstdint>
#include <string>
#include <vector>

using namespace corolith::s3;
using corolith::byte_span;

namespace {

byte_span bytes_of_string(std::string_view text) { return detail::bytes_of_text(text); }

std::vector<std::byte> some_bytes(std::size_t size) {
  std::vector<std::byte> bytes(size);
  std::uint32_t state = 12345;
  for (std::byte& each : bytes) {
    state = state * 1664525 + 1013904223;
    each = static_cast<std::byte>(state >> 24);
  }
  return bytes;
}

/// The definition: bit by bit.
std::uint32_t plain_crc(std::uint32_t polynomial, byte_span bytes) {
  std::uint32_t crc = 0xffffffff;
  for (const std::byte each : bytes) {
    crc ^= std::to_integer<std::uint32_t>(each);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? polynomial : 0);
  }
  return ~crc;
}

}  // namespace

TEST_CASE("CRCs are those of the published vectors") {
  // "check" of the catalogue of parametrised CRC algorithms
  REQUIRE(crc32c(bytes_of_string("123456789")) == 0xe3069283);
  REQUIRE(crc32(bytes_of_string("123456789")) == 0xcbf43926);
  REQUIRE(crc32c({}) == 0);
  REQUIRE(crc32({}) == 0);
  // RFC 3720, B.4
  std::vector<std::byte> bytes(32, std::byte{0});
  REQUIRE(crc32c(bytes) == 0x8a9136aa);
  bytes.assign(32, std::byte{0xff});
  REQUIRE(crc32c(bytes) == 0x62a8ab43);
  for (std::size_t i = 0; i < 32; ++i) bytes[i] = static_cast<std::byte>(i);
  REQUIRE(crc32c(bytes) == 0x46dd794e);
  for (std::size_t i = 0; i < 32; ++i) bytes[i] = static_cast<std::byte>(31 - i);
  REQUIRE(crc32c(bytes) == 0x113fdb5c);
}

TEST_CASE("every way to make a CRC gives the same, whatever length and alignment") {
  const std::vector<std::byte> bytes = some_bytes(1100);
  for (std::size_t from = 0; from < 17; from += 3)
    for (std::size_t size = 0; size + from <= bytes.size(); size += size < 300 ? 1 : 37) {
      const byte_span part = byte_span(bytes).subspan(from, size);
      const std::uint32_t castagnoli = plain_crc(detail::crc32c_polynomial, part);
      const std::uint32_t zip = plain_crc(detail::crc32_polynomial, part);
      const bool same = crc32c(part) == castagnoli && crc32(part) == zip &&
                        ~detail::crc_by_tables<detail::crc32c_polynomial>(part, 0xffffffff) == castagnoli &&
                        ~detail::crc_by_tables<detail::crc32_polynomial>(part, 0xffffffff) == zip;
      CAPTURE(from, size);
      REQUIRE(same);
    }
}

TEST_CASE("CRCs go on and combine") {
  const std::vector<std::byte> bytes = some_bytes(1000);
  const std::uint32_t whole = crc32c(bytes), whole_zip = crc32(bytes);
  for (const std::size_t cut : {0u, 1u, 63u, 64u, 65u, 500u, 1000u}) {
    const byte_span first = byte_span(bytes).first(cut), second = byte_span(bytes).subspan(cut);
    CAPTURE(cut);
    REQUIRE(crc32c(second, crc32c(first)) == whole);
    REQUIRE(crc32(second, crc32(first)) == whole_zip);
    REQUIRE(combine_crc(checksum_kind::crc32c, crc32c(first), crc32c(second), second.size()) == whole);
    REQUIRE(combine_crc(checksum_kind::crc32, crc32(first), crc32(second), second.size()) == whole_zip);
  }
  // 5 GiB of zeros behind a byte, in halves and at once
  const std::uint32_t one = crc32(bytes_of_string("x"));
  const std::uint64_t size = std::uint64_t{5} << 30;
  std::uint32_t zeros = crc32(std::vector<std::byte>(1 << 20));
  for (std::uint64_t made = 1 << 20; made < size / 5; made *= 2)
    zeros = combine_crc(checksum_kind::crc32, zeros, zeros, made);
  std::uint32_t by_parts = one;
  for (int i = 0; i < 5; ++i) by_parts = combine_crc(checksum_kind::crc32, by_parts, zeros, size / 5);
  std::uint32_t all_zeros = zeros;
  for (int i = 1; i < 5; ++i) all_zeros = combine_crc(checksum_kind::crc32, all_zeros, zeros, size / 5);
  REQUIRE(combine_crc(checksum_kind::crc32, one, all_zeros, size) == by_parts);
}

TEST_CASE("checksums are written as S3 writes them") {
  const byte_span text = bytes_of_string("123456789");
  REQUIRE(checksum::of(checksum_kind::crc32c, text) == "4waSgw==");
  REQUIRE(checksum::of(checksum_kind::crc32, text) == "y/Q5Jg==");
  REQUIRE(checksum::of(checksum_kind::sha256, text) == "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=");
  REQUIRE(checksum::of(checksum_kind::none, text).empty());
  // of an empty object
  REQUIRE(checksum::of(checksum_kind::crc32c, {}) == "AAAAAA==");
  REQUIRE(checksum::of(checksum_kind::sha256, {}) == "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
}

TEST_CASE("a checksum goes on after its digest was taken") {
  const std::vector<std::byte> bytes = some_bytes(10'000);
  for (const checksum_kind kind : {checksum_kind::crc32c, checksum_kind::crc32, checksum_kind::sha256}) {
    checksum running(kind);
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t part = std::min<std::size_t>(bytes.size() - at, 1 + at % 777);
      running.update(byte_span(bytes).subspan(at, part));
      at += part;
      REQUIRE(running.base64() == checksum::of(kind, byte_span(bytes).first(at)));
    }
    checksum moved(std::move(running));
    moved.update(bytes_of_string("more"));
    std::vector<std::byte> longer = bytes;
    for (const char c : std::string("more")) longer.push_back(static_cast<std::byte>(c));
    REQUIRE(moved.base64() == checksum::of(kind, longer));
  }
}

TEST_CASE("checksums have S3's names") {
  REQUIRE(checksum_header(checksum_kind::crc32c) == "x-amz-checksum-crc32c");
  REQUIRE(checksum_header(checksum_kind::crc32) == "x-amz-checksum-crc32");
  REQUIRE(checksum_header(checksum_kind::sha256) == "x-amz-checksum-sha256");
  REQUIRE(checksum_header(checksum_kind::none).empty());
  REQUIRE(checksum_name(checksum_kind::crc32c) == "CRC32C");
  REQUIRE(checksum_name(checksum_kind::crc32) == "CRC32");
  REQUIRE(checksum_name(checksum_kind::sha256) == "SHA256");
  REQUIRE(checksum_name(checksum_kind::none).empty());
}

TEST_CASE("hashes are those of the published vectors") {
  REQUIRE(detail::to_hex(detail::sha256(bytes_of_string("abc"))) ==
          "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  // RFC 4231, cases 2 and 6: a short key, and one longer than a block
  REQUIRE(
      detail::to_hex(detail::hmac_sha256(bytes_of_string("Jefe"), bytes_of_string("what do ya want for nothing?"))) ==
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  const std::string key(131, '\xaa');
  REQUIRE(detail::to_hex(detail::hmac_sha256(
              bytes_of_string(key), bytes_of_string("Test Using Larger Than Block-Size Key - Hash Key First"))) ==
          "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  REQUIRE(detail::content_md5(bytes_of_string("abc")) == "kAFQmDzST7DWlj99KOF/cg==");
  // RFC 4648, 10
  REQUIRE(detail::to_base64(bytes_of_string("")).empty());
  REQUIRE(detail::to_base64(bytes_of_string("f")) == "Zg==");
  REQUIRE(detail::to_base64(bytes_of_string("foobar")) == "Zm9vYmFy");
}
