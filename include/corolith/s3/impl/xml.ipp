// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>
#include <corolith/core/number.hpp>
#include <corolith/s3/checksum.hpp>
#include <corolith/s3/detail/dates.hpp>
#include <corolith/s3/detail/xml.hpp>
#include <corolith/s3/endpoint.hpp>

#include <fmt/format.h>
#include <pugixml.hpp>

#include <algorithm>
#include <iterator>

namespace corolith::inline v0::s3::detail {

inline constexpr std::size_t most_xml_bytes = 16 << 20;
inline constexpr int most_xml_levels = 32;

[[noreturn]] inline void reject_xml(const std::string& why) {
  throw codec_error("the answer of the S3 server: " + why);
}

/// No document type, and no more levels than there can be. Without recursion.
inline void check_tree(const pugi::xml_document& document) {
  int level = 0;
  for (pugi::xml_node node = document.first_child(); node;) {
    if (node.type() == pugi::node_doctype) reject_xml("it has a document type, which S3 never uses");
    if (pugi::xml_node below = node.first_child()) {
      if (++level >= most_xml_levels) reject_xml("its XML is nested too deeply");
      node = below;
      continue;
    }
    while (node && !node.next_sibling()) {
      node = node.parent();
      if (--level < 0) return;
    }
    node = node.next_sibling();
  }
}

/// An element with the names of its children. Documents of S3 have no attributes that matter.
class xml_element {
 public:
  explicit xml_element(pugi::xml_node node) noexcept : node_(node) {}

  std::string text(const char* name) const { return text_of(node_.child(name)); }
  std::string own_text() const { return text_of(node_); }
  bool has(const char* name) const noexcept { return !node_.child(name).empty(); }
  bool flag(const char* name) const { return text(name) == "true"; }
  xml_element child(const char* name) const noexcept { return xml_element(node_.child(name)); }

  template <class Function>
  void each(const char* name, Function function) const {
    for (pugi::xml_node node = node_.child(name); node; node = node.next_sibling(name)) function(xml_element(node));
  }
  template <class Number>
  Number number(const char* name) const {
    const auto value = whole_number<Number>(text(name));
    if (!value) reject_xml(fmt::format("a number was expected in <{}>", name));
    return *value;
  }
  /// Without the quotes around it.
  std::string etag() const {
    std::string value = text("ETag");
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
    return value;
  }
  /// Nothing where there is none; another clock's way of writing is not worth failing for.
  std::optional<time_point> date(const char* name) const { return parse_iso_date(text(name)); }
  std::map<checksum_kind, std::string> checksums() const {
    std::map<checksum_kind, std::string> found;
    for (const checksum_kind kind : {checksum_kind::crc32c, checksum_kind::crc32, checksum_kind::sha256}) {
      const std::string name = "Checksum" + std::string(checksum_name(kind));
      if (has(name.c_str())) found[kind] = text(name.c_str());
    }
    return found;
  }

 private:
  /// All of it, also where a comment stands within.
  static std::string text_of(pugi::xml_node node) {
    std::string all;
    for (pugi::xml_node each = node.first_child(); each; each = each.next_sibling())
      if (each.type() == pugi::node_pcdata || each.type() == pugi::node_cdata) all += each.value();
    return all;
  }

  pugi::xml_node node_;
};

/// A document whose root has the name.
class xml_answer {
 public:
  xml_answer(std::string_view text, std::initializer_list<const char*> roots) {
    if (text.size() > most_xml_bytes) reject_xml("it has more than 16 MiB");
    constexpr unsigned how =
        pugi::parse_cdata | pugi::parse_escapes | pugi::parse_doctype | pugi::parse_ws_pcdata_single;
    const pugi::xml_parse_result result = document_.load_buffer(text.data(), text.size(), how, pugi::encoding_utf8);
    if (!result) reject_xml(fmt::format("no valid XML: {} at byte {}", result.description(), result.offset));
    check_tree(document_);
    const std::string_view name = root_node().name();
    if (std::none_of(roots.begin(), roots.end(), [&](const char* each) { return name == each; }))
      reject_xml(fmt::format("<{}> was expected", *roots.begin()));
  }
  xml_element root() const { return xml_element(root_node()); }

