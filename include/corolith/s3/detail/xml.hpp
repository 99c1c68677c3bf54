// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/s3/types.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// The documents of S3. All parsers throw codec_error for what is no such document: no XML, another root, no number where one
// must be, a document type (which S3 never has), more than 16 MiB, more than 32 levels. What they do not know they skip.

namespace corolith::inline v0::s3::detail {

/// ListObjectsV2. Objects and prefixes are merged in the order of the bytes of their keys.
struct object_page {
  std::vector<list_entry> entries;
  std::string next_token;  ///< for continuation-token; empty: this was the last page
};

struct upload_page {
  std::vector<upload_info> uploads;
  std::string next_key_marker;  ///< both empty: this was the last page
  std::string next_upload_id_marker;
};

struct part_page {
  std::vector<part_info> parts;
  std::optional<std::uint32_t> next_part_number_marker;
};

/// What a failure says of itself. Any of it may be empty.
struct error_document {
  std::string name;  ///< "NoSuchKey"
  std::string message;
  std::string request_id;
  std::string host_id;
  std::string bucket;
  std::string region;       ///< the right one, in AuthorizationHeaderMalformed and redirects
  std::string endpoint;     ///< where to go, in PermanentRedirect
  std::string server_time;  ///< as it stands there, in RequestTimeTooSkewed
};

/// The answer to a copy, of an object or a part, and to the end of a multipart upload.
struct copy_document {
  std::string etag;  ///< without its quotes; RGW leaves it empty at the end of an upload
  std::optional<time_point> last_modified;
  std::map<checksum_kind, std::string> checksums;
};

COROLITH_DECL object_page parse_object_page(std::string_view text);
COROLITH_DECL std::vector<bucket_info> parse_buckets(std::string_view text);
COROLITH_DECL upload_page parse_upload_page(std::string_view text);
COROLITH_DECL part_page parse_part_page(std::string_view text);
/// The upload's id out of InitiateMultipartUploadResult.
COROLITH_DECL std::string parse_upload_id(std::string_view text);
/// CopyObjectResult, CopyPartResult or CompleteMultipartUploadResult. S3 may answer these with 200 and an error in the body: ask
/// `parse_error` first.
COROLITH_DECL copy_document parse_copy(std::string_view text);
/// Of DeleteObjects: the keys that are gone (none when the request was quiet) and those that are not.
COROLITH_DECL std::vector<remove_result> parse_removed(std::string_view text);
/// GetBucketLocation: "us-east-1" where the document is empty, "eu-west-1" for "EU".
COROLITH_DECL std::string parse_location(std::string_view text);
/// Whether it can be read at all, whatever it says.
COROLITH_DECL bool is_xml(std::string_view text);
/// Nothing when the document is no error, or no XML at all: bodies of failures come from proxies too.
COROLITH_DECL std::optional<error_document> parse_error(std::string_view text);

/// The body of DeleteObjects: keys with versions, which are mostly empty. Throws errc::misuse for a key that XML cannot hold.
COROLITH_DECL std::string compose_remove(const std::vector<std::pair<std::string, std::string>>& keys_and_versions,
                                         bool quiet);
/// The body of CompleteMultipartUpload, from number, ETag and checksums of each part.
COROLITH_DECL std::string compose_complete(const std::vector<part_info>& parts);
/// The body of CreateBucket; empty for us-east-1, where there must be none.
COROLITH_DECL std::string compose_create_bucket(std::string_view region);

}  // namespace corolith::inline v0::s3::detail

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/s3/impl/xml.ipp>
#endif
