// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/coro/when_any.hpp>
#include <corolith/s3/checksum.hpp>
#include <corolith/s3/detail/digest.hpp>
#include <corolith/s3/detail/object_headers.hpp>
#include <corolith/s3/detail/perform.hpp>
#include <corolith/s3/detail/xml.hpp>
#include <corolith/s3/sigv4.hpp>

#include <algorithm>
#include <span>
#include <string_view>
#include <variant>

namespace corolith::inline v0::s3::detail {

inline constexpr std::size_t most_error_text = std::size_t{1} << 20;
inline constexpr std::size_t most_answer_text = std::size_t{32} << 20;
inline constexpr std::uint64_t worth_asking_first = std::uint64_t{128}
                                                    << 10;  // bytes of a body, for Expect: 100-continue
inline constexpr std::chrono::seconds wait_for_go_ahead{1};
inline constexpr std::size_t signed_chunk = std::size_t{1} << 20;

/// What came of one try.
struct trial {
  std::optional<answer> got;
  failure why;
};

COROLITH_DECL void describe(failure& why, const request& what) {
  why.details.operation = what.operation;
  why.details.bucket = what.bucket;
  why.details.key = what.key;
}

COROLITH_DECL failure failure_of(const transport_error& cause, const request& what) {
  failure why;
  why.what = cause.nothing_received() ? failure::kind::stale : failure::kind::lost;
  why.code = cause.code();
  why.may_be_done = true;  // also on a connection that was closed: when, nobody knows
  why.details.message = cause.what();
  describe(why, what);
  return why;
}

inline failure refusal_of(const http_response& head, const std::string& body, const request& what, time_point now) {
  failure why;
  why.what = failure::kind::refusal;
  why.may_be_done = head.status >= 500 || head.status < 300;
  failure_details& details = why.details;
  describe(why, what);
  details.status = head.status;
  if (const auto document = body.empty() ? std::nullopt : parse_error(body)) {
    details.name = document->name;
    details.message = document->message;
    details.request_id = document->request_id;
    details.host_id = document->host_id;
    details.region = document->region;
    why.place = document->endpoint;
  }
  const auto fill = [&](std::string& where, std::string_view header) {
    if (where.empty()) where = head.headers.value(header);
  };
  if (details.message.empty()) details.message = head.reason;
  fill(details.request_id, "x-amz-request-id");
  fill(details.host_id, "x-amz-id-2");
  fill(details.region, "x-amz-bucket-region");
  fill(why.place, "location");
  fill(why.server_date, "date");
  if (const std::string* later = head.headers.find("retry-after")) why.retry_after = parse_retry_after(*later, now);
  return why;
}

/// An answer that cannot be what the server meant to say: another one may be better.
inline failure spoilt(const request& what, std::string why_so) {
  failure why;
  why.what = failure::kind::lost;
  why.code = errc::protocol;
  why.may_be_done = true;
  why.details.operation = what.operation;
  why.details.bucket = what.bucket;
  why.details.key = what.key;
  why.details.message = std::move(why_so);
  return why;
}

/// Whether an answer is as long as the range that it names.
inline bool fits_its_range(const http_response& head) {
  if (head.status != 206 || !head.content_length) return true;
  const auto given = parse_content_range(head.headers.value("content-range"));
  return !given || given->last - given->first + 1 == *head.content_length;
}

/// Whether an answer says how long the object is, where it must.
inline bool says_the_size(const http_response& head, const request& what) {
  const bool asked = !what.key.empty() && (what.method == "HEAD" || what.headers.contains("range"));
  return !asked || head.status != 200 || head.content_length;
}

/// Receives the head of the answer, and all of it when it is a refusal.
inline task<trial> receive_answer(exchange from, const request* what) {
  trial result;
  try {
    http_response head = co_await from.receive_head();
    if (!fits_its_range(head)) {
      result.why = spoilt(*what, "the answer is not as long as the range that it names");
      co_return result;
    }
    if (!says_the_size(head, *what)) {
      result.why = spoilt(*what, "the answer does not say how long the object is");
      co_return result;
    }
    if (head.status >= 200 && head.status < 300) {
      result.got.emplace(answer{std::move(from), std::move(head)});
      co_return result;
    }
    std::string text;
    try {
      text = co_await from.receive_text(most_error_text);
    } catch (const transport_error&) {  // the status says enough
    }
    result.why = refusal_of(head, text, *what, std::chrono::system_clock::now());
  } catch (const transport_error& cause) {
    result.why = failure_of(cause, *what);
  }
  co_return result;
}

/// S3 may find out in the middle of an answer that it cannot do what it was asked.
inline bool looks_like_error(std::string_view body) {
  constexpr std::size_t prologue = 512;
  return body.substr(0, prologue).find("<Error") != std::string_view::npos && parse_error(body).has_value();
}

inline bool signs_payload(const client_options& options, bool tls) {
  return options.signing == payload_signing::automatic ? !tls : options.signing != payload_signing::never;
}

/// What does not change from try to try: the hash and the checksum of the body.
inline void prepare(request& what, const client_core& core) {
  if (!what.payload_hash.empty()) return;
  const bool chunked = core.options().signing == payload_signing::chunked;
  if (what.checksum != checksum_kind::none && !(chunked && what.is_object_data)) {
    checksum sum(what.checksum);
    for (const byte_span piece : what.body) sum.update(piece);
    what.headers.set(checksum_header(what.checksum), sum.base64());
  }
  if (what.body.empty()) {
    what.payload_hash = empty_payload_hash;
  } else if (what.is_object_data && (chunked || !signs_payload(core.options(), core.home().tls))) {
    what.payload_hash = unsigned_payload;
  } else {
    checksum sum(checksum_kind::sha256);
    for (const byte_span piece : what.body) sum.update(piece);
    what.payload_hash = to_hex(sum.digest());
  }
}

inline task<void> send_body(exchange* to, const request* what, std::size_t from_piece) {
  for (std::size_t i = from_piece; i < what->body.size(); ++i) co_await to->send_more(what->body[i]);
}

/// The body in chunks with a signature each, and its checksum at the end.
inline task<void> send_chunks(exchange* to, const request* what, chunk_signer signer) {
  checksum sum(what->checksum);
  std::string between;
  for (byte_span piece : what->body) {
    while (!piece.empty()) {
      const byte_span chunk = piece.first(std::min(piece.size(), signed_chunk));
      piece = piece.subspan(chunk.size());
      sum.update(chunk);
      between += signer.head(chunk);
      co_await to->send_more(std::as_bytes(std::span(between)));
      co_await to->send_more(chunk);
      between = chunk_signer::tail;
    }
  }
  header_list trailer;
  if (what->checksum != checksum_kind::none) trailer.set(checksum_header(what->checksum), sum.base64());
  between += signer.last(trailer);
  co_await to->send_more(std::as_bytes(std::span(between)));
}

/// Whether chunks of the body are signed, and how long they are together does not depend on how the pieces are cut.
inline std::optional<chunk_signer> sign_request(http_request& head, const request& what, const client_core& core,
                                                const endpoint& where, const credentials& keys) {
  const time_point now = core.now();
  if (core.options().signing == payload_signing::chunked && what.is_object_data && !what.body.empty() &&
      !keys.anonymous()) {
    header_list trailer;
    if (what.checksum != checksum_kind::none)
      trailer.set(checksum_header(what.checksum), checksum::of(what.checksum, {}));
    const chunk_signing how =
        what.checksum == checksum_kind::none ? chunk_signing::signed_chunks : chunk_signing::signed_trailer;
    return sign_chunked(head, keys, where.region, now, how, what.body_size(), signed_chunk, trailer);
  }
  if (what.method != "GET" && what.method != "HEAD" && what.method != "DELETE")
    head.headers.set("content-length", std::to_string(what.body_size()));
  sign(head, keys, where.region, now, what.payload_hash);
  return std::nullopt;
}

/// Sends all of a request on a connection that is open.
inline task<void> send_request(lane* at, exchange* to, const request* what, const endpoint* where, request_place place,
                               bool ask_first) {
  const credentials* keys = at->keys_at_hand();
  if (keys == nullptr) keys = co_await at->keys();
  http_request head;
  head.method = what->method;
  head.target = std::move(place.target);
  head.headers = what->headers;
  head.headers.set("host", std::move(place.host_header));
  std::optional<chunk_signer> chunks = sign_request(head, *what, at->core, *where, *keys);
  head.headers.add("user-agent", at->core.user_agent());
  at->core.counted.requests.fetch_add(1, std::memory_order_relaxed);
  const byte_span no_body;
  bool go_on = true;
  if (ask_first) {
    head.headers.add("expect", "100-continue");
    co_await to->send(std::move(head), no_body);
    go_on = co_await to->wait_for_continue(wait_for_go_ahead);
  } else if (chunks || what->body.empty()) {
    co_await to->send(std::move(head), no_body);
  } else {
    co_await to->send(std::move(head), what->body.front());
  }
  if (!go_on) co_return;
  if (chunks) {
    co_await send_chunks(to, what, std::move(*chunks));
  } else {
    const std::size_t unsent = ask_first ? 0 : 1;
    co_await send_body(to, what, unsent);
  }
  if (what->is_object_data) at->core.counted.bytes_sent.fetch_add(what->body_size(), std::memory_order_relaxed);
}

/// One try without another one beside it, to the head of the answer or, with a limit, at most so long: then the exchange is in `late`.
inline task<trial> try_once(lane* at, request* what, bool repeated, bool may_be_late, std::optional<exchange>* late) {
  trial result;
  const std::shared_ptr<const endpoint> where = at->core.endpoint_of(what->bucket);
  const std::chrono::seconds skew = at->core.skew();
  try {
    prepare(*what, at->core);
    request_place place = locate(*where, what->bucket, what->key, what->query);
    const origin there{where->tls, place.host, where->port};
    exchange to = co_await at->pool->open(there);
    auto& counted = at->core.counted;
    (to.reused() ? counted.connections_reused : counted.connections_opened).fetch_add(1, std::memory_order_relaxed);
    const bool ask_first =
        what->body_size() >= worth_asking_first && (repeated || !at->proven_buckets.contains(what->bucket));
    const auto begun = loop::clock::now();
    co_await send_request(at, &to, what, where.get(), std::move(place), ask_first);
    bool is_late = false;
    if (may_be_late) is_late = co_await to.wait_for_continue(at->first_bytes.delay());
    if (is_late && at->first_bytes.take()) {
      late->emplace(std::move(to));
      co_return result;
    }
    result = co_await receive_answer(std::move(to), what);
    if (result.got && what->can_be_hedged()) at->first_bytes.add(loop::clock::now() - begun);
  } catch (const transport_error& cause) {
    result.why = failure_of(cause, *what);
  }
  result.why.asked = where;
  result.why.skew = skew;
  co_return result;
}

/// One try, with another one beside it where the first byte is late.
inline task<trial> try_it(lane* at, request* what, bool repeated) {
  const bool may_be_late = what->can_be_hedged() && at->core.options().hedge;
  std::optional<exchange> late;
  trial first = co_await try_once(at, what, repeated, may_be_late, &late);
  if (!late) co_return first;
  at->core.counted.hedges.fetch_add(1, std::memory_order_relaxed);
  task<trial> old = receive_answer(std::move(*late), what);
  task<trial> fresh = try_once(at, what, repeated, false, nullptr);
  auto both = co_await when_any(std::move(old), std::move(fresh));
  trial faster = both.value.index() == 0 ? std::get<0>(std::move(both.value)) : std::get<1>(std::move(both.value));
  faster.why.asked = std::move(first.why.asked);
  faster.why.skew = first.why.skew;
  co_return faster;
}

COROLITH_DECL task<answer> perform(lane* at, request* what, attempts* tries) {
  if (what->key.empty() && !what->is_of_bucket())
    throw error_of(*what, errc::misuse, "the key is empty: that would be the bucket itself");
  for (;;) {
    trial result = co_await try_it(at, what, tries->repeated());
    if (result.got) {
      if (!at->proven_buckets.contains(what->bucket)) at->proven_buckets.insert(what->bucket);
      co_return std::move(*result.got);
    }
    co_await tries->after(std::move(result.why));
  }
}

COROLITH_DECL task<text_answer> perform_text(lane* at, request* what, attempts* tries) {
  for (;;) {
    text_answer made;
    failure why;
    {
      answer got = co_await perform(at, what, tries);
      try {
        made.body = co_await got.from.receive_text(most_answer_text);
      } catch (const transport_error& cause) {
        why = failure_of(cause, *what);
        why.what = failure::kind::lost;
      }
      made.head = std::move(got.head);
    }
    if (!why && looks_like_error(made.body))
      why = refusal_of(made.head, made.body, *what, std::chrono::system_clock::now());
    if (!why && !made.body.empty() && made.head.headers.value("content-type").find("xml") != std::string_view::npos &&
        !is_xml(made.body))
      why = spoilt(*what, "the answer is no XML, though it says so");
    if (!why) {
      tries->succeeded();
      co_return made;
    }
    co_await tries->after(std::move(why));
  }
}

COROLITH_DECL task<text_answer> perform_text(lane* at, request* what) {
  attempts tries(*at, *what);
  co_return co_await perform_text(at, what, &tries);
}

}  // namespace corolith::inline v0::s3::detail
