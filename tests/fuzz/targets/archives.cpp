// SPDX-License-Identifier: Apache-2.0
// The codec: a byte that chooses a type, then bytes that may be a value of it.
#include "../decoding.hpp"

#include <array>
#include <bitset>
#include <chrono>
#include <complex>
#include <deque>
#include <filesystem>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <variant>
#include <vector>

using namespace corolith;

namespace {

struct point {
  double x = 0;
  std::int16_t y = 0;
};
enum class colour : std::uint8_t { red, green };
struct record {
  int id = 0;
  std::string name;
  std::vector<double> values;
  std::optional<point> where;
  std::variant<std::monostate, int, std::string, std::vector<point>> extra;
  bool flags[3] = {};
  colour paint = colour::red;
};
struct tree {
  std::uint8_t value = 0;
  std::vector<tree> children;
};
struct chain {
  std::uint8_t value = 0;
  std::unique_ptr<chain> next;
};
struct nothing {
  auto operator<=>(const nothing&) const = default;
};
struct versioned {
  int a = 0;
  std::string b;
  template <class Archive>
  void serialize(Archive& archive, std::uint32_t version) {
    archive(a);
    if (version < 2) archive(b);
  }
};

using numbers = std::tuple<std::int8_t, std::uint64_t, float, bool, char, colour>;
using nested = std::vector<std::vector<std::vector<std::uint16_t>>>;
using words = std::map<std::string, std::vector<std::string>>;
using hashed = std::unordered_map<std::uint32_t, std::unordered_set<std::string>>;
using choice = std::variant<std::monostate, int, std::string, std::vector<point>, std::unique_ptr<point>>;
using times = std::tuple<std::chrono::system_clock::time_point, std::chrono::milliseconds, std::chrono::hours>;
using pointers = std::tuple<std::vector<std::shared_ptr<int>>, std::shared_ptr<std::string>, std::unique_ptr<record>>;
using sequences = std::pair<std::deque<std::list<std::uint16_t>>, std::array<std::optional<bool>, 3>>;
using odd = std::tuple<std::vector<bool>, std::bitset<70>, std::complex<float>, std::filesystem::path, std::wstring>;
using sets = std::pair<std::set<std::pair<int, std::string>>, std::multimap<char, nothing>>;

constexpr fuzz::decoder types[] = {
    {fuzz::decode_as<numbers>},
    {fuzz::decode_as<std::string>},
    {fuzz::decode_as<nested>},
    {fuzz::decode_as<words>},
    {fuzz::decode_as<hashed, false>},
    {fuzz::decode_as<choice>},
    {fuzz::decode_as<times>},
    {fuzz::decode_as<pointers>},
    {fuzz::decode_as<sequences>},
    {fuzz::decode_as<odd>},
    {fuzz::decode_as<sets>},
    {fuzz::decode_as<std::vector<record>>},
    {fuzz::decode_as<tree>},
    {fuzz::decode_as<chain>},
    {fuzz::decode_as<std::vector<nothing>>},
    {fuzz::decode_as<std::vector<versioned>>},
    {fuzz::decode_as<std::pair<shared_bytes, std::vector<shared_bytes>>>},
    {fuzz::decode_as<std::optional<std::optional<std::vector<std::optional<point>>>>>},
};

void run(byte_span input) { fuzz::decode_one_of(types, input); }

std::vector<std::string> seeds() {
  std::vector<std::string> made;
  char which = 0;
  const auto add = [&](const auto& value) { made.push_back(which++ + fuzz::encoded(value)); };
  add(numbers{-1, 1u << 31, 2.5f, true, 'c', colour::green});
  add(std::string("some text"));
  add(nested{{{1, 2}, {}}, {}, {{3}}});
  add(words{{"a", {"x", "yy"}}, {"b", {}}});
  add(hashed{{1, {"a", "b"}}, {2, {}}});
  add(choice{std::vector<point>{{1, 2}, {3, 4}}});
  add(times{std::chrono::system_clock::time_point(std::chrono::nanoseconds(5)), 3, 4});
  const auto number = std::make_shared<int>(7);
  add(pointers{std::vector{number, std::shared_ptr<int>(), number}, std::make_shared<std::string>("s"),
               std::make_unique<record>()});
  add(sequences{{{1, 2}, {}}, {true, std::nullopt, false}});
  add(odd{{true, false, true}, std::bitset<70>(12345), {1, 2}, "/a/b", L"wide"});
  add(sets{{{1, "a"}, {2, "b"}}, {{'x', {}}, {'x', {}}}});
  add(std::vector<record>{{1, "name", {1, 2}, point{1, 2}, std::string("e"), {true}, colour::green}, {}});
  add(tree{1, {{2, {}}, {3, {{4, {}}}}}});
  add(chain{1, std::make_unique<chain>(chain{2, nullptr})});
  add(std::vector<nothing>(5));
  add(std::vector<versioned>{{1, "a"}, {2, "b"}});
  const shared_bytes bytes = shared_bytes::copy(bytes_of(std::array<int, 3>{1, 2, 3}));
  add(std::pair(bytes, std::vector{bytes, shared_bytes()}));
  add(std::optional(std::optional(std::vector{std::optional<point>{{1, 2}}, std::optional<point>{}})));
  return made;
}

}  // namespace

const fuzz::target fuzz::archives{"archives", run, seeds};