 private:
  pugi::xml_node root_node() const { return document_.document_element(); }
  pugi::xml_document document_;
};

/// With encoding-type=url names are encoded as in a form.
class name_decoder {
 public:
  explicit name_decoder(const xml_element& root) : encoded_(root.text("EncodingType") == "url") {}
  std::string operator()(std::string text) const { return encoded_ ? uri_decode(text, true) : text; }

 private:
  bool encoded_;
};

COROLITH_DECL object_page parse_object_page(std::string_view text) {
  const xml_answer answer(text, {"ListBucketResult"});
  const xml_element root = answer.root();
  const name_decoder decode(root);
  std::vector<list_entry> objects, prefixes;
  root.each("Contents", [&](const xml_element& each) {
    list_entry entry;
    entry.key = decode(each.text("Key"));
    entry.size = each.number<std::uint64_t>("Size");
    entry.etag = each.etag();
    entry.last_modified = each.date("LastModified");
    entry.storage_class = each.text("StorageClass");
    objects.push_back(std::move(entry));
  });
  root.each("CommonPrefixes", [&](const xml_element& each) {
    list_entry entry;
    entry.key = decode(each.text("Prefix"));
    entry.is_prefix = true;
    prefixes.push_back(std::move(entry));
  });
  object_page page;
  page.entries.reserve(objects.size() + prefixes.size());
  std::merge(std::move_iterator(objects.begin()), std::move_iterator(objects.end()),
             std::move_iterator(prefixes.begin()), std::move_iterator(prefixes.end()), std::back_inserter(page.entries),
             [](const list_entry& a, const list_entry& b) { return a.key < b.key; });
  if (root.flag("IsTruncated")) {
    page.next_token = root.text("NextContinuationToken");
    if (page.next_token.empty()) reject_xml("a listing that goes on does not say where");
  }
  return page;
}

COROLITH_DECL std::vector<bucket_info> parse_buckets(std::string_view text) {
  const xml_answer answer(text, {"ListAllMyBucketsResult"});
  std::vector<bucket_info> found;
  answer.root().child("Buckets").each(
      "Bucket", [&](const xml_element& each) { found.push_back({each.text("Name"), each.date("CreationDate")}); });
  return found;
}

COROLITH_DECL upload_page parse_upload_page(std::string_view text) {
  const xml_answer answer(text, {"ListMultipartUploadsResult"});
  const xml_element root = answer.root();
  const name_decoder decode(root);
  upload_page page;
  root.each("Upload", [&](const xml_element& each) {
    page.uploads.push_back(
        {decode(each.text("Key")), each.text("UploadId"), each.date("Initiated"), each.text("StorageClass")});
  });
  if (root.flag("IsTruncated")) {
    page.next_key_marker = decode(root.text("NextKeyMarker"));
    page.next_upload_id_marker = root.text("NextUploadIdMarker");
    if (page.next_key_marker.empty()) reject_xml("a listing that goes on does not say where");
  }
  return page;
}

COROLITH_DECL part_page parse_part_page(std::string_view text) {
  const xml_answer answer(text, {"ListPartsResult"});
  const xml_element root = answer.root();
  part_page page;
  root.each("Part", [&](const xml_element& each) {
    part_info part;
    part.number = each.number<std::uint32_t>("PartNumber");
    part.etag = each.etag();
    part.size = each.number<std::uint64_t>("Size");
    part.last_modified = each.date("LastModified");
    part.checksums = each.checksums();
    page.parts.push_back(std::move(part));
  });
  if (root.flag("IsTruncated")) page.next_part_number_marker = root.number<std::uint32_t>("NextPartNumberMarker");
  return page;
}

COROLITH_DECL std::string parse_upload_id(std::string_view text) {
  const xml_answer answer(text, {"InitiateMultipartUploadResult"});
  std::string id = answer.root().text("UploadId");
  if (id.empty()) reject_xml("an upload without an id");
  return id;
}

COROLITH_DECL copy_document parse_copy(std::string_view text) {
  const xml_answer answer(text, {"CopyObjectResult", "CopyPartResult", "CompleteMultipartUploadResult"});
  const xml_element root = answer.root();
  copy_document made;
  made.etag = root.etag();
  made.last_modified = root.date("LastModified");
  made.checksums = root.checksums();
  return made;
}

COROLITH_DECL std::vector<remove_result> parse_removed(std::string_view text) {
  const xml_answer answer(text, {"DeleteResult", "DeleteObjectsOutput"});
  std::vector<remove_result> found;
  answer.root().each("Deleted", [&](const xml_element& each) { found.push_back({each.text("Key"), {}, {}}); });
  answer.root().each("Error", [&](const xml_element& each) {
    remove_result failed{each.text("Key"), each.text("Code"), each.text("Message")};
    if (failed.code.empty()) failed.code = "UnknownError";  // an empty one would mean that the object is gone
    found.push_back(std::move(failed));
  });
  return found;
}

COROLITH_DECL std::string parse_location(std::string_view text) {
  const xml_answer answer(text, {"LocationConstraint", "CreateBucketConfiguration"});
  const xml_element root = answer.root();
  const std::string region = root.has("LocationConstraint") ? root.text("LocationConstraint") : root.own_text();
  if (region.empty()) return "us-east-1";
  return region == "EU" ? "eu-west-1" : region;
}

COROLITH_DECL bool is_xml(std::string_view text) {
  pugi::xml_document document;
  return document.load_buffer(text.data(), text.size(), pugi::parse_minimal, pugi::encoding_utf8);
}

COROLITH_DECL std::optional<error_document> parse_error(std::string_view text) {
  try {
    const xml_answer answer(text, {"Error", "ErrorResponse"});
    const xml_element outer = answer.root();
    const xml_element root = outer.has("Error") ? outer.child("Error") : outer;
    error_document made;
    made.name = root.text("Code");
    made.message = root.text("Message");
    made.request_id = root.text("RequestId");
    made.host_id = root.text("HostId");
    made.bucket = root.has("BucketName") ? root.text("BucketName") : root.text("Bucket");
    made.region = root.text("Region");
    made.endpoint = root.text("Endpoint");
    made.server_time = root.text("ServerTime");
    return made;
  } catch (const codec_error&) {
    return std::nullopt;
  }
}

/// Text between tags. XML 1.0 has no way to write most control characters, and a carriage return only as a reference.
inline std::string escape_xml(std::string_view text, std::string_view what) {
  std::string made;
  for (const char c : text) {
    switch (c) {
      case '&': made += "&amp;"; break;
      case '<': made += "&lt;"; break;
      case '>': made += "&gt;"; break;
      case '"': made += "&quot;"; break;
      case '\r': made += "&#13;"; break;
      case '\n': made += "&#10;"; break;
      case '\t': made += "&#9;"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20)
          throw error(errc::misuse,
                      fmt::format("{} has a control character that XML cannot hold: remove it alone", what));
        made += c;
    }
  }
  return made;
}

