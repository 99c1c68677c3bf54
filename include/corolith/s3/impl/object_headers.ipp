// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>
#include <corolith/core/number.hpp>
#include <corolith/s3/checksum.hpp>
#include <corolith/s3/detail/dates.hpp>
#include <corolith/s3/detail/object_headers.hpp>

#include <algorithm>
#include <cctype>

namespace corolith::inline v0::s3::detail {

inline constexpr std::string_view metadata_prefix = "x-amz-meta-";

inline bool can_name_header(std::string_view text) noexcept {
  constexpr std::string_view also = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           also.find(c) != std::string_view::npos;
  });
}

COROLITH_DECL void add_object_headers(header_list& to, const object_headers& from) {
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) to.add(name, value);
  };
  add("content-type", from.content_type);
  add("content-encoding", from.content_encoding);
  add("content-disposition", from.content_disposition);
  add("content-language", from.content_language);
  add("cache-control", from.cache_control);
  for (const auto& [name, value] : from.metadata) {
    if (!can_name_header(name))
      throw error(errc::misuse,
                  "the name '" + name + "' of metadata cannot stand in a header: use letters, digits, - and _");
    std::string lower(metadata_prefix);
    std::transform(name.begin(), name.end(), std::back_inserter(lower), to_lower);
    to.add(std::move(lower), value);
  }
}

COROLITH_DECL void add_conditions(header_list& to, const conditions& when, std::string_view prefix) {
  const auto add = [&](const char* name, std::string value) { to.add(std::string(prefix) + name, std::move(value)); };
  if (!when.if_match.empty()) add("if-match", quoted_etag(when.if_match));
  if (!when.if_none_match.empty()) add("if-none-match", quoted_etag(when.if_none_match));
  if (when.if_modified_since) add("if-modified-since", format_http_date(*when.if_modified_since));
  if (when.if_unmodified_since) add("if-unmodified-since", format_http_date(*when.if_unmodified_since));
}

COROLITH_DECL std::string quoted_etag(std::string_view etag) {
  if (etag == "*" || etag.starts_with('"')) return std::string(etag);
  if (etag.starts_with("W/")) {
    etag.remove_prefix(2);
    return etag.starts_with('"') ? "W/" + std::string(etag) : "W/\"" + std::string(etag) + '"';
  }
  return '"' + std::string(etag) + '"';
}

COROLITH_DECL std::string unquoted_etag(std::string_view etag) {
  const bool weak = etag.starts_with("W/");
  if (weak) etag.remove_prefix(2);
  if (etag.size() >= 2 && etag.starts_with('"') && etag.ends_with('"')) etag = etag.substr(1, etag.size() - 2);
  return weak ? "W/" + std::string(etag) : std::string(etag);
}

COROLITH_DECL std::optional<content_range> parse_content_range(std::string_view text) noexcept {
  if (!text.starts_with("bytes ")) return std::nullopt;
  text.remove_prefix(6);
  const std::size_t dash = text.find('-');
  const std::size_t slash = text.find('/');
  if (dash == std::string_view::npos || slash == std::string_view::npos || dash > slash) return std::nullopt;
  const auto first = whole_number<std::uint64_t>(text.substr(0, dash));
  const auto last = whole_number<std::uint64_t>(text.substr(dash + 1, slash - dash - 1));
  if (!first || !last || *last < *first || *last == ~std::uint64_t{0}) return std::nullopt;
  content_range range;
  range.first = *first;
  range.last = *last;
  const std::string_view total = text.substr(slash + 1);
  if (total != "*") {
    range.total = whole_number<std::uint64_t>(total);
    if (!range.total || *range.total <= *last) return std::nullopt;
  }
  return range;
}

COROLITH_DECL std::map<checksum_kind, std::string> checksums_of(const header_list& headers) {
  std::map<checksum_kind, std::string> found;
  for (const checksum_kind kind : {checksum_kind::crc32c, checksum_kind::crc32, checksum_kind::sha256})
    if (const std::string* value = headers.find(checksum_header(kind))) found[kind] = *value;
  return found;
}

COROLITH_DECL object_info object_info_of(const http_response& head) {
  object_info info;
  info.size = head.content_length.value_or(0);
  for (const header_field& field : head.headers) {
    const auto is = [&](std::string_view name) { return equal_ignoring_case(field.name, name); };
    if (field.name.size() > metadata_prefix.size() &&
        equal_ignoring_case(std::string_view(field.name).substr(0, metadata_prefix.size()), metadata_prefix)) {
      std::string name(field.name.substr(metadata_prefix.size()));
      std::transform(name.begin(), name.end(), name.begin(), to_lower);
      info.headers.metadata[std::move(name)] = field.value;
    } else if (is("etag")) {
      info.etag = unquoted_etag(field.value);
    } else if (is("last-modified")) {
      info.last_modified = parse_http_date(field.value);
    } else if (is("content-range")) {
      if (const auto range = parse_content_range(field.value); range && range->total) info.size = *range->total;
    } else if (is("content-type")) {
      info.headers.content_type = field.value;
    } else if (is("content-encoding")) {
      info.headers.content_encoding = field.value;
    } else if (is("content-disposition")) {
      info.headers.content_disposition = field.value;
    } else if (is("content-language")) {
      info.headers.content_language = field.value;
    } else if (is("cache-control")) {
      info.headers.cache_control = field.value;
    } else if (is("x-amz-storage-class")) {
      info.storage_class = field.value;
    } else if (is("x-amz-version-id")) {
      info.version_id = field.value;
    }
  }
  info.checksums = checksums_of(head.headers);
  return info;
}

}  // namespace corolith::inline v0::s3::detail
