// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>
#include <corolith/s3/detail/dates.hpp>
#include <corolith/s3/detail/signing.hpp>
#include <corolith/s3/sigv4.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace corolith::inline v0::s3 {
namespace detail {

inline signing_scope scope_of(std::string_view region, time_point now) {
  signing_scope scope;
  scope.date = format_amz_date(now);
  scope.region = region.empty() ? "us-east-1" : std::string(region);
  return scope;
}

/// "a,b": the names of a trailer's fields.
inline std::string names_of(const header_list& fields) {
  std::string names;
  for (const header_field& field : fields) names += (names.empty() ? "" : ",") + field.name;
  return names;
}

}  // namespace detail

COROLITH_DECL std::string payload_hash_of(byte_span payload) { return detail::to_hex(detail::sha256(payload)); }

COROLITH_DECL std::string sign(detail::http_request& request, const credentials& with, std::string_view region,
                               time_point now, std::string_view payload_hash) {
  for (const char* name : {"authorization", "x-amz-date", "x-amz-security-token"}) request.headers.remove(name);
  request.headers.set("x-amz-content-sha256", std::string(payload_hash));
  if (with.anonymous()) return {};
  if (!request.headers.contains("host")) throw error(errc::misuse, "a request to be signed must have its host header");
  const detail::signing_scope scope = detail::scope_of(region, now);
  request.headers.add("x-amz-date", scope.date);
  if (!with.session_token.empty()) request.headers.add("x-amz-security-token", with.session_token);
  const detail::canonical_request form = detail::canonical(request, payload_hash);
  const detail::digest256 key = detail::signing_key(with.secret_key, scope);
  std::string signature = detail::signature(key, detail::string_to_sign(scope, form.text));
  request.headers.add("authorization", fmt::format("AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={}, Signature={}",
                                                   with.access_key, scope.text(), form.signed_headers, signature));
  return signature;
}

COROLITH_DECL std::string presign(std::string_view method, const endpoint& where, std::string_view bucket,
                                  std::string_view key, const query_list& query, const credentials& with,
                                  time_point now, std::chrono::seconds valid, const detail::header_list& headers) {
  if (valid < std::chrono::seconds(1) || valid > std::chrono::days(7))
    throw error(errc::misuse, "a presigned URL is valid for one second to seven days");
  if (with.anonymous()) throw error(errc::misuse, "a URL can be presigned with credentials only");
  const detail::signing_scope scope = detail::scope_of(where.region, now);
  detail::http_request request;
  request.method = std::string(method);
  request.headers = headers;
  request.headers.set("host", locate(where, bucket, key, {}).host_header);
  query_list whole = query;
  whole.emplace_back("X-Amz-Algorithm", "AWS4-HMAC-SHA256");
  whole.emplace_back("X-Amz-Credential", with.access_key + "/" + scope.text());
  whole.emplace_back("X-Amz-Date", scope.date);
  whole.emplace_back("X-Amz-Expires", std::to_string(valid.count()));
  if (!with.session_token.empty()) whole.emplace_back("X-Amz-Security-Token", with.session_token);
  whole.emplace_back("X-Amz-SignedHeaders", detail::canonical(request, {}).signed_headers);
  request.target = locate(where, bucket, key, whole).target;
  const std::string text = detail::canonical(request, unsigned_payload).text;
  const std::string signature =
      detail::signature(detail::signing_key(with.secret_key, scope), detail::string_to_sign(scope, text));
  return fmt::format("{}://{}{}&X-Amz-Signature={}", where.tls ? "https" : "http", request.headers.value("host"),
                     request.target, signature);
}

COROLITH_DECL chunk_signer::chunk_signer(chunk_signing how, const credentials& with, std::string_view region,
                                         time_point now, std::string seed)
    : how_(how), previous_(std::move(seed)) {
  if (how == chunk_signing::unsigned_trailer) return;
  if (with.anonymous()) throw error(errc::misuse, "chunks can be signed with credentials only");
  const detail::signing_scope scope = detail::scope_of(region, now);
  date_ = scope.date;
  scope_ = scope.text();
  key_ = detail::signing_key(with.secret_key, scope);
}

inline std::string chunk_signer::next_signature(std::string_view kind, std::string_view rest) {
  previous_ = detail::signature(key_, fmt::format("{}\n{}\n{}\n{}\n{}", kind, date_, scope_, previous_, rest));
  return previous_;
}

COROLITH_DECL std::string chunk_signer::head(byte_span chunk) {
  std::string text = fmt::format("{:x}", chunk.size());
  if (how_ != chunk_signing::unsigned_trailer)
    text += ";chunk-signature=" +
            next_signature("AWS4-HMAC-SHA256-PAYLOAD", std::string(empty_payload_hash) + "\n" + payload_hash_of(chunk));
  return text + "\r\n";
}

COROLITH_DECL std::string chunk_signer::last(const detail::header_list& trailer) {
  std::string text = head({}), canonical;
  for (const detail::header_field& field : trailer) {
    text += field.name + ":" + field.value + "\r\n";
    canonical += field.name + ":" + field.value + "\n";
  }
  if (how_ == chunk_signing::signed_trailer)
    text += "x-amz-trailer-signature:" +
            next_signature("AWS4-HMAC-SHA256-TRAILER", payload_hash_of(detail::bytes_of_text(canonical))) + "\r\n";
  return text + "\r\n";
}

COROLITH_DECL std::uint64_t chunk_signer::encoded_length(chunk_signing how, std::uint64_t payload, std::uint64_t chunk,
                                                         const detail::header_list& trailer) {
  constexpr std::uint64_t signature_size = std::string_view(";chunk-signature=").size() + 64;
  const auto framed = [&](std::uint64_t size) {
    return fmt::formatted_size("{:x}", size) + (how == chunk_signing::unsigned_trailer ? 0 : signature_size) + 2 +
           size + 2;
  };
  std::uint64_t length = framed(0);
  if (chunk != 0) length += payload / chunk * framed(chunk);
  if (chunk != 0 && payload % chunk != 0) length += framed(payload % chunk);
  for (const detail::header_field& field : trailer) length += field.name.size() + 1 + field.value.size() + 2;
  if (how == chunk_signing::signed_trailer) length += std::string_view("x-amz-trailer-signature:").size() + 64 + 2;
  return length;
}

COROLITH_DECL chunk_signer sign_chunked(detail::http_request& request, const credentials& with, std::string_view region,
                                        time_point now, chunk_signing how, std::uint64_t payload, std::uint64_t chunk,
                                        const detail::header_list& trailer) {
  if (payload != 0 && chunk == 0) throw error(errc::misuse, "chunks of no bytes cannot carry a payload");
  const std::string encoding = request.headers.value("content-encoding");
  request.headers.set("content-encoding", encoding.empty() ? "aws-chunked" : "aws-chunked," + encoding);
  request.headers.set("x-amz-decoded-content-length", std::to_string(payload));
  request.headers.set("content-length", std::to_string(chunk_signer::encoded_length(how, payload, chunk, trailer)));
  if (!trailer.empty()) request.headers.set("x-amz-trailer", detail::names_of(trailer));
  std::string_view hash = streaming_payload;
  if (how == chunk_signing::signed_trailer) hash = streaming_payload_trailer;
  if (how == chunk_signing::unsigned_trailer) hash = streaming_unsigned_trailer;
  std::string seed = sign(request, with, region, now, hash);
  return chunk_signer(how, with, region, now, std::move(seed));
}

}  // namespace corolith::inline v0::s3
