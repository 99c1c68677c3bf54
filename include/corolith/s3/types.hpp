// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace corolith::inline v0::s3 {

/// When something happened by the server's clock. HTTP headers give whole seconds, listings milliseconds.
using time_point = std::chrono::system_clock::time_point;

/// What the user has put beside an object: names in lower case without "x-amz-meta-".
using metadata_map = std::map<std::string, std::string>;

/// A checksum that the server verifies and keeps. None by default: not every server knows them.
enum class checksum_kind { none, crc32c, crc32, sha256 };

/// Part of an object as HTTP says it, both ends included: {10, 19} are ten bytes, {10, {}} all from the eleventh on,
/// {{}, 7} the last seven.
struct byte_range {
  std::optional<std::uint64_t> first;
  std::optional<std::uint64_t> last;

  /// "bytes=10-19"; empty when neither end is set.
  std::string to_string() const {
    if (!first && !last) return {};
    return "bytes=" + (first ? std::to_string(*first) : "") + "-" + (last ? std::to_string(*last) : "");
  }
  friend bool operator==(const byte_range&, const byte_range&) = default;
};

/// A request with a condition that does not hold does nothing and throws `precondition_failed` (or `not_modified`).
struct conditions {
  std::string if_match;       ///< only if the object has this ETag, or any ("*")
  std::string if_none_match;  ///< only if the object has another ETag, or there is none at all ("*")
  std::optional<time_point> if_modified_since;
  std::optional<time_point> if_unmodified_since;
};

/// What is sent with an object and given back with it. Empty: not sent.
struct object_headers {
  std::string content_type;
  std::string content_encoding;
  std::string content_disposition;
  std::string content_language;
  std::string cache_control;
  metadata_map metadata;
};

struct put_options {
  object_headers headers;
  std::string storage_class;  ///< "STANDARD_IA"; empty: the server's default
  conditions when;            ///< `if_match` and `if_none_match` only
  checksum_kind checksum = checksum_kind::none;
};

struct get_options {
  byte_range range;
  conditions when;
  std::string version_id;
  bool verify_checksum = false;  ///< asks for the checksum that the server has, and compares where the whole is read
};

struct copy_options {
  bool replace_headers = false;  ///< `headers` instead of those of the source
  object_headers headers;
  std::string storage_class;
  conditions source_when;  ///< conditions on the source
  std::string source_version_id;
};

struct list_options {
  std::string prefix;           ///< a plain string: "foo" finds "foo_bar/x"
  std::string delimiter;        ///< "/": what lies below the next one is given as one entry with `is_prefix`
  std::string start_after;      ///< only keys behind this one
  std::uint32_t page_size = 0;  ///< keys in one answer; 0: the server's default, which is 1,000
};

/// What is known of an object.
struct object_info {
  std::uint64_t size = 0;  ///< of the whole object, also when a part was asked for
  std::string etag;        ///< without its quotes
  std::optional<time_point> last_modified;
  object_headers headers;
  std::string storage_class;  ///< empty: the default one
  std::string version_id;
  std::map<checksum_kind, std::string> checksums;  ///< in Base64
};

struct put_result {
  std::string etag;
  std::string version_id;
};

/// One line of a listing: an object, or a common prefix.
struct list_entry {
  std::string key;
  bool is_prefix = false;
  std::uint64_t size = 0;
  std::string etag;  ///< without its quotes
  std::optional<time_point> last_modified;
  std::string storage_class;
};

struct bucket_info {
  std::string name;
  std::optional<time_point> created;
};

/// A multipart upload that has begun and not ended.
struct upload_info {
  std::string key;
  std::string upload_id;
  std::optional<time_point> initiated;
  std::string storage_class;
};

struct part_info {
  std::uint32_t number = 0;  ///< from 1 to 10,000
  std::string etag;          ///< without its quotes
  std::uint64_t size = 0;
  std::optional<time_point> last_modified;
  std::map<checksum_kind, std::string> checksums;  ///< in Base64
};

/// What became of one key of many to be removed.
struct remove_result {
  std::string key;
  std::string code;     ///< empty: it is gone
  std::string message;  ///< why it is not
  bool removed() const noexcept { return code.empty(); }
};

}  // namespace corolith::inline v0::s3
