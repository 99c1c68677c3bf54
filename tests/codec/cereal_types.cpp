// SPDX-License-Identifier: Apache-2.0
// Classes that say how they are sent in each of cereal's ways, with cereal's own headers for std types beside them.
#include <cereal/types/base_class.hpp>
#include <cereal/types/chrono.hpp>
#include <cereal/types/forward_list.hpp>
#include <cereal/types/map.hpp>
#include <cereal/types/memory.hpp>
#include <cereal/types/optional.hpp>
#include <cereal/types/polymorphic.hpp>
#include <cereal/types/queue.hpp>
#include <cereal/types/string.hpp>
#include <cereal/types/tuple.hpp>
#include <cereal/types/unordered_map.hpp>
#include <cereal/types/valarray.hpp>
#include <cereal/types/variant.hpp>
#include <cereal/types/vector.hpp>

#include <corolith/codec/archive.hpp>

#include <catch2/catch.hpp>

#include <forward_list>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <valarray>
#include <vector>

namespace cl = corolith;
namespace codec = corolith::codec;

namespace shapes {

class with_serialize {
 public:
  with_serialize() = default;
  with_serialize(int a, std::string b) : a_(a), b_(std::move(b)) {}
  bool operator==(const with_serialize&) const = default;

 private:
  friend class cereal::access;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(a_), cereal::make_nvp("text", b_));
  }
  int a_ = 0;
  std::string b_;
};

struct with_save_load {
  std::vector<int> values;
  template <class Archive>
  void save(Archive& archive) const {
    archive << values.size();
    for (const int v : values) archive << v;
  }
  template <class Archive>
  void load(Archive& archive) {
    std::size_t size = 0;
    archive >> size;
    for (std::size_t i = 0; i < size; ++i) {
      int v = 0;
      archive >> v;
      values.push_back(v);
    }
  }
};

struct outside {
  explicit outside(int v = 0) : value(v) {}
  int value;
};
template <class Archive>
void serialize(Archive& archive, outside& o) {
  archive & o.value;
}

struct minimal_number {
  explicit minimal_number(int v = 0) : value(v) {}
  int value;
  template <class Archive>
  int save_minimal(const Archive&) const {
    return value;
  }
  template <class Archive>
  void load_minimal(const Archive&, const int& v) {
    value = v;
  }
};
struct minimal_text {
  explicit minimal_text(std::string v = "") : value(std::move(v)) {}
  std::string value;
  template <class Archive>
  std::string save_minimal(const Archive&) const {
    return value;
  }
  template <class Archive>
  void load_minimal(const Archive&, const std::string& v) {
    value = v;
  }
};

struct versioned {
  int a = 0;
  std::uint32_t seen = 0;
  template <class Archive>
  void serialize(Archive& archive, std::uint32_t version) {
    archive(a);
    seen = version;
  }
};

struct base : with_serialize {
  using with_serialize::with_serialize;
};
struct derived : with_serialize {
  derived() = default;
  derived(int a, std::string b, double c) : with_serialize(a, std::move(b)), c_(c) {}
  double c_ = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(cereal::base_class<with_serialize>(this), c_);
  }
};

struct raw_bytes {
  std::vector<double> values;
  template <class Archive>
  void save(Archive& archive) const {
    archive(cereal::make_size_tag(static_cast<cereal::size_type>(values.size())));
    archive(cereal::binary_data(values.data(), values.size() * sizeof(double)));
  }
  template <class Archive>
  void load(Archive& archive) {
    cereal::size_type size = 0;
    archive(cereal::make_size_tag(size));
    values.resize(size);
    archive(cereal::binary_data(values.data(), values.size() * sizeof(double)));
  }
};

struct animal {
  virtual ~animal() = default;
  virtual std::string says() const = 0;
  int legs = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(legs);
  }
};
struct dog : animal {
  std::string name;
  std::string says() const override { return name + " barks"; }
  template <class Archive>
  void serialize(Archive& archive) {
    archive(cereal::base_class<animal>(this), name);
  }
};

struct failing {
  template <class Archive>
  void save(Archive&) const {}
  template <class Archive>
  void load(Archive&) {
    throw cereal::Exception("not today");
  }
};

}  // namespace shapes

CEREAL_CLASS_VERSION(shapes::versioned, 7)
CEREAL_REGISTER_TYPE(shapes::dog)
CEREAL_REGISTER_POLYMORPHIC_RELATION(shapes::animal, shapes::dog)

