// SPDX-License-Identifier: Apache-2.0
#include <corolith/wire/address.hpp>

#include <catch2/catch.hpp>

using corolith::config_error;
using corolith::wire::address;

TEST_CASE("addresses are read and written") {
  CHECK(address::parse("unix:/run/x y") == address::unix_path("/run/x y"));
  CHECK(address::parse("tcp:node7:4000") == address::tcp("node7", 4000));
  CHECK(address::parse("tcp:[::1]:0") == address::tcp("::1", 0));
  for (const char* text : {"unix:/run/corolith/driver", "tcp:node7:4000", "tcp:[fe80::1]:65535", "tcp:10.0.0.1:1"})
    CHECK(address::parse(text).to_string() == text);
}

TEST_CASE("what is no address is refused with the reason") {
  for (const char* text :
       {"", "unix:", "/run/x", "tcp:", "tcp:host", "tcp::80", "tcp:host:", "tcp:host:65536", "tcp:host:8x",
        "tcp:host:-1", "tcp:::1:80", "tcp:[::1:80", "tcp:[::1]", "tcp:[]:80", "udp:host:80"}) {
    INFO(text);
    CHECK_THROWS_AS(address::parse(text), config_error);
  }
  CHECK_THROWS_WITH(address::parse("tcp:::1:80"), Catch::Contains("needs brackets"));
  CHECK_THROWS_WITH(address::parse("tcp:[[x]:80"), Catch::Contains("holds a bracket"));
}
