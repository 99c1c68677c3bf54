// SPDX-License-Identifier: Apache-2.0
#include <corolith/codec/archive.hpp>

#include <catch2/catch.hpp>

#include <array>
#include <bitset>
#include <chrono>
#include <complex>
#include <deque>
#include <filesystem>
#include <limits>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <variant>
#include <vector>

namespace cl = corolith;
namespace codec = corolith::codec;

namespace {

template <class T>
cl::byte_buffer bytes_for(const T& value) {
  cl::byte_buffer buffer;
  codec::encode(buffer, value);
  return buffer;
}

template <class T>
T round_trip(const T& value) {
  return codec::decode_all<T>(bytes_for(value).span());
}

template <class T>
void same(const T& value) {
  STATIC_REQUIRE(codec::serialisable<T>);
  CHECK(round_trip(value) == value);
}

enum class colour : std::uint8_t { red = 1, green = 200 };
enum plain { first, second };

}  // namespace

TEST_CASE("numbers and enums keep their bits") {
  same(true);
  same(false);
  same('x');
  same(std::int8_t{-5});
  same(std::numeric_limits<std::int64_t>::min());
  same(std::numeric_limits<std::uint64_t>::max());
  same(std::byte{7});
  same(1.5f);
  same(-0.1);
  same(std::numeric_limits<double>::infinity());
  same(2.5L);
  same(u'\u20ac');
  same(colour::green);
  same(second);
  CHECK(bytes_for(std::int32_t{0x01020304}).span()[0] == std::byte{4});
  CHECK(bytes_for(true).size() == 1);
}

