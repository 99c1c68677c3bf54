// SPDX-License-Identifier: Apache-2.0
#include <corolith/run/detail/nested_messages.hpp>

#include <corolith/run/detail/block_builder.hpp>
#include <corolith/run/detail/outcome.hpp>

#include "support.hpp"

using namespace run_test;
using corolith::detail::element_block;

namespace {

element_block block_of(std::initializer_list<std::string_view> elements) {
  detail::block_builder builder;
  for (std::string_view each : elements) {
    builder.bytes().append(std::as_bytes(std::span(each)));
    builder.end_element();
  }
  return builder.take();
}

std::string element_text(const element_block& block, std::uint32_t index) {
  const shared_bytes bytes = block.element(index);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

TEST_CASE("elements travel from a worker to the driver as they are", "[run]") {
  element_block sent = block_of({"one", "", "three"});
  sent.first = 40;
  const element_block got = detail::unpack_elements(detail::pack_elements(7, sent));
  CHECK(got.first == 40);
  REQUIRE(got.count() == 3);
  CHECK(element_text(got, 40) == "one");
  CHECK(element_text(got, 41).empty());
  CHECK(element_text(got, 42) == "three");
}

TEST_CASE("elements that do not fit their index are refused", "[run]") {
  const shared_bytes packed = detail::pack_elements(7, block_of({"one", "two"}));
  for (std::size_t size = 0; size < packed.size(); ++size)
    CHECK_THROWS_AS(detail::unpack_elements(packed.slice(0, size)), error);
  element_block wrong = block_of({"one", "two"});
  SECTION("past the end") { wrong.ends[1] = 7; }
  SECTION("backwards") { wrong.ends[0] = 6, wrong.ends[1] = 3; }
  SECTION("far away") { wrong.ends[0] = ~std::uint64_t{0}; }
  CHECK_THROWS_AS(detail::unpack_elements(detail::pack_elements(7, wrong)), codec_error);
}

TEST_CASE("outcomes travel from the driver to a worker as they are", "[run]") {
  detail::call_outcome sent = detail::make_failure({3, 4, 5}, wire::outcome_kind::exception, "broken");
  sent.host = std::make_shared<const std::string>("node1");
  sent.head.pid = 99;
  sent.submitted_ns = 1;
  sent.sent_ns = 2;
  sent.received_ns = 3;
  const shared_bytes packed = detail::pack_outcome(sent);
  const detail::call_outcome got = detail::unpack_outcome(packed);
  CHECK(got.head.id == sent.head.id);
  CHECK(got.head.kind == sent.head.kind);
  CHECK(got.head.pid == 99);
  CHECK(*got.host == "node1");
  CHECK(got.submitted_ns == 1);
  CHECK(got.sent_ns == 2);
  CHECK(got.received_ns == 3);
  CHECK(wire::unpack<wire::failure>(got.payload).what == "broken");
  const std::size_t least = sizeof(detail::nested_result) + 5;
  for (std::size_t size = 0; size < least; ++size)
    CHECK_THROWS_AS(detail::unpack_outcome(packed.slice(0, size)), error);
}
