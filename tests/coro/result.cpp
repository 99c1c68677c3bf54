// SPDX-License-Identifier: Apache-2.0
#include <corolith/coro/result.hpp>

#include <catch2/catch.hpp>

#include <exception>
#include <memory>
#include <stdexcept>
#include <utility>

namespace cl = corolith;

TEST_CASE("a result holds a value") {
  cl::result<std::unique_ptr<int>> held(std::make_unique<int>(3));
  REQUIRE(held.has_value());
  REQUIRE(held);
  REQUIRE(held.error() == nullptr);
  REQUIRE(*held.value() == 3);
  std::unique_ptr<int> taken = std::move(held).value();
  REQUIRE(*taken == 3);
}

TEST_CASE("a result holds an exception") {
  const cl::result<int> held(std::make_exception_ptr(std::range_error("far")));
  REQUIRE_FALSE(held.has_value());
  REQUIRE(held.error() != nullptr);
  REQUIRE_THROWS_AS(held.value(), std::range_error);
}

TEST_CASE("a result of nothing") {
  cl::result<void> good;
  good.value();
  REQUIRE(good.has_value());
  cl::result<void> bad(std::make_exception_ptr(1));
  REQUIRE_THROWS_AS(bad.value(), int);
}

TEST_CASE("a result whose value is an exception_ptr is a value") {
  cl::result<std::exception_ptr> held(std::in_place, std::make_exception_ptr(1));
  REQUIRE(held.has_value());
  REQUIRE(held.value() != nullptr);
}