TEST_CASE("text and contiguous ranges") {
  same(std::string());
  same(std::string("a\0b", 3));
  same(std::string(100'000, 'x'));
  same(std::wstring(L"wide"));
  same(std::u16string(u"\u20ac"));
  same(std::vector<int>{});
  same(std::vector<double>{1, 2, 3});
  same(std::vector<std::byte>(1000, std::byte{3}));
  same(std::vector<std::string>{"a", "", "c"});
  same(std::vector<std::vector<int>>{{1}, {}, {2, 3}});
  same(std::array<double, 3>{1, 2, 3});
  same(std::array<std::string, 2>{"a", "b"});
  same(std::array<bool, 3>{true, false, true});
  same(std::array<int, 0>{});
  CHECK(bytes_for(std::vector<double>(100)).size() == 1 + 800);
  CHECK(bytes_for(std::vector<double>(200)).size() == 2 + 1600);
  CHECK(bytes_for(std::array<double, 100>{}).size() == 800);
}

TEST_CASE("vector<bool> and bitset take eight to a byte") {
  for (std::size_t n : {0u, 1u, 7u, 8u, 9u, 64u, 1001u}) {
    std::vector<bool> bits(n);
    for (std::size_t i = 0; i < n; i += 3) bits[i] = true;
    same(bits);
  }
  CHECK(bytes_for(std::vector<bool>(64)).size() == 1 + 8);
  same(std::bitset<0>());
  same(std::bitset<5>(0b10110));
  same(std::bitset<130>("1" + std::string(128, '0') + "1"));
}

TEST_CASE("views are sent as what they show") {
  const std::vector<int> numbers{1, 2, 3};
  CHECK(codec::decode_all<std::vector<int>>(bytes_for(std::span(numbers)).span()) == numbers);
  CHECK(codec::decode_all<std::string>(bytes_for(std::string_view("abc")).span()) == "abc");
  const std::array<int, 2> pair{4, 5};
  CHECK(codec::decode_all<std::array<int, 2>>(bytes_for(std::span<const int, 2>(pair)).span()) == pair);
  STATIC_REQUIRE(codec::encodable<std::span<const int>>);
  STATIC_REQUIRE(!codec::decodable<std::span<const int>>);
  STATIC_REQUIRE(!codec::serialisable<std::string_view>);
}

TEST_CASE("node containers") {
  same(std::deque<std::string>{"a", "b"});
  same(std::list<int>{1, 2, 3});
  same(std::map<std::string, std::vector<int>>{{"a", {1}}, {"b", {}}});
  same(std::multimap<int, int>{{1, 2}, {1, 3}, {2, 1}});
  same(std::set<std::string>{"x", "y"});
  same(std::set<int, std::greater<>>{1, 2, 3});
  same(std::multiset<int>{1, 1, 2});
  same(std::unordered_map<int, std::string>{{1, "a"}, {2, "b"}});
  same(std::unordered_multimap<int, int>{{1, 2}, {1, 3}});
  same(std::unordered_set<std::string>{"a", "b"});
  same(std::unordered_multiset<int>{1, 1, 2});
}

TEST_CASE("products and sums") {
  same(std::pair<int, std::string>{1, "a"});
  same(std::tuple<>{});
  same(std::tuple<int, std::string, std::vector<double>>{1, "a", {2.5}});
  same(std::optional<int>{});
  same(std::optional<std::string>{"a"});
  same(std::optional<std::optional<int>>{std::optional<int>{}});
  same(std::monostate{});
  using either = std::variant<std::monostate, int, std::string, std::vector<int>>;
  same(either{});
  same(either{3});
  same(either{"text"});
  same(either{std::vector<int>{1}});
  same(std::variant<int, int>{std::in_place_index<1>, 4});
  same(std::complex<double>{1, -2});
  same(std::vector<std::complex<float>>{{1, 2}, {3, 4}});
}

TEST_CASE("time and paths") {
  using namespace std::chrono_literals;
  same(15ms);
  same(std::chrono::duration<double, std::ratio<60>>(1.5));
  same(std::chrono::system_clock::now());
  same(std::chrono::steady_clock::time_point(3ns));
  same(std::filesystem::path("/a/b c"));
  same(std::filesystem::path());
}

TEST_CASE("a unique_ptr is its value or nothing") {
  CHECK(round_trip(std::unique_ptr<int>()) == nullptr);
  CHECK(*round_trip(std::make_unique<std::string>("a")) == "a");
  CHECK(*round_trip(std::make_unique<const int>(3)) == 3);
  std::vector<std::unique_ptr<int>> many;
  many.push_back(std::make_unique<int>(1));
  many.push_back(nullptr);
  const auto back = round_trip(many);
  REQUIRE(back.size() == 2);
  CHECK(*back[0] == 1);
  CHECK(back[1] == nullptr);
}

TEST_CASE("shared pointers to one object stay so") {
  const auto one = std::make_shared<std::string>("a");
  const std::vector<std::shared_ptr<std::string>> several{one, nullptr, one, std::make_shared<std::string>("a")};
  const auto back = round_trip(several);
  REQUIRE(back.size() == 4);
  CHECK(*back[0] == "a");
  CHECK(back[1] == nullptr);
  CHECK(back[2] == back[0]);
  CHECK(back[3] != back[0]);
  CHECK(*back[3] == "a");
}

TEST_CASE("an object and its first member are two objects for shared pointers") {
  struct outer {
    int first = 3;
    int second = 4;
  };
  const auto whole = std::make_shared<outer>();
  const std::pair<std::shared_ptr<outer>, std::shared_ptr<int>> both{whole, std::shared_ptr<int>(whole, &whole->first)};
  const auto back = round_trip(both);
  CHECK(back.first->second == 4);
  CHECK(*back.second == 3);
}

TEST_CASE("shared_bytes are a slice of the input when the archive shares it, else a copy") {
  const cl::shared_bytes payload = cl::shared_bytes::copy(cl::bytes_of(std::uint64_t{77}));
  cl::byte_buffer buffer;
  codec::encode(buffer, std::pair<int, cl::shared_bytes>{1, payload});
  const cl::shared_bytes whole = buffer.release();

  const auto copied = codec::decode_all<std::pair<int, cl::shared_bytes>>(whole.span());
  CHECK((copied.second.data() < whole.data() || copied.second.data() >= whole.data() + whole.size()));
  const auto sliced = codec::decode_all<std::pair<int, cl::shared_bytes>>(whole);
  CHECK(sliced.second.data() == whole.data() + 5);
  for (const auto& back : {copied, sliced}) {
    REQUIRE(back.second.size() == payload.size());
    CHECK(std::memcmp(back.second.data(), payload.data(), payload.size()) == 0);
  }
  CHECK(round_trip(cl::shared_bytes()).empty());
}

TEST_CASE("values one after another are read one after another") {
  cl::byte_buffer buffer;
  codec::encode(buffer, 1, std::string("b"));
  codec::encode(buffer, 2.5);
  cl::byte_span rest = buffer.span();
  CHECK(codec::decode<int>(rest) == 1);
  CHECK(codec::decode<std::string>(rest) == "b");
  CHECK_THROWS_AS(codec::decode_all<float>(rest), cl::codec_error);
  CHECK(rest.size() == 8);
  CHECK(codec::decode<double>(rest) == 2.5);
  CHECK(rest.empty());
  CHECK_THROWS_AS(codec::decode<char>(rest), cl::codec_error);
}

TEST_CASE("what cannot be sent is known at compile time") {
  STATIC_REQUIRE(!codec::serialisable<int*>);
  STATIC_REQUIRE(!codec::serialisable<std::vector<const char*>>);
  STATIC_REQUIRE(!codec::serialisable<std::map<int, std::optional<void (*)()>>>);
  STATIC_REQUIRE(!codec::serialisable<std::mutex>);
  STATIC_REQUIRE(!codec::serialisable<void>);
  STATIC_REQUIRE(!codec::serialisable<int&>);
  STATIC_REQUIRE(!codec::serialisable<std::function<int()>>);
}

TEST_CASE("an archive that throws leaves the buffer as it was") {
  struct explosive {
    int value = 0;
    void save(codec::output_archive& archive) const {
      archive(value);
      throw std::runtime_error("no");
    }
    void load(codec::input_archive& archive) { archive(value); }
  };
  cl::byte_buffer buffer;
  codec::encode(buffer, 1);
  CHECK_THROWS_AS(codec::encode(buffer, std::string("abc"), explosive{}), std::runtime_error);
  CHECK(buffer.size() == 4);
}
