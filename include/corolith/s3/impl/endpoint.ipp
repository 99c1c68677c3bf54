// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/number.hpp>
#include <corolith/s3/detail/http_message.hpp>
#include <corolith/s3/endpoint.hpp>
#include <corolith/s3/error.hpp>

#include <algorithm>
#include <cctype>

namespace corolith::inline v0::s3 {
namespace detail {

inline bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
inline bool is_lower(char c) noexcept { return c >= 'a' && c <= 'z'; }

[[noreturn]] inline void reject_endpoint(std::string_view url, const std::string& why) {
  // What stands before an @ may be a password.
  const std::size_t at = url.rfind('@');
  const std::string shown(at == std::string_view::npos ? url.substr(0, 200) : "...");
  throw config_error("S3 endpoint '" + shown + "': " + why);
}

inline bool can_be_region(std::string_view name) noexcept {
  return !name.empty() && name.size() <= 63 && std::all_of(name.begin(), name.end(), [](char c) {
    return is_lower(c) || is_digit(c) || c == '-' || c == '_';
  });
}

inline bool can_be_address(std::string_view host) noexcept {  // of IPv4, or of IPv6
  return host.find(':') != std::string_view::npos ||
         std::all_of(host.begin(), host.end(), [](char c) { return is_digit(c) || c == '.'; });
}

/// Whether a bucket's name can be a part of a host's name.
inline bool fits_in_host(std::string_view bucket) noexcept {
  if (bucket.size() < 3 || bucket.size() > 63) return false;
  if (bucket.find("..") != std::string_view::npos || can_be_address(bucket)) return false;
  const auto edge = [](char c) { return is_lower(c) || is_digit(c); };
  return edge(bucket.front()) && edge(bucket.back()) &&
         std::all_of(bucket.begin(), bucket.end(), [&](char c) { return edge(c) || c == '-' || c == '.'; });
}

/// Where in an AWS host's name the region stands; nowhere in that of the global host.
inline std::string_view region_in_host(std::string_view host) noexcept {
  bool behind_service = false;
  while (!host.empty()) {
    const std::string_view label = host.substr(0, host.find('.'));
    if (label == "amazonaws") return {};
    if (behind_service && label != "dualstack") return label;
    if (label.starts_with("s3-") && label.size() > 3 && is_digit(label.back())) return label.substr(3);
    if (label == "s3" || label == "s3-fips") behind_service = true;
    host.remove_prefix(std::min(label.size() + 1, host.size()));
  }
  return {};
}

/// Takes "host", "host:port" or "[address]:port" apart.
inline void parse_authority(endpoint& into, std::string_view authority, std::string_view url) {
  std::string_view host = authority, port;
  if (authority.starts_with('[')) {
    const std::size_t end = authority.find(']');
    if (end == std::string_view::npos) reject_endpoint(url, "the ] behind the address is missing");
    host = authority.substr(1, end - 1);
    port = authority.substr(end + 1);
    if (host.find(':') == std::string_view::npos ||
        host.find_first_not_of("0123456789abcdefABCDEF:.") != std::string_view::npos)
      reject_endpoint(url, "between [ and ] an IPv6 address was expected");
  } else if (const std::size_t colon = authority.find(':'); colon != std::string_view::npos) {
    host = authority.substr(0, colon);
    port = authority.substr(colon);
  }
  if (!port.empty()) {
    const auto number = port.front() == ':' ? whole_number<std::uint16_t>(port.substr(1)) : std::nullopt;
    if (!number || *number == 0)
      reject_endpoint(url, "behind the host a colon and a port from 1 to 65535 were expected");
    into.port = *number;
  }
  for (const char c : host) into.host += to_lower(c);
  const auto fits = [](char c) { return is_lower(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || c == ':'; };
  if (into.host.empty() || into.host.size() > 253 || !std::all_of(into.host.begin(), into.host.end(), fits))
    reject_endpoint(url, "the name of a host was expected, as in https://s3.example.org:9000");
}

[[noreturn]] inline void refuse_place(std::string_view bucket, std::string_view key, const std::string& why) {
  failure_details details;
  details.bucket = bucket;
  details.key = key;
  throw s3_error(errc::misuse, why, std::move(details));
}

inline void check_bucket(std::string_view bucket, std::string_view key) {
  if (bucket.empty() && !key.empty()) refuse_place(bucket, key, "an object's bucket was expected");
  const auto fits = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '.' || c == '_';
  };
  const bool dots = bucket == "." || bucket == "..";
  if (bucket.size() > 255 || dots || !std::all_of(bucket.begin(), bucket.end(), fits))
    refuse_place(bucket, key,
                 "a bucket's name has letters, digits, dots, hyphens and (with some servers) underscores, at most 255");
  if (key.size() > 1024) refuse_place(bucket, key, "keys have at most 1024 bytes");
}

}  // namespace detail

COROLITH_DECL endpoint endpoint::parse(std::string_view url, std::string_view region, addressing style) {
  endpoint made;
  std::string_view rest = url;
  if (const std::size_t colon = rest.find("://"); colon != std::string_view::npos) {
    const std::string_view scheme = rest.substr(0, colon);
    made.tls = detail::equal_ignoring_case(scheme, "https");
    if (!made.tls && !detail::equal_ignoring_case(scheme, "http"))
      detail::reject_endpoint(url, "there are https:// and http://");
    rest.remove_prefix(colon + 3);
  }
  made.port = made.tls ? 443 : 80;
  if (rest.find('@') != std::string_view::npos)
    detail::reject_endpoint(url, "a URL is no place for credentials; use the environment or a profile");
  if (rest.find_first_of("?#") != std::string_view::npos)
    detail::reject_endpoint(url, "it has a query, which an endpoint cannot have");
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  detail::parse_authority(made, rest.substr(0, slash), url);
  made.base_path = std::string(rest.substr(slash));
  while (made.base_path.ends_with('/')) made.base_path.pop_back();
  if (!std::all_of(made.base_path.begin(), made.base_path.end(), [](char c) { return c > ' ' && c < 0x7f; }))
    detail::reject_endpoint(url, "in its path only letters, digits and signs of ASCII can stand; write %XX for others");
  made.style = style;
  if (region.empty() && made.is_aws()) region = detail::region_in_host(made.host);
  if (!region.empty()) made.region = std::string(region);
  if (!detail::can_be_region(made.region))
    detail::reject_endpoint(url, "'" + made.region + "' cannot be a region, which is like eu-west-1");
  return made;
}

COROLITH_DECL endpoint endpoint::aws(std::string_view region) {
  if (!detail::can_be_region(region))
    detail::reject_endpoint("s3." + std::string(region) + ".amazonaws.com",
                            "'" + std::string(region) + "' cannot be a region, which is like eu-west-1");
  const std::string_view domain = region.starts_with("cn-") ? ".amazonaws.com.cn" : ".amazonaws.com";
  return parse("https://s3." + std::string(region) + std::string(domain), region);
}

COROLITH_DECL std::string endpoint::to_string() const {
  std::string url = tls ? "https://" : "http://";
  url += host.find(':') == std::string::npos ? host : "[" + host + "]";
  if (port != (tls ? 443 : 80)) url += ":" + std::to_string(port);
  return url + base_path;
}

COROLITH_DECL bool endpoint::is_aws() const noexcept {
  return host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn");
}

COROLITH_DECL endpoint endpoint::in_region(std::string_view other) const {
  endpoint made = *this;
  made.region = std::string(other);
  if (!is_aws()) return made;
  const std::string_view here = detail::region_in_host(host);
  if (here.empty()) {
    if (host == "s3.amazonaws.com") made.host = aws(other).host;
    return made;
  }
  made.host.replace(static_cast<std::size_t>(here.data() - host.data()), here.size(), other);
  return made;
}

COROLITH_DECL bool endpoint::uses_path(std::string_view bucket) const noexcept {
  if (style == addressing::path || detail::can_be_address(host) || !detail::fits_in_host(bucket)) return true;
  if (style == addressing::virtual_host) return false;
  const bool certified = !tls || bucket.find('.') == std::string_view::npos;  // *.s3.... is for one label
  return !is_aws() || !certified;
}

COROLITH_DECL request_place locate(const endpoint& where, std::string_view bucket, std::string_view key,
                                   const query_list& query) {
  detail::check_bucket(bucket, key);
  request_place place;
  place.target = where.base_path + "/";
  place.host = where.host;
  if (!bucket.empty() && where.uses_path(bucket)) {
    place.target += std::string(bucket);
    if (!key.empty()) place.target += "/";
  } else if (!bucket.empty()) {
    place.host = std::string(bucket) + "." + where.host;
  }
  place.target += uri_encode(key, true);
  if (!query.empty()) place.target += "?" + encode_query(query);
  place.host_header = place.host.find(':') == std::string::npos ? place.host : "[" + place.host + "]";
  if (where.port != (where.tls ? 443 : 80)) place.host_header += ":" + std::to_string(where.port);
  return place;
}

COROLITH_DECL std::string uri_encode(std::string_view text, bool keep_slash) {
  constexpr char digits[] = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(text.size());
  for (const char c : text) {
    const bool kept = detail::is_lower(c) || (c >= 'A' && c <= 'Z') || detail::is_digit(c) || c == '-' || c == '.' ||
                      c == '_' || c == '~' || (keep_slash && c == '/');
    if (kept) {
      encoded += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    encoded += '%';
    encoded += digits[byte >> 4];
    encoded += digits[byte & 15];
  }
  return encoded;
}

COROLITH_DECL std::string uri_decode(std::string_view text, bool plus_is_space) {
  const auto digit = [](char c) {
    if (detail::is_digit(c)) return c - '0';
    const char lower = detail::to_lower(c);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
  };
  std::string plain;
  plain.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '%' && i + 2 < text.size() && digit(text[i + 1]) >= 0 && digit(text[i + 2]) >= 0;
    if (escape) {
      plain += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
      i += 2;
    } else {
      plain += plus_is_space && text[i] == '+' ? ' ' : text[i];
    }
  }
  return plain;
}

COROLITH_DECL std::string encode_query(const query_list& query) {
  std::string text;
  for (const auto& [name, value] : query) {
    if (!text.empty()) text += '&';
    text += uri_encode(name, false) + "=" + uri_encode(value, false);
  }
  return text;
}

}  // namespace corolith::inline v0::s3
