// SPDX-License-Identifier: Apache-2.0
#include <corolith/codec/archive.hpp>

#include <catch2/catch.hpp>

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

namespace cl = corolith;
namespace codec = corolith::codec;

namespace {

template <class T>
T round_trip(const T& value) {
  cl::byte_buffer buffer;
  codec::encode(buffer, value);
  return codec::decode_all<T>(buffer.span());
}

struct nothing {
  bool operator==(const nothing&) const = default;
};
struct point {
  double x = 0, y = 0;
  bool operator==(const point&) const = default;
};
struct box {
  point corners[2];
  std::array<int, 3> tags{};
  std::string name;
  bool operator==(const box&) const = default;
};
struct scene {
  static constexpr int version = 4;  // a static member is not sent
  std::vector<box> boxes;
  std::optional<point> eye;
  std::map<std::string, box> named;
  std::variant<int, box> extra;
  nothing empty;
  std::tuple<int, point> pair;
  bool operator==(const scene&) const = default;
};
struct matrices {
  int before = 0;
  double m[2][3] = {};
  char text[4] = {};
  std::unique_ptr<int> pointer;  // move-only
  std::vector<int> after;
};
struct tree {
  int value = 0;
  std::vector<tree> children;
  std::map<std::string, tree> named;
};
struct chain {
  int value = 0;
  std::unique_ptr<chain> next;
};
struct many {
  int a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t;
  std::string last;
  bool operator==(const many&) const = default;
};
class picky {  // its default constructor is explicit, so {} does not make it
 public:
  explicit picky() = default;
  explicit picky(int v) : value(v) {}
  template <class Archive>
  void serialize(Archive& archive) {
    archive(value);
  }
  int value = 0;
};
struct holds_picky {
  int before = 0;
  picky inside = picky(1);
  int after = 0;
};
struct base {
  int a = 0;
};
struct derived : base {
  int b = 0;
};
struct from_empty : nothing {
  int b = 0;
};
struct says_how {
  int a = 0;
  int not_sent = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(a);
  }
};
struct inherits_how : says_how {
  int b = 0;
};
struct fixed_member {
  const int a = 1;
};

}  // namespace

TEST_CASE("aggregates are sent member by member") {
  const box b{{{1, 2}, {3, 4}}, {5, 6, 7}, "name"};
  CHECK(round_trip(b) == b);
  const scene s{{b, b}, point{1, 2}, {{"one", b}}, b, {}, {3, {4, 5}}};
  CHECK(round_trip(s) == s);
  CHECK(scene::version == 4);
  CHECK(round_trip(nothing{}) == nothing{});
  const many m{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, "last"};
  CHECK(round_trip(m) == m);

  cl::byte_buffer buffer;
  codec::encode(buffer, point{1, 2});
  CHECK(buffer.size() == 16);  // the members and nothing else
}

TEST_CASE("C arrays and move-only members") {
  matrices m;
  m.before = 1;
  m.m[1][2] = 6;
  m.text[3] = 'x';
  m.pointer = std::make_unique<int>(9);
  m.after = {1, 2};
  const matrices back = round_trip(m);
  CHECK(back.before == 1);
  CHECK(back.m[1][2] == 6);
  CHECK(back.text[3] == 'x');
  CHECK(*back.pointer == 9);
  CHECK(back.after == std::vector<int>{1, 2});
  STATIC_REQUIRE(codec::detail::member_count<matrices>::value == 5);
  STATIC_REQUIRE(codec::detail::member_count<box>::value == 3);
}

TEST_CASE("types that contain themselves") {
  STATIC_REQUIRE(codec::serialisable<tree>);
  tree t{1, {{2, {}, {}}, {3, {{4, {}, {}}}, {}}}, {}};
  t.named["x"] = {5, {}, {}};
  const tree back = round_trip(t);
  CHECK(back.children.at(1).children.at(0).value == 4);
  CHECK(back.named.at("x").value == 5);

  STATIC_REQUIRE(codec::serialisable<chain>);
  chain c{1, std::make_unique<chain>(chain{2, std::make_unique<chain>(chain{3, nullptr})})};
  CHECK(round_trip(c).next->next->value == 3);
}

TEST_CASE("members that only their own constructors make") {
  const holds_picky back = round_trip(holds_picky{1, picky(2), 3});
  CHECK(back.before == 1);
  CHECK(back.inside.value == 2);
  CHECK(back.after == 3);
}

TEST_CASE("a class that says how it is sent is sent so, aggregate or not") {
  const says_how back = round_trip(says_how{1, 2});
  CHECK(back.a == 1);
  CHECK(back.not_sent == 0);
}

TEST_CASE("aggregates with bases need a serialize of their own") {
  STATIC_REQUIRE(!codec::serialisable<derived>);
  STATIC_REQUIRE(!codec::serialisable<from_empty>);
  STATIC_REQUIRE(codec::serialisable<inherits_how>);  // as in cereal, the inherited one counts
  STATIC_REQUIRE(codec::encodable<fixed_member>);
  STATIC_REQUIRE(!codec::decodable<fixed_member>);
}

TEST_CASE("local and anonymous types") {
  struct local {
    int a;
    std::vector<point> points;
  };
  const local back = round_trip(local{1, {{2, 3}}});
  CHECK(back.a == 1);
  CHECK(back.points.at(0).y == 3);
}
