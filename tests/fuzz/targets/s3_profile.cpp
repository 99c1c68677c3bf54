// SPDX-License-Identifier: Apache-2.0
// What people write for an S3 client: a letter that says what it is (two files of profiles with a zero byte between them, what a
// credential_process prints, an endpoint, a date), then the text. The outcome is a value or a config_error.
#include "../fuzz.hpp"

#include <corolith/core/error.hpp>
#include <corolith/s3/detail/credential_process.hpp>
#include <corolith/s3/detail/dates.hpp>
#include <corolith/s3/endpoint.hpp>
#include <corolith/s3/error.hpp>
#include <corolith/s3/profile.hpp>

#include <sys/mman.h>
#include <unistd.h>

#include <string_view>

using namespace corolith::s3;
using corolith::byte_span;
using corolith::config_error;
using corolith::errc;
using corolith::error;

namespace {

// A file in memory: a million inputs should not go to a disk.
class memory_file {
 public:
  const std::string& with(std::string_view text) {
    fuzz::require(
        ::ftruncate(file_, 0) == 0 && ::pwrite(file_, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()),
        "the file can be written");
    return path_;
  }

 private:
  int file_ = ::memfd_create("corolith-fuzz", 0);
  std::string path_ = "/proc/self/fd/" + std::to_string(file_);
};

void read_profiles(const std::string& text) {
  static memory_file config, credentials;
  const std::size_t zero = std::min(text.find('\0'), text.size());
  profile_location where;
  where.name = "p";
  where.config_file = config.with(std::string_view(text).substr(0, zero));
  where.credentials_file = credentials.with(std::string_view(text).substr(std::min(zero + 1, text.size())));
  const auto read = profile::load(where);
  if (!read) return;
  std::size_t size = 0;
  for (const auto& [name, setting] : read->settings()) {
    fuzz::require(!name.empty() && !setting.source.empty(), "each setting has a name and says where it comes from");
    size += setting.value.size();
  }
  fuzz::require(size <= text.size(), "no more comes out than was in the files");
}

void read_sections(const std::string& text) {
  const auto sections = detail::parse_ini(text, "f");
  for (std::size_t i = 0; i < sections.size(); ++i) {
    fuzz::require(!sections[i].title.empty(), "each section has a title");
    fuzz::require(detail::find_section(sections, sections[i].title) == &sections[i], "titles are there once");
  }
}

void read_endpoint(const std::string& text) {
  const endpoint read = endpoint::parse(text);
  fuzz::require(endpoint::parse(read.to_string(), read.region) == read, "an endpoint can be written and read again");
  try {
    const request_place place = locate(read, "bucket", text, {{"prefix", text}});
    for (const std::string* part : {&place.host_header, &place.target})
      for (const char c : *part) fuzz::require(c > ' ' && c < 0x7f, "nothing else gets into the head of a request");
    fuzz::require(uri_decode(place.target.substr(place.target.rfind('=') + 1)) == text, "a query survives the journey");
  } catch (const s3_error& refused) {
    fuzz::require(refused.code() == errc::misuse && text.size() > 1024, "only a long key is refused");
  }
}

void read_process_output(const std::string& text) {
  const credentials read = detail::parse_process_output(text, "f:1", time_point());
  fuzz::require(!read.access_key.empty() && !read.secret_key.empty(), "credentials are two keys");
  fuzz::require(!read.expires || *read.expires > time_point(), "credentials are valid");
}

void read_dates(const std::string& text) {
  if (const auto date = detail::parse_iso_date(text)) {
    const auto milliseconds = std::chrono::floor<std::chrono::milliseconds>(*date);
    fuzz::require(detail::parse_iso_date(detail::format_iso_date(*date)) == milliseconds,
                  "a date can be written and read again");
  }
  if (const auto date = detail::parse_http_date(text))
    fuzz::require(detail::parse_http_date(detail::format_http_date(*date)) == *date,
                  "a date of HTTP can be written and read again");
}

void run(byte_span input) {
  const auto kind = static_cast<char>(fuzz::take_byte(input));
  const std::string text = fuzz::text_of(input);
  try {
    switch (kind) {
      case 'u': read_endpoint(text); break;
      case 'j': read_process_output(text); break;
      case 'd': read_dates(text); break;
      case 'p': read_profiles(text); break;
      default: read_sections(text);
    }
  } catch (const config_error& refused) {
    fuzz::require(*refused.what() != 0, "an error says what is wrong");
  }
}

std::vector<std::string> seeds() {
  using namespace std::string_literals;
  return {
      "i[default]\nregion = eu-west-1\ns3 =\n  addressing_style = path\n# comment\n[profile \"my name\"] ; x\na = b # "
      "c\nlong = 1\n  2\n",
      "i\xef\xbb\xbf[a]\r\nb=\r\n[a]\r\nb = c\r\n",
      "p[profile p]\nregion = x\nservices = s\nendpoint_url = http://a\n[services s]\ns3 =\n endpoint_url = http://b\n\0[p]\naws_access_key_id = k\n"s,
      "p[default]\na = b\n\0[p]\na = b\nA = c\n"s,
      R"j(j{"Version": 1, "AccessKeyId": "k", "SecretAccessKey": "s", "SessionToken": "t", "Expiration": "2030-01-01T00:00:00Z"})j",
      R"j(j{"Version": 1, "AccessKeyId": "k", "SecretAccessKey": "s"})j",
      "uhttps://s3.eu-west-1.amazonaws.com",
      "uhttp://[::1]:9000/base/",
      "uhost:80",
      "u127.0.0.1",
      "d2009-10-12T17:50:30.123Z",
      "d20130524T000000+0230",
      "dFri, 24 May 2013 00:00:00 GMT",
  };
}

}  // namespace

const fuzz::target fuzz::s3_profile{"s3_profile", run, seeds};
