// SPDX-License-Identifier: Apache-2.0
#include <corolith/codec/bind.hpp>
#include <corolith/codec/function.hpp>

#include <catch2/catch.hpp>

#include "call_here.hpp"
#include "function_other.hpp"
#include "shared/library.hpp"

#include <array>
#include <atomic>
#include <coroutine>
#include <memory>
#include <numeric>
#include <optional>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <vector>

namespace cl = corolith;
namespace codec = corolith::codec;

// A minimal coroutine type, resolved by result_adapter as run/ does it for task<T>.
template <class T>
struct lazy {
  struct promise_type {
    T value{};
    std::exception_ptr problem;
    lazy get_return_object() { return lazy(std::coroutine_handle<promise_type>::from_promise(*this)); }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_value(T v) { value = std::move(v); }
    void unhandled_exception() { problem = std::current_exception(); }
  };
  explicit lazy(std::coroutine_handle<promise_type> h) : handle(h) {}
  lazy(lazy&& other) noexcept : handle(std::exchange(other.handle, nullptr)) {}
  ~lazy() {
    if (handle) handle.destroy();
  }
  std::coroutine_handle<promise_type> handle;
};

template <class T>
struct corolith::v0::codec::result_adapter<lazy<T>> {
  using type = T;
  static T resolve(lazy<T>&& result) {
    result.handle.resume();
    if (result.handle.promise().problem) std::rethrow_exception(result.handle.promise().problem);
    return std::move(result.handle.promise().value);
  }
};

namespace {

int who() { return 1; }  // function_other.cpp and the shared library have one each

double area(std::uint64_t seed, long samples) { return static_cast<double>(seed) * static_cast<double>(samples); }
int overloaded(int x) { return x; }
double overloaded(double x) { return x * 10; }
template <class T, int N>
T multiplied(T x) {
  return x * N;
}
int no_throw(int x) noexcept { return x + 1; }
std::string by_reference(const std::vector<int>& v, std::string&& s, const std::string& t) {
  return s + t + std::to_string(v.size());
}
double sum(std::span<const double> values) { return std::accumulate(values.begin(), values.end(), 0.0); }
int sum_three(std::span<const int, 3> values) { return values[0] + values[1] + values[2]; }
std::string twice(std::string_view text) { return std::string(text) + std::string(text); }
std::size_t view_by_reference(const std::string_view& text) { return text.size(); }
int calls_of_nothing = 0;
void nothing(int n) { calls_of_nothing += n; }
std::unique_ptr<int> plus_one(std::unique_ptr<int> value) {
  ++*value;
  return value;
}
const std::string& longest(const std::vector<std::string>& words) {
  const auto* best = &words.at(0);
  for (const auto& word : words) {
    if (word.size() > best->size()) best = &word;
  }
  return *best;
}
std::string_view first_word(const std::string& text) { return std::string_view(text).substr(0, text.find(' ')); }
std::span<const int> tail(const std::vector<int>& values) { return std::span(values).subspan(1); }
std::optional<int> maybe(bool yes) { return yes ? std::optional(3) : std::nullopt; }
int throws(int x) { throw std::out_of_range("number " + std::to_string(x)); }
int add(int a, int b, int c) { return a + 10 * b + 100 * c; }

lazy<int> coroutine(const std::vector<int>& values, std::string_view text) {
  co_return static_cast<int>(values.size() + text.size());  // read after the call returned
}
lazy<int> failing_coroutine(int x) {
  if (x > 0) throw std::runtime_error("from inside");
  co_return 0;
}

struct account {
  int balance = 0;
  std::string owner;
  int total(int extra) const { return balance + extra; }
  int deposit(int amount) noexcept { return balance += amount; }
  std::string take_owner() && { return std::move(owner); }
};

struct scaled {
  double factor = 1;
  std::vector<double> offsets;
  double operator()(double x) const { return factor * x + std::accumulate(offsets.begin(), offsets.end(), 0.0); }
};
struct counting {  // changes itself when called
  int calls = 0;
  int operator()(int x) { return x + ++calls; }
};
struct private_state {
  private_state() = default;
  explicit private_state(int s) : secret(s) {}
  int operator()(int x) const { return x * secret; }
  template <class Archive>
  void serialize(Archive& archive) {
    archive(secret);
  }