inline constexpr std::string_view xml_names = " xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";

COROLITH_DECL std::string compose_remove(const std::vector<std::pair<std::string, std::string>>& keys_and_versions,
                                         bool quiet) {
  std::string text = fmt::format("<Delete{}", xml_names);
  if (quiet) text += "<Quiet>true</Quiet>";
  for (const auto& [key, version] : keys_and_versions) {
    text += "<Object><Key>" + escape_xml(key, "a key to be removed") + "</Key>";
    if (!version.empty()) text += "<VersionId>" + escape_xml(version, "a version") + "</VersionId>";
    text += "</Object>";
  }
  return text + "</Delete>";
}

COROLITH_DECL std::string compose_complete(const std::vector<part_info>& parts) {
  std::string text = fmt::format("<CompleteMultipartUpload{}", xml_names);
  for (const part_info& part : parts) {
    text += fmt::format("<Part><PartNumber>{}</PartNumber><ETag>&quot;{}&quot;</ETag>", part.number,
                        escape_xml(part.etag, "an ETag"));
    for (const auto& [kind, value] : part.checksums)
      text += fmt::format("<Checksum{0}>{1}</Checksum{0}>", checksum_name(kind), escape_xml(value, "a checksum"));
    text += "</Part>";
  }
  return text + "</CompleteMultipartUpload>";
}

COROLITH_DECL std::string compose_create_bucket(std::string_view region) {
  if (region.empty() || region == "us-east-1") return {};
  return fmt::format(
      "<CreateBucketConfiguration{}<LocationConstraint>{}</LocationConstraint></CreateBucketConfiguration>", xml_names,
      escape_xml(region, "a region"));
}

}  // namespace corolith::inline v0::s3::detail
