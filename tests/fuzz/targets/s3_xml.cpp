// SPDX-License-Identifier: Apache-2.0
// What an S3 server answers: a letter that says which document was asked for, then the document. The outcome is what it says or a
// codec_error. With k, a key that goes into a document and comes out of one.
#include "../fuzz.hpp"

#include <corolith/core/error.hpp>
#include <corolith/s3/detail/xml.hpp>

#include <algorithm>
#include <string_view>

using namespace corolith;
using namespace corolith::s3;
using namespace corolith::s3::detail;

namespace {

void read_listing(const std::string& text) {
  const object_page page = parse_object_page(text);
  std::size_t size = page.next_token.size();
  for (const list_entry& entry : page.entries)
    size += entry.key.size() + entry.etag.size() + entry.storage_class.size() + 8;  // each takes more than 8 bytes
  fuzz::require(size <= text.size(), "no more comes out than was in the document");
}

void read_removed(const std::string& text) {
  for (const remove_result& each : parse_removed(text))
    fuzz::require(each.removed() || !each.code.empty(), "what was not removed says why");
}

void key_round_trip(const std::string& key) {
  std::string text;
  try {
    text = compose_remove({{key, {}}}, false);
  } catch (const error& refused) {
    fuzz::require(refused.code() == errc::misuse, "a key that XML cannot hold is refused");
    return;
  }
  const std::size_t from = text.find("<Key>"), to = text.rfind("</Key>");
  const auto read =
      parse_removed("<DeleteResult><Deleted>" + text.substr(from, to - from) + "</Key></Deleted></DeleteResult>");
  fuzz::require(read.size() == 1 && read[0].key == key, "a key survives the journey");
}

void read_error(const std::string& text) {
  const auto found = parse_error(text);
  fuzz::require(!found || found->name.size() + found->message.size() <= text.size(),
                "an error says no more than was in the document");
}

void run(byte_span input) {
  const auto kind = static_cast<char>(fuzz::take_byte(input));
  const std::string text = fuzz::text_of(input);
  try {
    switch (kind) {
      case 'b': static_cast<void>(parse_buckets(text)); break;
      case 'u': static_cast<void>(parse_upload_page(text)); break;
      case 'p': static_cast<void>(parse_part_page(text)); break;
      case 'i': fuzz::require(!parse_upload_id(text).empty(), "an upload has an id"); break;
      case 'c': static_cast<void>(parse_copy(text)); break;
      case 'd': read_removed(text); break;
      case 'o': fuzz::require(!parse_location(text).empty(), "a location has a name"); break;
      case 'e': read_error(text); break;
      case 'k': key_round_trip(text); break;
      default: read_listing(text);
    }
  } catch (const codec_error& refused) {
    fuzz::require(*refused.what() != 0, "an error says what is wrong");
  }
}

std::vector<std::string> seeds() {
  return {
      "l<?xml version=\"1.0\"?><ListBucketResult "
      "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><IsTruncated>true</IsTruncated>"
      "<NextContinuationToken>t=</NextContinuationToken><Contents><Key>a&amp;&#228;</"
      "Key><LastModified>2009-10-12T17:50:30.000Z"
      "</LastModified><ETag>&quot;e&quot;</ETag><Size>5</Size><StorageClass>STANDARD</StorageClass></Contents>"
      "<CommonPrefixes><Prefix>b/</Prefix></CommonPrefixes></ListBucketResult>",
      "l<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>a+%2B</Key><Size>1</Size></Contents></"
      "ListBucketResult>",
      "l<!DOCTYPE a [<!ENTITY b "
      "\"c\">]><ListBucketResult><Contents><Key>&b;<![CDATA[d]]><!--e--><?f?></Key></Contents></ListBucketResult>",
      "b<ListAllMyBucketsResult><Buckets><Bucket><Name>n</Name><CreationDate>2026-11-28T10:00:00Z</CreationDate></"
      "Bucket></Buckets>"
      "</ListAllMyBucketsResult>",
      "u<ListMultipartUploadsResult><IsTruncated>true</IsTruncated><NextKeyMarker>k</NextKeyMarker><Upload><Key>k</Key>"
      "<UploadId>i</UploadId><Initiated>20261128T100000Z</Initiated></Upload></ListMultipartUploadsResult>",
      "p<ListPartsResult><IsTruncated>true</IsTruncated><NextPartNumberMarker>1</"
      "NextPartNumberMarker><Part><PartNumber>1</PartNumber>"
      "<ETag>\"e\"</ETag><Size>7</Size><ChecksumCRC32C>4waSgw==</ChecksumCRC32C></Part></ListPartsResult>",
      "i<InitiateMultipartUploadResult><UploadId>i</UploadId></InitiateMultipartUploadResult>",
      "c<CopyObjectResult><ETag>\"e\"</ETag><LastModified>2026-11-28T10:00:00+01:00</LastModified></CopyObjectResult>",
      "d<DeleteResult><Deleted><Key>a</Key></Deleted><Error><Key>b</Key><Code>AccessDenied</Code><Message>m</Message></"
      "Error></DeleteResult>",
      "o<LocationConstraint>EU</LocationConstraint>",
      "e<Error><Code>NoSuchKey</Code><Message>m</Message><RequestId>r</RequestId><HostId>h</HostId><Region>x</Region></"
      "Error>",
      "e<ErrorResponse><Error><Code>c</Code></Error></ErrorResponse>",
      "ka&b<c>\r\n\t\"'\xc3\xa4\xff",
  };
}

}  // namespace

const fuzz::target fuzz::s3_xml{"s3_xml", run, seeds};
