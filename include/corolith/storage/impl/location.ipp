// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>
#include <corolith/storage/location.hpp>

#include <array>
#include <cctype>
#include <filesystem>

namespace corolith::inline v0::storage {
namespace detail {

[[noreturn]] inline void reject_url(std::string_view url, const std::string& why) {
  throw config_error("store '" + std::string(url.substr(0, url.find('?'))) + "': " + why);
}

inline int digit_of(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

inline std::string unescape(std::string_view text, std::string_view url) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      plain += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? digit_of(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? digit_of(text[i + 2]) : -1;
    if (high < 0 || low < 0)
      reject_url(url, "a % must be followed by two hexadecimal digits; write %25 for the sign itself");
    plain += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return plain;
}

inline std::string escape(std::string_view text, std::string_view kept) {
  constexpr char digits[] = "0123456789ABCDEF";
  std::string escaped;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || kept.find(c) != std::string_view::npos) {
      escaped += c;
    } else {
      escaped += {'%', digits[byte >> 4], digits[byte & 15]};
    }
  }
  return escaped;
}

inline std::map<std::string, std::string> parse_url_options(std::string_view text, std::string_view url) {
  std::map<std::string, std::string> options;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find('&'));
    text.remove_prefix(word.size() == text.size() ? word.size() : word.size() + 1);
    if (word.empty()) continue;
    const std::size_t equals = word.find('=');
    if (equals == 0 || equals == std::string_view::npos)
      reject_url(url, "what follows the question mark must be name=value&name=value");
    std::string name = unescape(word.substr(0, equals), url);
    for (const char* secret : {"secret", "password", "token", "access_key", "key_id"})
      if (name.find(secret) != std::string::npos)
        reject_url(url, "a URL is no place for '" + name +
                            "': it is seen in logs and by `ps`; use AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the "
                            "environment, or a profile");
    options[std::move(name)] = unescape(word.substr(equals + 1), url);
  }
  return options;
}

inline std::string absolute_folder(const std::string& path, std::string_view url) {
  if (path.empty()) reject_url(url, "a folder or s3://bucket was expected");
  if (path.find('\0') != std::string::npos) reject_url(url, "a path cannot have a zero byte");
  std::string whole = std::filesystem::absolute(path).lexically_normal().string();
  while (whole.size() > 1 && whole.back() == '/') whole.pop_back();
  if (whole == "/") reject_url(url, "the root of the file system is no place for a store");
  return whole;
}

}  // namespace detail

COROLITH_DECL location location::parse(std::string_view url) {
  location where;
  const std::size_t colon = url.find("://");
  if (colon == std::string_view::npos) {
    where.folder = detail::absolute_folder(std::string(url), url);
    return where;
  }
  const std::string_view scheme = url.substr(0, colon);
  std::string_view rest = url.substr(colon + 3);
  const std::size_t question = rest.find('?');
  if (question != std::string_view::npos) where.options = detail::parse_url_options(rest.substr(question + 1), url);
  rest = rest.substr(0, question);
  if (scheme == "posix" || scheme == "file") {
    if (!rest.starts_with('/'))
      detail::reject_url(url, "write an absolute path after the two slashes: " + std::string(scheme) + ":///folder");
    where.folder = detail::absolute_folder(detail::unescape(rest, url), url);
    return where;
  }
  if (scheme != "s3") detail::reject_url(url, "there are posix:// (or a path) and s3://");
  where.scheme = kind::s3;
  const std::size_t slash = rest.find('/');
  where.bucket = std::string(rest.substr(0, slash));
  if (where.bucket.find('@') != std::string::npos)
    detail::reject_url("s3://", "a URL is no place for credentials; use the environment or a profile");
  if (where.bucket.empty()) detail::reject_url(url, "the name of a bucket was expected: s3://bucket/prefix");
  if (slash != std::string_view::npos) where.prefix = detail::unescape(rest.substr(slash + 1), url);
  while (where.prefix.ends_with('/')) where.prefix.pop_back();
  if (!where.prefix.empty()) where.prefix += '/';
  return where;
}

COROLITH_DECL std::string location::to_string() const {
  std::string url = scheme == kind::posix ? "posix://" + detail::escape(folder, "/-._~") : "s3://" + bucket;
  if (!prefix.empty()) url += "/" + detail::escape(prefix.substr(0, prefix.size() - 1), "/-._~");
  char before = '?';
  for (const auto& [name, value] : options) {
    url += before + detail::escape(name, "-._~") + "=" + detail::escape(value, "-._~:/");
    before = '&';
  }
  return url;
}

}  // namespace corolith::inline v0::storage