 private:
  int secret = 0;
};
struct coroutine_object {
  int state = 0;
  lazy<int> operator()(int x) { co_return state + x; }  // reads *this after the call returned
};

struct counted_copies {
  inline static int decoded = 0, copied = 0;
  std::vector<int> values;
  counted_copies() = default;
  explicit counted_copies(std::vector<int> v) : values(std::move(v)) {}
  counted_copies(const counted_copies& other) : values(other.values) { ++copied; }
  counted_copies(counted_copies&&) = default;
  counted_copies& operator=(const counted_copies&) = default;
  counted_copies& operator=(counted_copies&&) = default;
  template <class Archive>
  void save(Archive& archive) const {
    archive(values);
  }
  template <class Archive>
  void load(Archive& archive) {
    archive(values);
    ++decoded;
  }
};
int read_shared(int x, const counted_copies& shared) { return x + shared.values.at(0); }
int spoil_shared(int x, std::vector<int> shared) { return x + std::exchange(shared.at(0), -1); }
int consume_shared(int x, std::unique_ptr<int> shared) { return x + *shared; }

template <class F>
codec::function_key key_of(F) {
  return codec::single_call<F, int>::key();
}

}  // namespace

TEST_CASE("functions of every kind") {
  CHECK(here::call<area>(2, 3) == 6.0);
  CHECK(here::call<&area>(2u, 3L) == 6.0);
  CHECK(here::call<static_cast<int (*)(int)>(overloaded)>(4) == 4);
  CHECK(here::call<static_cast<double (*)(double)>(overloaded)>(4) == 40);
  CHECK(here::call<multiplied<int, 3>>(4) == 12);
  CHECK(here::call<multiplied<double, 4>>(0.5) == 2.0);
  CHECK(here::call<no_throw>(1) == 2);
  CHECK(here::call<by_reference>(std::vector<int>{1, 2}, "a", std::string("b")) == "ab2");
  CHECK(here::call<maybe>(true) == 3);
  CHECK(here::call<maybe>(false) == std::nullopt);
  calls_of_nothing = 0;
  here::call<nothing>(5);
  CHECK(calls_of_nothing == 5);
}

TEST_CASE("views as parameters and results travel as what they show") {
  CHECK(here::call<sum>(std::vector<double>{1, 2, 3}) == 6);
  CHECK(here::call<sum>(std::array<double, 2>{1, 2}) == 3);
  const std::vector<double> numbers{1, 2, 3, 4};
  CHECK(here::call<sum>(std::span(numbers).subspan(1)) == 9);
  CHECK(here::call<sum_three>(std::array{1, 2, 3}) == 6);
  CHECK(here::call<twice>("ab") == "abab");
  CHECK(here::call<twice>(std::string_view("ab")) == "abab");
  CHECK(here::call<view_by_reference>("abc") == 3);
  CHECK(here::call<longest>(std::vector<std::string>{"a", "bcd", "ef"}) == "bcd");
  CHECK(here::call<first_word>("one two") == "one");
  CHECK(here::call<tail>(std::vector<int>{1, 2, 3}) == std::vector<int>{2, 3});
}

TEST_CASE("move-only arguments and results") { CHECK(*here::call<plus_one>(std::make_unique<int>(4)) == 5); }

TEST_CASE("member functions take their object first") {
  CHECK(here::call<&account::total>(account{10, "me"}, 5) == 15);
  CHECK(here::call<&account::deposit>(account{10, "me"}, 5) == 15);
  CHECK(here::call<&account::take_owner>(account{10, "me"}) == "me");
}

