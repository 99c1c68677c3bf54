// SPDX-License-Identifier: Apache-2.0
#include <corolith/core/error.hpp>
#include <corolith/s3/detail/dates.hpp>
#include <corolith/s3/detail/xml.hpp>

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace corolith;
using namespace corolith::s3;
using namespace corolith::s3::detail;
using Catch::Matchers::Contains;

namespace {

const std::string declaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

std::string listing(const std::string& inside) {
  return declaration + "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">" + inside +
         "</ListBucketResult>";
}

void refused(const std::string& text, const std::string& why) {
  CAPTURE(text.substr(0, 200));
  REQUIRE_THROWS_AS(parse_object_page(text), codec_error);
  REQUIRE_THROWS_WITH(parse_object_page(text), Contains(why));
}

}  // namespace

TEST_CASE("a page of a listing is read") {
  const object_page page = parse_object_page(
      listing("<Name>bucket</Name><Prefix>a</Prefix><KeyCount>3</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>true</"
              "IsTruncated>"
              "<NextContinuationToken>1ueGcxLPRx1Tr/XYExHnhbYLgveDs2J/wm36Hy4vbOwM=</NextContinuationToken>"
              "<Contents><Key>a&amp;b &lt;c&gt; &#228;</Key><LastModified>2009-10-12T17:50:30.000Z</LastModified>"
              "<ETag>&quot;fba9dede5f27731c9771645a39863328&quot;</ETag><Size>18446744073709551615</Size>"
              "<StorageClass>STANDARD_IA</StorageClass><Owner><ID>x</ID></Owner></Contents>"
              "<Contents><Key>z</Key><ETag>bare</ETag><Size>0</Size></Contents>"
              "<CommonPrefixes><Prefix>m/</Prefix></CommonPrefixes>"));
  REQUIRE(page.next_token == "1ueGcxLPRx1Tr/XYExHnhbYLgveDs2J/wm36Hy4vbOwM=");
  REQUIRE(page.entries.size() == 3);
  REQUIRE(page.entries[0].key == "a&b <c> \xc3\xa4");
  REQUIRE(page.entries[0].size == 18446744073709551615u);
  REQUIRE(page.entries[0].etag == "fba9dede5f27731c9771645a39863328");
  REQUIRE(page.entries[0].last_modified == parse_iso_date("2009-10-12T17:50:30Z"));
  REQUIRE(page.entries[0].storage_class == "STANDARD_IA");
  REQUIRE_FALSE(page.entries[0].is_prefix);
  REQUIRE(page.entries[1].key == "m/");  // in the order of keys
  REQUIRE(page.entries[1].is_prefix);
  REQUIRE(page.entries[2].key == "z");
  REQUIRE(page.entries[2].etag == "bare");
  REQUIRE_FALSE(page.entries[2].last_modified);
}

TEST_CASE("an empty listing, and keys that are encoded") {
  REQUIRE(parse_object_page(listing("<IsTruncated>false</IsTruncated>")).entries.empty());
  REQUIRE(parse_object_page("<ListBucketResult/>").next_token.empty());
  const object_page page = parse_object_page(
      listing("<EncodingType>url</EncodingType><Contents><Key>a+b%2B%0D%01%25</Key><Size>1</Size></Contents>"
              "<CommonPrefixes><Prefix>c%2Fd%2F</Prefix></CommonPrefixes>"));
  REQUIRE(page.entries.at(0).key == "a b+\r\x01%");
  REQUIRE(page.entries.at(1).key == "c/d/");
  REQUIRE(parse_object_page(listing("<Contents><Key>a+b%2B</Key><Size>1</Size></Contents>")).entries.at(0).key ==
          "a+b%2B");
}

TEST_CASE("names keep every character") {
  const auto key = [](const std::string& text) {
    return parse_object_page(listing("<Contents><Key>" + text + "</Key><Size>1</Size></Contents>")).entries.at(0).key;
  };
  REQUIRE(key(" ") == " ");
  REQUIRE(key("  a  b  ") == "  a  b  ");
  REQUIRE(key("a\r\nb") == "a\r\nb");
  REQUIRE(key("<![CDATA[a<b]]>") == "a<b");
  REQUIRE(key("a<!-- not here -->b<![CDATA[c]]>") == "abc");
  REQUIRE(key("&#13;&#x1F600;") == "\r\xf0\x9f\x98\x80");
}

TEST_CASE("documents that are none are refused") {
  refused("", "no valid XML");
  refused("no xml", "no valid XML");
  refused("<html><body>502 Bad Gateway</body></html>", "<ListBucketResult> was expected");
  refused("<ListBucketResult>", "no valid XML");
  refused("<ListBucketResult></Wrong>", "no valid XML");
  refused(listing("<Contents><Key>a</Key></Contents>"), "<Size>");
  refused(listing("<Contents><Key>a</Key><Size>-1</Size></Contents>"), "<Size>");
  refused(listing("<Contents><Key>a</Key><Size>18446744073709551616</Size></Contents>"), "<Size>");
  refused(listing("<Contents><Key>a</Key><Size>1 </Size></Contents>"), "<Size>");
  refused(listing("<IsTruncated>true</IsTruncated>"), "where");
  refused(std::string("<ListBucketResult>\0", 19), "no valid XML");
}

