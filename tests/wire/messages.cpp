// SPDX-License-Identifier: Apache-2.0
#include <corolith/wire/messages.hpp>

#include "support.hpp"

using namespace wire_test;

TEST_CASE("messages are packed and unpacked") {
  welcome sent;
  sent.session = "s1";
  sent.modules = {{"/usr/bin/x", "x", {1, 2, 3}, 77, true}, {"/lib/y.so", "y.so", {}, 5, false}};
  sent.working_directory = "/tmp";
  sent.environment = {"A=1", "B="};
  sent.heartbeat_ms = 1000;
  sent.silence_ms = -1;
  auto got = unpack<welcome>(pack(sent));
  CHECK(got.session == "s1");
  REQUIRE(got.modules.size() == 2);
  CHECK(got.modules[0].sha256 == sent.modules[0].sha256);
  CHECK(got.modules[0].executable);
  CHECK(got.modules[1].name == "y.so");
  CHECK(got.environment == sent.environment);
  CHECK(got.silence_ms == -1);

  batch_open open{9, {1, 2}, {}, shared("arguments")};
  open.limits.environment = {"OMP_NUM_THREADS=1"};
  auto opened = unpack<batch_open>(pack(open));
  CHECK(opened.batch == 9);
  CHECK(opened.function.offset == 2);
  CHECK(text(opened.shared) == "arguments");
  CHECK(opened.limits.environment == open.limits.environment);
  CHECK(text(pack(open)) == text(pack_front(open)) + text(open.shared));  // which need not be one run of bytes

  CHECK(pack(agent_ready{}).empty());
  CHECK_NOTHROW(unpack<agent_ready>({}));
  CHECK_THROWS_AS(unpack<agent_ready>(bytes("x")), codec_error);
}

TEST_CASE("the batch comes first in every body that is ordered by it") {
  std::uint64_t batch = 0x0102030405060708;
  CHECK(read_head<std::uint64_t>(pack(batch_open{batch, {}, {}, {}})) == batch);
  CHECK(read_head<std::uint64_t>(pack(batch_close{batch})) == batch);
  CHECK(read_head<std::uint64_t>(pack(wire::output_line{{batch, 1, 1}, 2, 1, "x"})) == batch);
  CHECK(read_head<std::uint64_t>(bytes_of(call_id{batch, 1, 1})) == batch);
  CHECK(read_head<std::uint64_t>(bytes_of(result_head{{batch, 1, 1}, 0, outcome_kind::value, {}, 0, 0})) == batch);
}

TEST_CASE("truncated messages are codec errors") {
  shared_bytes whole = pack(agent_hello{"node1", 42, 8, 1, 1 << 30, "tag"});
  for (std::size_t size = 0; size < whole.size(); ++size)
    CHECK_THROWS_AS(unpack<agent_hello>(whole.span().first(size)), codec_error);
  CHECK_THROWS_AS(read_head<result_head>(whole.span().first(10)), codec_error);
}