TEST_CASE("lambdas without captures, plain, generic and as template arguments") {
  const auto doubled = [](int x) { return 2 * x; };
  const auto tripled = [](int x) { return 3 * x; };
  CHECK(here::call(doubled, 5) == 10);
  CHECK(here::call(tripled, 5) == 15);
  CHECK(key_of(doubled) != key_of(tripled));
  const auto generic = [](const auto& x) { return x.size(); };
  CHECK(here::call(generic, std::string("abc")) == 3);
  CHECK(here::call(generic, std::vector<int>{1}) == 1);
  CHECK(here::call(generic, "four") == 4);
  CHECK(here::call([](auto x, auto... more) { return (x + ... + more); }, 1, 2.5, 3) == 6.5);
  CHECK(here::call<[](int x) { return x + 100; }>(1) == 101);
  const auto with_default = [=](int x) { return x + 1; };  // a capture default, and nothing captured
  CHECK(here::call(with_default, 1) == 2);
  CHECK(*here::call([](std::unique_ptr<int> p) { return p; }, std::make_unique<int>(3)) == 3);
}

TEST_CASE("function objects bring their state") {
  CHECK(here::call(scaled{2, {1, 2}}, 10) == 23);
  CHECK(here::call(counting{5}, 1) == 7);
  CHECK(here::call(private_state(7), 6) == 42);
}

TEST_CASE("coroutines are resolved while their arguments are alive") {
  CHECK(here::call<coroutine>(std::vector<int>{1, 2}, "abc") == 5);
  CHECK(here::map_one(codec::fixed<coroutine>{}, std::vector<int>{1, 2}, "abcd") == 6);
  CHECK_THROWS_WITH(here::call<failing_coroutine>(1), "from inside");
  CHECK(here::call([](std::string s) -> lazy<std::string> { co_return s + s; }, "a") == "aa");
  CHECK(here::call(coroutine_object{4}, 3) == 7);
}

TEST_CASE("bound arguments come first") {
  const auto bound = codec::bind<add>(1, 2);
  CHECK(bound(3) == 321);
  CHECK(here::call(bound, 3) == 321);
  CHECK(here::map_one(bound, 4) == 421);
  CHECK(here::call(codec::bind<by_reference>(std::array{1, 2}, "x"), "y") == "xy2");
  CHECK(here::call(codec::bind<twice>("ab")) == "abab");
  CHECK(here::call(codec::bind<sum>(std::vector<double>{1, 2})) == 3);
  CHECK(here::call(codec::bind<add>(), 1, 2, 3) == 321);
}

TEST_CASE("a map's element is spread when the function takes its parts") {
  CHECK(here::map_one(codec::fixed<add>{}, std::pair{1, 2}, 3) == 321);
  CHECK(here::map_one(codec::fixed<add>{}, std::tuple{1, 2, 3}) == 321);
  CHECK(here::map_one(codec::fixed<add>{}, std::array{1, 2, 3}) == 321);
  CHECK(here::map_one(codec::fixed<add>{}, 1, 2, 3) == 321);
  const auto whole = [](std::pair<int, int> p, int n) { return p.first + p.second + n; };
  CHECK(here::map_one(whole, std::pair{1, 2}, 3) == 6);
  CHECK(here::map_one([](auto a, auto b) { return a + b; }, std::pair{1, 2.5}) == 3.5);
  CHECK(here::map_one([](auto p) { return p.first; }, std::pair{1, 2.5}) == 1);
  STATIC_REQUIRE(codec::spreads_v<codec::fixed<add>, std::pair<int, int>, int>);
  STATIC_REQUIRE(!codec::spreads_v<decltype(whole), std::pair<int, int>, int>);
  STATIC_REQUIRE(!codec::spreads_v<codec::fixed<sum_three>, std::array<int, 3>>);
}

TEST_CASE("what a function throws comes out as it is") {
  CHECK_THROWS_AS(here::call<throws>(3), std::out_of_range);
  CHECK_THROWS_WITH(here::call<throws>(3), "number 3");
}

TEST_CASE("arguments that cannot be read are a codec_error that says which") {
  using mapped = codec::map_call<codec::fixed<area>, int, int>;
  cl::byte_buffer shared, element;
  mapped::function::encode_shared(shared, {}, 1);
  mapped::encode_element(element, 1);
  CHECK(here::run<mapped::function>(shared.span(), element.span()) == 1.0);
  CHECK_THROWS_WITH(here::run<mapped::function>(shared.span(), element.span().first(3)),
                    Catch::StartsWith("the call's arguments"));
  CHECK_THROWS_WITH(here::run<mapped::function>(shared.span().first(3), element.span()),
                    Catch::StartsWith("the shared arguments"));
  CHECK_THROWS_AS(here::run<mapped::function>(shared.span(), shared.span().first(0)), cl::codec_error);
}