TEST_CASE("hostile documents are refused") {
  const std::string bomb =
      declaration +
      "<!DOCTYPE lolz [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;&b;&b;\">]>"
      "<ListBucketResult><Contents><Key>&c;</Key><Size>1</Size></Contents></ListBucketResult>";
  refused(bomb, "document type");
  refused("<!DOCTYPE x SYSTEM \"file:///etc/passwd\"><ListBucketResult/>", "document type");
  // an entity that is not one of XML's five stays as it stands
  REQUIRE(parse_object_page(listing("<Contents><Key>&xxe;</Key><Size>1</Size></Contents>")).entries.at(0).key ==
          "&xxe;");

  std::string open, close;
  for (int i = 0; i < 31; ++i) {
    open += "<a>";
    close += "</a>";
  }
  REQUIRE_NOTHROW(parse_object_page(listing(open + close)));
  refused(listing("<a>" + open + close + "</a>"), "nested too deeply");
  std::string very_deep = "<ListBucketResult>";
  for (int i = 0; i < 200'000; ++i) very_deep += "<a>";
  refused(very_deep, "no valid XML");
  for (int i = 0; i < 200'000; ++i) very_deep += "</a>";
  refused(very_deep + "</ListBucketResult>", "nested too deeply");
  refused(listing(std::string((16 << 20) + 1, ' ')), "16 MiB");
}

TEST_CASE("buckets are read") {
  const auto found = parse_buckets(
      "<ListAllMyBucketsResult><Owner><ID>me</ID></Owner><Buckets><Bucket><Name>one</Name>"
      "<CreationDate>2026-11-28T10:00:00.000Z</CreationDate></Bucket><Bucket><Name>two</Name></Bucket></Buckets>"
      "</ListAllMyBucketsResult>");
  REQUIRE(found.size() == 2);
  REQUIRE(found[0].name == "one");
  REQUIRE(found[0].created == parse_iso_date("2026-11-28T10:00:00Z"));
  REQUIRE(found[1].name == "two");
  REQUIRE_FALSE(found[1].created);
  REQUIRE(parse_buckets("<ListAllMyBucketsResult><Buckets/></ListAllMyBucketsResult>").empty());
}

TEST_CASE("multipart uploads and their parts are read") {
  const upload_page uploads = parse_upload_page(
      "<ListMultipartUploadsResult><EncodingType>url</EncodingType><NextKeyMarker>b%2Fc</NextKeyMarker>"
      "<NextUploadIdMarker>id2</NextUploadIdMarker><IsTruncated>true</IsTruncated>"
      "<Upload><Key>a%20b</Key><UploadId>id1</UploadId><Initiated>2026-11-28T10:00:00Z</Initiated>"
      "<StorageClass>STANDARD</StorageClass></Upload><Upload><Key>b/c</Key><UploadId>id2</UploadId></Upload>"
      "</ListMultipartUploadsResult>");
  REQUIRE(uploads.uploads.size() == 2);
  REQUIRE(uploads.uploads[0].key == "a b");
  REQUIRE(uploads.uploads[0].upload_id == "id1");
  REQUIRE(uploads.uploads[0].initiated);
  REQUIRE(uploads.uploads[0].storage_class == "STANDARD");
  REQUIRE(uploads.next_key_marker == "b/c");
  REQUIRE(uploads.next_upload_id_marker == "id2");
  REQUIRE(
      parse_upload_page("<ListMultipartUploadsResult><IsTruncated>false</IsTruncated><NextKeyMarker>x</NextKeyMarker>"
                        "</ListMultipartUploadsResult>")
          .next_key_marker.empty());

  const part_page parts = parse_part_page(
      "<ListPartsResult><IsTruncated>true</IsTruncated><NextPartNumberMarker>2</NextPartNumberMarker>"
      "<Part><PartNumber>1</PartNumber><ETag>\"e1\"</ETag><Size>5242880</Size><LastModified>2026-11-28T10:00:00Z</"
      "LastModified>"
      "<ChecksumCRC32C>4waSgw==</ChecksumCRC32C></Part><Part><PartNumber>2</PartNumber><ETag>\"e2\"</ETag><Size>7</"
      "Size></Part>"
      "</ListPartsResult>");
  REQUIRE(parts.parts.size() == 2);
  REQUIRE(parts.parts[0].number == 1);
  REQUIRE(parts.parts[0].etag == "e1");
  REQUIRE(parts.parts[0].size == 5242880);
  REQUIRE(parts.parts[0].checksums.at(checksum_kind::crc32c) == "4waSgw==");
  REQUIRE(parts.parts[1].checksums.empty());
  REQUIRE(parts.next_part_number_marker == 2u);
  REQUIRE_FALSE(parse_part_page("<ListPartsResult/>").next_part_number_marker);

  REQUIRE(parse_upload_id("<InitiateMultipartUploadResult><UploadId>id</UploadId></InitiateMultipartUploadResult>") ==
          "id");
  REQUIRE_THROWS_AS(parse_upload_id("<InitiateMultipartUploadResult/>"), codec_error);
}

TEST_CASE("what copies and completions answer is read") {
  const copy_document copied = parse_copy(
      "<CopyObjectResult><ETag>\"e\"</ETag><LastModified>2026-11-28T10:00:00Z</LastModified>"
      "<ChecksumSHA256>abc=</ChecksumSHA256></CopyObjectResult>");
  REQUIRE(copied.etag == "e");
  REQUIRE(copied.last_modified);
  REQUIRE(copied.checksums.at(checksum_kind::sha256) == "abc=");
  REQUIRE(parse_copy("<CopyPartResult><ETag>\"p\"</ETag></CopyPartResult>").etag == "p");
  REQUIRE(parse_copy("<CompleteMultipartUploadResult><ETag></ETag></CompleteMultipartUploadResult>").etag.empty());
  REQUIRE_THROWS_AS(parse_copy("<Error><Code>InternalError</Code></Error>"), codec_error);
}

TEST_CASE("what became of many removals is read") {
  const auto found = parse_removed(
      "<DeleteResult><Deleted><Key>a</Key></Deleted><Error><Key>b</Key><Code>AccessDenied</Code>"
      "<Message>Access Denied</Message></Error><Error><Key>c</Key></Error></DeleteResult>");
  REQUIRE(found.size() == 3);
  REQUIRE(found[0].key == "a");
  REQUIRE(found[0].removed());
  REQUIRE(found[1].key == "b");
  REQUIRE(found[1].code == "AccessDenied");
  REQUIRE(found[1].message == "Access Denied");
  REQUIRE_FALSE(found[2].removed());
}

TEST_CASE("locations are read") {
  REQUIRE(parse_location("<LocationConstraint/>") == "us-east-1");
  REQUIRE(parse_location("<LocationConstraint>EU</LocationConstraint>") == "eu-west-1");
  REQUIRE(parse_location("<LocationConstraint xmlns=\"x\">eu-central-1</LocationConstraint>") == "eu-central-1");
}

TEST_CASE("errors are read, and what is none is none") {
  const auto found =
      parse_error(declaration +
                  "<Error><Code>AuthorizationHeaderMalformed</Code><Message>the region 'us-east-1' is wrong</Message>"
                  "<Region>eu-west-1</Region><Endpoint>b.s3.eu-west-1.amazonaws.com</Endpoint><RequestId>r</"
                  "RequestId><HostId>h</HostId>"
                  "<BucketName>b</BucketName><ServerTime>2026-11-28T10:00:00Z</ServerTime></Error>");
  REQUIRE(found);
  REQUIRE(found->name == "AuthorizationHeaderMalformed");
  REQUIRE(found->message == "the region 'us-east-1' is wrong");
  REQUIRE(found->region == "eu-west-1");
  REQUIRE(found->endpoint == "b.s3.eu-west-1.amazonaws.com");
  REQUIRE(found->request_id == "r");
  REQUIRE(found->host_id == "h");
  REQUIRE(found->bucket == "b");
  REQUIRE(found->server_time == "2026-11-28T10:00:00Z");
  REQUIRE(parse_error("<ErrorResponse><Error><Code>X</Code></Error></ErrorResponse>")->name == "X");
  for (const char* other : {"", "no xml", "<html>502</html>", "<CopyObjectResult><ETag>\"e\"</ETag></CopyObjectResult>",
                            "<Error>", "<!DOCTYPE x><Error/>"})
    REQUIRE_FALSE(parse_error(other));
}

TEST_CASE("bodies of requests are written") {
  REQUIRE(
      compose_remove({{"a&b", ""}, {"c\r\n\t", "v<1>"}}, true) ==
      "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Quiet>true</Quiet><Object><Key>a&amp;b</Key></Object>"
      "<Object><Key>c&#13;&#10;&#9;</Key><VersionId>v&lt;1&gt;</VersionId></Object></Delete>");
  REQUIRE_THROWS_AS(compose_remove({{"a\x01", ""}}, false), error);
  part_info part;
  part.number = 7;
  part.etag = "e";
  part.checksums[checksum_kind::crc32c] = "4waSgw==";
  REQUIRE(compose_complete({part}) ==
          "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Part><PartNumber>7</PartNumber>"
          "<ETag>&quot;e&quot;</ETag><ChecksumCRC32C>4waSgw==</ChecksumCRC32C></Part></CompleteMultipartUpload>");
  REQUIRE(compose_create_bucket("us-east-1").empty());
  REQUIRE(compose_create_bucket("eu-west-1") ==
          "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><LocationConstraint>eu-west-1"
          "</LocationConstraint></CreateBucketConfiguration>");
}
