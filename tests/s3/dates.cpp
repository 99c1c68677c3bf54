// SPDX-License-Identifier: Apache-2.0
#include <corolith/s3/detail/dates.hpp>

#include <catch2/catch.hpp>

#include <chrono>
#include <string>

using namespace corolith::s3;
using namespace corolith::s3::detail;
using namespace std::chrono_literals;

namespace {

time_point at_unix(std::int64_t seconds) { return time_point(std::chrono::seconds(seconds)); }

}  // namespace

TEST_CASE("dates of HTTP are read and written") {
  REQUIRE(parse_http_date("Fri, 24 May 2013 00:00:00 GMT") == at_unix(1369353600));
  REQUIRE(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT") == at_unix(784111777));
  REQUIRE(format_http_date(at_unix(784111777)) == "Sun, 06 Nov 1994 08:49:37 GMT");
  REQUIRE(format_http_date(at_unix(951782400) + 999ms) == "Tue, 29 Feb 2000 00:00:00 GMT");
  for (const char* bad :
       {"", "Fri", "Fri, 24 May 2013 00:00:00", "Fri, 24 May 2013 00:00:00 CET", "Fri, 31 Feb 2013 00:00:00 GMT",
        "Fri, 24 Mai 2013 00:00:00 GMT", "Fri, 24 May 2013 24:00:00 GMT", "Fri, 24 May 2013 00:60:00 GMT",
        "Fri, 24 May 9999 00:00:00 GMT", "Fri, 24 May 2013 00:00:00 GMT ", "Fri, 4 May 2013 00:00:00 GMT",
        "Xyz, 24 May 2013 00:00:00 GMT", "Fri, -4 May 2013 00:00:00 GMT"}) {
    CAPTURE(bad);
    REQUIRE_FALSE(parse_http_date(bad));
  }
}

TEST_CASE("dates of ISO 8601 are read and written") {
  REQUIRE(parse_iso_date("2009-10-12T17:50:30.000Z") == at_unix(1255369830));
  REQUIRE(parse_iso_date("2009-10-12T17:50:30Z") == at_unix(1255369830));
  REQUIRE(parse_iso_date("2009-10-12T17:50:30.25Z") == at_unix(1255369830) + 250ms);
  REQUIRE(parse_iso_date("2009-10-12T17:50:30.123456789999Z") == at_unix(1255369830) + 123456789ns);
  REQUIRE(parse_iso_date("2009-10-12T19:50:30+02:00") == at_unix(1255369830));
  REQUIRE(parse_iso_date("2009-10-12T10:20:30-0730") == at_unix(1255369830));
  REQUIRE(parse_iso_date("20130524T000000Z") == at_unix(1369353600));
  REQUIRE(format_iso_date(at_unix(1255369830) + 7ms) == "2009-10-12T17:50:30.007Z");
  REQUIRE(format_amz_date(at_unix(1369353600)) == "20130524T000000Z");
  REQUIRE(format_amz_date(at_unix(-1) + 1ms) == "19691231T235959Z");
  for (const char* bad :
       {"", "Z", "2009-10-12", "2009-10-12T17:50:30", "2009-10-12T17:50:30.Z", "2009-13-12T17:50:30Z",
        "2009-02-29T17:50:30Z", "2009-10-12 17:50:30Z", "2009-10-12T17:50:61Z", "2009-10-12T25:50:30Z",
        "0001-01-01T00:00:00Z", "2009-10-12T17:50:30ZZ", "2009-10-12T17:5.000Z", "2009-10-12T17:50:30+2:00",
        "200910-12T17:50:30Z", "2009-10-12T175030Z"}) {
    CAPTURE(bad);
    REQUIRE_FALSE(parse_iso_date(bad));
  }
}

TEST_CASE("a date that is written is read again as the same") {
  for (std::int64_t seconds = -2'000'000'000; seconds < 8'000'000'000; seconds += 86'400 * 97 + 3'723) {
    const time_point when = at_unix(seconds);
    REQUIRE(parse_http_date(format_http_date(when)) == when);
    REQUIRE(parse_iso_date(format_iso_date(when)) == when);
    REQUIRE(parse_iso_date(format_amz_date(when)) == when);
  }
}
