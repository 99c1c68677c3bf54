// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/s3/detail/signing.hpp>

#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace corolith::inline v0::s3::detail {

/// What proxies change, or what is set after signing.
inline bool is_signed(std::string_view name) noexcept {
  constexpr std::array<std::string_view, 9> left_out{"authorization", "connection", "expect",
                                                     "keep-alive",    "te",         "transfer-encoding",
                                                     "upgrade",       "user-agent", "x-amzn-trace-id"};
  return std::find(left_out.begin(), left_out.end(), name) == left_out.end();
}

/// Without white space at its ends, and one space for any amount between.
inline std::string canonical_value(std::string_view value) {
  std::string made;
  bool space = false;
  for (const char c : value) {
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      space = !made.empty();
      continue;
    }
    if (space) made += ' ';
    space = false;
    made += c;
  }
  return made;
}

inline std::string canonical_query(std::string_view query) {
  std::vector<std::pair<std::string_view, std::string_view>> parts;
  while (!query.empty()) {
    const std::string_view part = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(part.size() + 1, query.size()));
    const std::size_t equals = std::min(part.find('='), part.size());
    parts.emplace_back(part.substr(0, equals), part.substr(std::min(equals + 1, part.size())));
  }
  std::sort(parts.begin(), parts.end());
  std::string text;
  for (const auto& [name, value] : parts) {
    if (!text.empty()) text += '&';
    text.append(name).append("=").append(value);
  }
  return text;
}

COROLITH_DECL canonical_request canonical(const http_request& request, std::string_view payload_hash) {
  std::vector<std::pair<std::string, std::string>> fields;
  for (const header_field& field : request.headers) {
    std::string name = field.name;
    std::transform(name.begin(), name.end(), name.begin(), to_lower);
    if (is_signed(name)) fields.emplace_back(std::move(name), canonical_value(field.value));
  }
  std::stable_sort(fields.begin(), fields.end(), [](const auto& a, const auto& b) { return a.first < b.first; });

  canonical_request made;
  const std::size_t question = std::min(request.target.find('?'), request.target.size());
  made.text = request.method + "\n" + (question == 0 ? "/" : request.target.substr(0, question)) + "\n" +
              canonical_query(std::string_view(request.target).substr(std::min(question + 1, request.target.size())));
  const std::string* previous = nullptr;
  for (const auto& [name, value] : fields) {
    if (previous != nullptr && *previous == name) {
      made.text += "," + value;
      continue;
    }
    made.text += "\n" + name + ":" + value;
    made.signed_headers += (previous == nullptr ? "" : ";") + name;
    previous = &name;
  }
  made.text += "\n\n" + made.signed_headers + "\n";
  made.text += payload_hash;
  return made;
}

/// The last key that a thread has derived: four hashes a day and not for each request.
struct kept_key {
  std::string secret, scope;
  digest256 key{};

  kept_key() = default;
  kept_key(const kept_key&) = delete;
  kept_key& operator=(const kept_key&) = delete;
  ~kept_key() { wipe(); }
  void wipe() noexcept {
    OPENSSL_cleanse(secret.data(), secret.size());
    OPENSSL_cleanse(key.data(), key.size());
  }
};

COROLITH_DECL digest256 signing_key(std::string_view secret, const signing_scope& scope) {
  thread_local kept_key kept;
  std::string text = scope.text();
  if (kept.scope == text && kept.secret == secret) return kept.key;
  kept.wipe();
  const std::string prefixed = "AWS4" + std::string(secret);
  digest256 key = hmac_sha256(bytes_of_text(prefixed), bytes_of_text(scope.day()));
  for (const std::string_view part :
       {std::string_view(scope.region), std::string_view(scope.service), std::string_view("aws4_request")})
    key = hmac_sha256(key, bytes_of_text(part));
  kept.secret = secret;
  kept.scope = std::move(text);
  return kept.key = key;
}

COROLITH_DECL std::string string_to_sign(const signing_scope& scope, std::string_view canonical_text) {
  return "AWS4-HMAC-SHA256\n" + scope.date + "\n" + scope.text() + "\n" + to_hex(sha256(bytes_of_text(canonical_text)));
}

COROLITH_DECL std::string signature(const digest256& key, std::string_view string) {
  return to_hex(hmac_sha256(key, bytes_of_text(string)));
}

}  // namespace corolith::inline v0::s3::detail