namespace {

template <class T>
cl::byte_buffer bytes_for(const T& value) {
  STATIC_REQUIRE(codec::serialisable<T>);
  cl::byte_buffer buffer;
  codec::encode(buffer, value);
  return buffer;
}
template <class T>
T round_trip(const T& value) {
  return codec::decode_all<T>(bytes_for(value).span());
}

}  // namespace

TEST_CASE("each of cereal's ways") {
  using namespace shapes;
  CHECK(round_trip(with_serialize(3, "abc")) == with_serialize(3, "abc"));
  CHECK(round_trip(with_save_load{{1, 2, 3}}).values == std::vector<int>{1, 2, 3});
  CHECK(round_trip(outside(4)).value == 4);
  CHECK(round_trip(minimal_number(5)).value == 5);
  CHECK(round_trip(minimal_text("text")).value == "text");
  CHECK(round_trip(base(1, "b")) == base(1, "b"));
  CHECK(round_trip(derived(1, "b", 2.5)).c_ == 2.5);
  CHECK(round_trip(derived(1, "b", 2.5)) == derived(1, "b", 2.5));
  CHECK(round_trip(raw_bytes{{1, 2}}).values == std::vector<double>{1, 2});
}

TEST_CASE("class versions travel once an archive") {
  const std::vector<shapes::versioned> two(2);
  CHECK(bytes_for(two).size() == 1 + 4 + 2 * 4);
  const auto back = round_trip(two);
  CHECK(back.at(0).seen == 7);
  CHECK(back.at(1).seen == 7);
}

TEST_CASE("in containers, whose encoding is ours although cereal's headers are here") {
  using namespace shapes;
  const std::map<std::string, std::vector<with_serialize>> m{{"a", {{1, "x"}, {2, "y"}}}};
  CHECK(round_trip(m) == m);
  CHECK(bytes_for(std::vector<int>{1, 2}).size() == 1 + 8);
  CHECK(bytes_for(std::string("abc")).size() == 1 + 3);
  CHECK(round_trip(std::make_unique<with_serialize>(1, "a"))->operator==(with_serialize(1, "a")));
  const std::unordered_map<int, std::optional<double>> numbers{{1, 2.5}, {2, std::nullopt}};
  CHECK(round_trip(numbers) == numbers);
  cl::byte_buffer huge;  // a length that cereal's own loader would believe
  codec::output_archive(huge).write_length(std::uint64_t{1} << 50);
  CHECK_THROWS_AS(codec::decode_all<std::vector<with_serialize>>(huge.span()), cl::codec_error);
}

TEST_CASE("types that only cereal knows go through its headers, lengths checked") {
  const std::forward_list<int> list{1, 2, 3};
  CHECK(round_trip(list) == list);
  const std::valarray<double> values{1, 2, 3};
  CHECK(round_trip(values).sum() == 6);
  cl::byte_buffer huge;
  codec::output_archive(huge).write_length(std::uint64_t{1} << 50);
  CHECK_THROWS_AS(codec::decode_all<std::forward_list<int>>(huge.span()), cl::codec_error);
  CHECK_THROWS_AS(codec::decode_all<std::valarray<double>>(huge.span()), cl::codec_error);
  CHECK_THROWS_AS(codec::decode_all<shapes::raw_bytes>(huge.span()), cl::codec_error);
}

TEST_CASE("pointers to registered bases") {
  auto rex = std::make_unique<shapes::dog>();
  rex->legs = 4;
  rex->name = "Rex";
  const std::unique_ptr<shapes::animal> pet = std::move(rex);
  const auto back = round_trip(pet);
  CHECK(back->says() == "Rex barks");
  CHECK(back->legs == 4);

  cl::byte_buffer bytes = bytes_for(pet);
  bytes.data()[8] ^= std::byte{1};  // in the name of the class
  CHECK_THROWS_AS(codec::decode_all<std::unique_ptr<shapes::animal>>(bytes.span()), cl::codec_error);
}

TEST_CASE("what cereal throws is a codec_error") {
  CHECK_THROWS_AS(codec::decode_all<shapes::failing>(cl::byte_span()), cl::codec_error);
  CHECK_THROWS_WITH(codec::decode_all<shapes::failing>(cl::byte_span()), Catch::Contains("not today"));
}