TEST_CASE("shared arguments are decoded once a batch, and no call spoils them for the next") {
  const auto run_twice = [](const auto& callable, const auto& shared_argument) {
    using mapped =
        codec::map_call<std::remove_cvref_t<decltype(callable)>, int, std::remove_cvref_t<decltype(shared_argument)>>;
    cl::byte_buffer shared, element;
    mapped::function::encode_shared(shared, callable, shared_argument);
    mapped::encode_element(element, 1);
    std::shared_ptr<void> cache;
    const int first = here::run<typename mapped::function>(shared.span(), element.span(), &cache);
    return std::pair(first, here::run<typename mapped::function>(shared.span(), element.span(), &cache));
  };
  counted_copies::decoded = counted_copies::copied = 0;
  CHECK(run_twice(codec::fixed<read_shared>{}, counted_copies({5})) == std::pair(6, 6));
  CHECK(counted_copies::decoded == 1);
  CHECK(counted_copies::copied == 0);
  CHECK(run_twice(codec::fixed<spoil_shared>{}, std::vector<int>{5}) == std::pair(6, 6));
  CHECK(run_twice(codec::fixed<consume_shared>{}, std::make_unique<int>(5)) == std::pair(6, 6));

  using counter = codec::map_call<counting, int>;
  cl::byte_buffer shared, element;
  counter::function::encode_shared(shared, counting{});
  counter::encode_element(element, 1);
  std::shared_ptr<void> cache;
  CHECK(here::run<counter::function>(shared.span(), element.span(), &cache) == 2);
  CHECK(here::run<counter::function>(shared.span(), element.span(), &cache) == 2);
}

TEST_CASE("namesakes in other files and in a shared library are other functions") {
  const auto own = codec::single_call<codec::fixed<who>>::key();
  const auto others = other::key_of_who();
  const auto hidden = library::hidden();
  CHECK(own != others);
  CHECK(own.module == others.module);
  CHECK(own.module != hidden.key.module);
  CHECK(own.module != 0);
  CHECK(hidden.key.module != 0);
  CHECK(here::call<who>() == 1);
  CHECK(other::call_who() == 2);
  CHECK(codec::find_function(hidden.key) == hidden.entry);
  CHECK(here::call<library::greet>("you") == "hello you");
  CHECK(other::call_lambda() == 20);
  CHECK(here::call([] { return 10; }) == 10);
}

TEST_CASE("only registered keys are found") {
  const auto key = codec::single_call<codec::fixed<who>>::key();
  CHECK(codec::find_function(key) != nullptr);
  CHECK(codec::find_function({}) == nullptr);
  CHECK(codec::find_function({key.module, key.offset + 1}) == nullptr);
  CHECK(codec::find_function({key.module + 1, key.offset}) == nullptr);
  CHECK_THAT(codec::describe_function({key.module, key.offset + 1}), Catch::Contains("unknown"));
}

TEST_CASE("keys have readable names") {
  const auto name = [](codec::function_key key) { return codec::describe_function(key); };
  CHECK_THAT(name(codec::single_call<codec::fixed<library::greet>, std::string>::key()),
             Catch::Contains("library::greet"));
  CHECK_THAT(name(codec::single_call<codec::fixed<area>, int, int>::key()), Catch::Contains("area"));
  CHECK_THAT(name(codec::single_call<codec::fixed<&account::total>, account, int>::key()),
             Catch::Contains("account::total"));
  CHECK_THAT(name(key_of([](int x) { return x; })), Catch::Contains("lambda"));
}

TEST_CASE("look-ups from many threads") {
  const auto key = codec::single_call<codec::fixed<area>, int, int>::key();
  std::atomic<int> found{0};
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 1000; ++n) {
        if (codec::find_function(key) != nullptr && codec::single_call<codec::fixed<who>>::key() != key) ++found;
      }
    });
  }
  threads.clear();
  CHECK(found == 4000);
}
