// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/bytes.hpp>
#include <corolith/core/detail/decl.hpp>
#include <corolith/s3/access_keys.hpp>
#include <corolith/s3/detail/http_message.hpp>
#include <corolith/s3/endpoint.hpp>
#include <corolith/s3/types.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

// AWS Signature Version 4, as the S3 API reference describes it under "Authenticating Requests".

namespace corolith::inline v0::s3 {

/// The hash of an empty payload.
inline constexpr std::string_view empty_payload_hash =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
/// In place of a payload's hash: the body is not part of the signature. TLS protects it.
inline constexpr std::string_view unsigned_payload = "UNSIGNED-PAYLOAD";
/// The body is aws-chunked: each chunk signed; signed with a trailer; not signed, with a trailer.
inline constexpr std::string_view streaming_payload = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
inline constexpr std::string_view streaming_payload_trailer = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";
inline constexpr std::string_view streaming_unsigned_trailer = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";

/// The hash of a payload as signatures have it: SHA-256 in 64 hexadecimal digits.
COROLITH_DECL std::string payload_hash_of(byte_span payload);

/// Signs a request: sets x-amz-date, x-amz-content-sha256, x-amz-security-token and authorization, in place of what was there, and
/// returns the signature. The host header must be set; every header is signed but those that proxies may change, and may be added
/// afterwards: authorization, connection, expect, te, transfer-encoding, upgrade, user-agent. Anonymous credentials: only
/// x-amz-content-sha256 is set and nothing is returned. The key that follows from secret, day and region is kept by the thread.
COROLITH_DECL std::string sign(detail::http_request& request, const credentials& with, std::string_view region,
                               time_point now, std::string_view payload_hash);

/// A URL that lets whoever has it do one thing for `valid` (1 s to 7 days). `query` is part of the URL, `headers` must be sent by whoever
/// uses it. Throws errc::misuse for another duration, or anonymous credentials.
COROLITH_DECL std::string presign(std::string_view method, const endpoint& where, std::string_view bucket,
                                  std::string_view key, const query_list& query, const credentials& with,
                                  time_point now, std::chrono::seconds valid, const detail::header_list& headers = {});

/// How an aws-chunked body is made.
enum class chunk_signing {
  signed_chunks,     ///< streaming_payload
  signed_trailer,    ///< streaming_payload_trailer
  unsigned_trailer,  ///< streaming_unsigned_trailer
};

/// Frames the chunks of an aws-chunked body: head(), the bytes, "\r\n", for each; then last(). Every chunk but the last one with bytes
/// should have 8 KiB or more.
class chunk_signer {
 public:
  /// `seed` is the signature of the request.
  COROLITH_DECL chunk_signer(chunk_signing how, const credentials& with, std::string_view region, time_point now,
                             std::string seed);

  /// What stands before the bytes of a chunk, which must not be empty.
  COROLITH_DECL std::string head(byte_span chunk);
  /// What stands behind the bytes of each.
  static constexpr std::string_view tail = "\r\n";
  /// The end of the body: the empty chunk and, with a trailer, its fields (names in lower case).
  COROLITH_DECL std::string last(const detail::header_list& trailer = {});

  /// How long the whole body will be: for content-length. `trailer` has values of the right length.
  COROLITH_DECL static std::uint64_t encoded_length(chunk_signing how, std::uint64_t payload, std::uint64_t chunk,
                                                    const detail::header_list& trailer = {});

 private:
  std::string next_signature(std::string_view kind, std::string_view rest);

  chunk_signing how_;
  std::array<std::byte, 32> key_{};
  std::string date_;
  std::string scope_;
  std::string previous_;
};

/// Makes a request one with an aws-chunked body, and signs it: content-encoding, x-amz-decoded-content-length, content-length, and
/// x-amz-trailer with the names in `trailer`.
COROLITH_DECL chunk_signer sign_chunked(detail::http_request& request, const credentials& with, std::string_view region,
                                        time_point now, chunk_signing how, std::uint64_t payload, std::uint64_t chunk,
                                        const detail::header_list& trailer = {});

}  // namespace corolith::inline v0::s3

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/s3/impl/sigv4.ipp>
#endif
