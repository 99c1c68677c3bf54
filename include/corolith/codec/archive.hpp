// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/codec/detail/objects.hpp>
#include <corolith/codec/detail/supported.hpp>
#include <corolith/core/bytes.hpp>
#include <corolith/core/error.hpp>

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

// How values become bytes and bytes become values.
//
// The encoding carries no types and no names: both ends are the same program.
//   numbers, enums          their bytes, little-endian; bool one byte, 0 or 1
//   lengths                 LEB128: 7 bits a byte, the low ones first, so lengths below 128 take one byte
//   strings, containers     length, then the elements; a contiguous run of numbers is one memcpy, and before one of 4 KiB and more there is a
//                           byte that says how many zeros follow, which bring it to a multiple of 64 bytes
//   std::array, T[N], pair, tuple, aggregates, complex     the elements, nothing else
//   optional, unique_ptr    one byte, 0 or 1, then the value if there is one
//   variant                 index as a length, then the value
//   vector<bool>, bitset    eight to a byte
//   other classes           what their cereal serialize / save writes
//
// Bytes may come from anywhere: a length is checked against what is left before anything is allocated, containers grow
// as their elements arrive, and nesting is bounded. Whatever the bytes, the outcome is a value or a codec_error.
namespace corolith::inline v0::codec {

static_assert(std::endian::native == std::endian::little, "corolith's encoding is little-endian; this machine is not");

/// Containers, pointers and user-serialised classes may nest this deep; a deeper value is a codec_error on both ends.
inline constexpr std::size_t max_depth = 512;

/// Container elements that take no bytes (empty structs and the like) may fill this much memory in one archive.
inline constexpr std::size_t max_empty_bytes = std::size_t{1} << 20;

/// Long runs of numbers begin at multiples of this many bytes, counted from where the buffer begins that they are written to.
inline constexpr std::size_t run_alignment = 64;
/// Runs of so many bytes.
inline constexpr std::size_t aligned_from = 4096;

namespace detail {
template <class T>
constexpr bool is_aligned_run(std::size_t count) noexcept {
  return sizeof(T) > 1 && count >= aligned_from / sizeof(T);
}
}  // namespace detail

/// Writes values at the end of a byte_buffer: a cereal output archive. Not thread-safe.
class output_archive : public cereal::OutputArchive<output_archive, cereal::AllowEmptyClassElision> {
  using base_type = cereal::OutputArchive<output_archive, cereal::AllowEmptyClassElision>;

 public:
  /// `buffer` must outlive the archive.
  explicit output_archive(byte_buffer& buffer) : base_type(this), buffer_(&buffer) {}

  template <class... T>
  output_archive& operator()(T&&... values) {
    (save_one(values), ...);
    return *this;
  }
  template <class T>
  output_archive& operator&(T&& value) {
    return (*this)(value);
  }
  template <class T>
  output_archive& operator<<(T&& value) {
    return (*this)(value);
  }

  template <class T>
  void save_one(const T& value);

  /// One element of a container, which may take no bytes only within max_empty_bytes.
  template <class T>
  void save_element(const T& value) {
    const std::size_t before = buffer_->size();
    save_one(value);
    if (buffer_->size() == before) charge_empty(sizeof(T));
  }

  void write(const void* data, std::size_t size) {
    if (size != 0) std::memcpy(buffer_->extend(size), data, size);
  }

  /// To be called between the length and the elements of a run of numbers, so that who gets them can look at them where they are.
  template <class T>
  void write_padding(std::size_t count) {
    if (!detail::is_aligned_run<T>(count)) return;
    const std::size_t zeros = (run_alignment - (buffer_->size() + 1) % run_alignment) % run_alignment;
    std::byte* place = buffer_->extend(1 + zeros);
    std::memset(place, 0, 1 + zeros);
    *place = static_cast<std::byte>(zeros);
  }

  void write_length(std::uint64_t length) {
    if (length < 0x80) {
      *buffer_->extend(1) = static_cast<std::byte>(length);
      return;
    }
    std::byte bytes[10];
    std::size_t size = 0;
    for (; length >= 0x80; length >>= 7) bytes[size++] = static_cast<std::byte>((length & 0x7f) | 0x80);
    bytes[size++] = static_cast<std::byte>(length);
    write(bytes, size);
  }

  /// The number of what a shared_ptr points to in this archive, and whether it is new.
  template <class T>
  std::pair<std::uint64_t, bool> number_of(const std::shared_ptr<T>& object) {
    return objects_.number_of(object);
  }

 private:
  void charge_empty(std::size_t size) {
    if (size > empty_budget_) detail::fail_empty();
    empty_budget_ -= size;
  }

  byte_buffer* buffer_;
  std::size_t depth_ = 0;
  std::size_t empty_budget_ = max_empty_bytes;
  detail::written_objects objects_;
};

/// Reads values from bytes that it does not own: a cereal input archive. Not thread-safe.
class input_archive : public cereal::InputArchive<input_archive, cereal::AllowEmptyClassElision> {
  using base_type = cereal::InputArchive<input_archive, cereal::AllowEmptyClassElision>;

 public:
  /// `bytes` must outlive the archive, not the values read from it.
  explicit input_archive(byte_span bytes) : base_type(this), next_(bytes.data()), left_(bytes.size()) {}
  /// shared_bytes values read from it are slices of `bytes`, not copies.
  explicit input_archive(const shared_bytes& bytes) : input_archive(bytes.span()) { owner_ = bytes; }
  /// The same for a part of what `owner` holds.
  input_archive(byte_span bytes, const shared_bytes& owner) : input_archive(bytes) { owner_ = owner; }

  template <class... T>
  input_archive& operator()(T&&... values) {
    (load_one(values), ...);
    return *this;
  }
  template <class T>
  input_archive& operator&(T&& value) {
    return (*this)(value);
  }
  template <class T>
  input_archive& operator>>(T&& value) {
    return (*this)(value);
  }

  template <class T>
  void load_one(T& value);

  /// One element of a container, which may take no bytes only within max_empty_bytes.
  template <class T>
  void load_element(T& value) {
    const std::size_t before = left_;
    load_one(value);
    if (left_ == before) charge_empty(sizeof(T));
  }

  /// Bytes not read yet.
  std::size_t left() const noexcept { return left_; }
  byte_span rest() const noexcept { return {next_, left_}; }

  void read(void* data, std::size_t size) {
    if (size > left_) detail::fail_short(size, left_);
    if (size != 0) std::memcpy(data, next_, size);
    skip(size);
  }

  template <class T>
  void skip_padding(std::size_t count) {
    if (!detail::is_aligned_run<T>(count)) return;
    std::uint8_t zeros = 0;
    read(&zeros, 1);
    if (zeros >= run_alignment)
      detail::fail("a run of numbers has too much padding (corrupt, or written as another type)");
    pass_over(zeros);
  }
  /// Leaves the next bytes to somebody who looks at them where they are.
  void pass_over(std::size_t size) {
    if (size > left_) detail::fail_short(size, left_);
    skip(size);
  }

  std::uint64_t read_varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (left_ == 0) detail::fail_short(1, 0);
      const auto byte = std::to_integer<std::uint64_t>(*next_);
      skip(1);
      if (shift == 63 && byte > 1) break;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    detail::fail("a length has more than 64 bits");
  }

  /// The length of a container of T, checked against the bytes that are left.
  template <class T>
  std::size_t read_length() {
    const std::uint64_t count = read_varint();
    if constexpr (detail::bulk<T>) {
      if (count > left_ / sizeof(T)) detail::fail_length(count, left_);
    } else {
      if (count > left_ + empty_budget_ / sizeof(T)) detail::fail_length(count, left_);
    }
    return static_cast<std::size_t>(count);
  }

  /// How many of `count` announced elements to reserve memory for: no more memory than there are bytes left.
  template <class T>
  std::size_t affordable(std::size_t count) const noexcept {
    return std::min(count, left_ / sizeof(T));
  }

  /// The next bytes: a slice when the archive shares its input, else a copy.
  shared_bytes take_bytes(std::size_t size) {
    if (size > left_) detail::fail_short(size, left_);
    const byte_span bytes{next_, size};
    skip(size);
    if (owner_.empty()) return shared_bytes::copy(bytes);
    return owner_.slice(static_cast<std::size_t>(bytes.data() - owner_.data()), size);
  }

  template <class T>
  std::shared_ptr<T> object_of(std::uint64_t number) const {
    return objects_.template find<T>(number);
  }
  template <class T>
  void add_object(std::uint64_t number, const std::shared_ptr<T>& object) {
    objects_.add(number, object);
  }

 private:
  void skip(std::size_t size) noexcept {
    next_ += size;
    left_ -= size;
  }
  void charge_empty(std::size_t size) {
    if (size > empty_budget_) detail::fail_empty();
    empty_budget_ -= size;
  }

  const std::byte* next_;
  std::size_t left_;
  std::size_t depth_ = 0;
  std::size_t empty_budget_ = max_empty_bytes;
  shared_bytes owner_;
  detail::read_objects objects_;
};

namespace detail {

/// Counts one level of nesting while it lives.
class level {
 public:
  explicit level(std::size_t& depth) : depth_(depth) {
    if (depth_ >= max_depth) fail_depth(max_depth);
    ++depth_;
  }
  ~level() { --depth_; }
  level(const level&) = delete;
  level& operator=(const level&) = delete;

 private:
  std::size_t& depth_;
};

template <class T>
struct cereal_wrapper : std::false_type {};
template <class T>
struct cereal_wrapper<cereal::NameValuePair<T>> : std::true_type {};
template <class T>
struct cereal_wrapper<cereal::SizeTag<T>> : std::true_type {};
template <class T>
struct cereal_wrapper<cereal::BinaryData<T>> : std::true_type {};
template <class T>
struct cereal_wrapper<cereal::base_class<T>> : std::true_type {};

/// What only cereal's base class can handle.
template <class T>
struct cereal_internal : std::false_type {};
template <class T>
struct cereal_internal<cereal::virtual_base_class<T>> : std::true_type {};
template <class T>
struct cereal_internal<cereal::DeferredData<T>> : std::true_type {};

template <class T>
void save_wrapper(output_archive& archive, const cereal::NameValuePair<T>& pair) {
  archive.save_one(pair.value);
}
template <class T>
void save_wrapper(output_archive& archive, const cereal::SizeTag<T>& tag) {
  archive.write_length(tag.size);
}
template <class T>
void save_wrapper(output_archive& archive, const cereal::BinaryData<T>& data) {
  archive.write(data.data, static_cast<std::size_t>(data.size));
}
template <class T>
void save_wrapper(output_archive& archive, const cereal::base_class<T>& base) {
  archive.save_one(static_cast<const T&>(*base.base_ptr));
}

template <class T>
void load_wrapper(input_archive& archive, cereal::NameValuePair<T>& pair) {
  archive.load_one(pair.value);
}
// Of an unknown container: every element must take at least a byte.
template <class T>
void load_wrapper(input_archive& archive, cereal::SizeTag<T>& tag) {
  const std::uint64_t count = archive.read_varint();
  if (count > archive.left()) fail_length(count, archive.left());
  tag.size = static_cast<std::remove_reference_t<T>>(count);
}
template <class T>
void load_wrapper(input_archive& archive, cereal::BinaryData<T>& data) {
  archive.read(data.data, static_cast<std::size_t>(data.size));
}
template <class T>
void load_wrapper(input_archive& archive, cereal::base_class<T>& base) {
  archive.load_one(*base.base_ptr);
}

template <class T>
inline constexpr bool always_false = false;

}  // namespace detail

template <class T>
void output_archive::save_one(const T& value) {
  if constexpr (detail::number_or_enum<T>) {
    write(&value, sizeof(T));
  } else if constexpr (detail::has_std_type<T>) {
    const detail::level here(depth_);
    detail::std_type<T>::save(*this, value);
  } else if constexpr (detail::cereal_wrapper<T>::value) {
    detail::save_wrapper(*this, value);
  } else if constexpr (std::is_pointer_v<T>) {
    static_assert(detail::always_false<T>,
                  "corolith cannot send a pointer, which means nothing in another process: send a value, a "
                  "std::vector, a std::span, "
                  "a std::string or a std::unique_ptr");
  } else if constexpr (detail::saved_by_user<T> || detail::cereal_internal<T>::value) {
    const detail::level here(depth_);
    base_type::operator()(value);
  } else if constexpr (std::is_empty_v<T>) {
    // nothing to say
  } else if constexpr (plain_aggregate<T>) {
    detail::with_members(value, [this](const auto&... member) { (this->save_one(member), ...); });
  } else {
    static_assert(
        detail::always_false<T>,
        "corolith cannot send this type: make it a plain aggregate, or give it a cereal serialize(Archive&) member");
  }
}

template <class T>
void input_archive::load_one(T& value) {
  if constexpr (std::is_const_v<T>) {
    base_type::operator()(value);
  } else if constexpr (std::is_same_v<T, bool>) {
    std::uint8_t byte = 0;
    read(&byte, 1);
    if (byte > 1) detail::fail("a bool is neither 0 nor 1 (corrupt, or written as another type)");
    value = byte != 0;
  } else if constexpr (detail::number_or_enum<T>) {
    read(&value, sizeof(T));
  } else if constexpr (detail::has_std_type<T>) {
    const detail::level here(depth_);
    detail::std_type<T>::load(*this, value);
  } else if constexpr (detail::cereal_wrapper<T>::value) {
    detail::load_wrapper(*this, value);
  } else if constexpr (detail::loaded_by_user<T> || detail::cereal_internal<T>::value) {
    const detail::level here(depth_);
    base_type::operator()(value);
  } else if constexpr (std::is_empty_v<T>) {
    // nothing was said
  } else if constexpr (plain_aggregate<T>) {
    detail::with_members(value, [this](auto&... member) { (this->load_one(member), ...); });
  } else {
    static_assert(
        detail::always_false<T>,
        "corolith cannot receive this type: make it a plain aggregate, or give it a cereal serialize(Archive&) member");
  }
}

// What cereal itself looks for when it asks whether a type can go through these archives.
template <class T>
  requires std::is_arithmetic_v<T>
void CEREAL_SAVE_FUNCTION_NAME(output_archive& archive, const T& value) {
  archive.save_one(value);
}
template <class T>
  requires std::is_arithmetic_v<T>
void CEREAL_LOAD_FUNCTION_NAME(input_archive& archive, T& value) {
  archive.load_one(value);
}
// For save_minimal that returns a string; a plain function wins against the template of cereal/types/string.hpp.
inline void CEREAL_SAVE_FUNCTION_NAME(output_archive& archive, const std::string& value) { archive.save_one(value); }
inline void CEREAL_LOAD_FUNCTION_NAME(input_archive& archive, std::string& value) { archive.load_one(value); }
template <class T>
  requires detail::cereal_wrapper<T>::value
void CEREAL_SAVE_FUNCTION_NAME(output_archive& archive, const T& value) {
  detail::save_wrapper(archive, value);
}
template <class T>
  requires detail::cereal_wrapper<T>::value
void CEREAL_LOAD_FUNCTION_NAME(input_archive& archive, T& value) {
  detail::load_wrapper(archive, value);
}

/// Writes the values one after another at the end of `buffer`. On an exception the buffer is as it was before.
/// Throws codec_error for a value that cannot be sent (nested too deep, valueless variant), and what a user's serialize
/// throws.
template <class... T>
void encode(byte_buffer& buffer, const T&... values) {
  const std::size_t before = buffer.size();
  try {
    output_archive archive(buffer);
    archive(values...);
  } catch (const cereal::Exception& problem) {
    buffer.truncate(before);
    detail::fail_cereal(problem.what());
  } catch (...) {
    buffer.truncate(before);
    throw;
  }
}

namespace detail {

template <class T>
T decode_one(input_archive& archive) {
  static_assert(
      decodable<T>,
      "corolith cannot receive this type: make it a plain aggregate, or give it a default constructor and a cereal "
      "serialize(Archive&) member");
  if constexpr (decodable<T>) {
    try {
      T value{};
      archive.load_one(value);
      return value;
    } catch (const cereal::Exception& problem) {
      fail_cereal(problem.what());
    }
  }
}

template <class T>
T decode_whole(input_archive& archive) {
  T value = decode_one<T>(archive);
  if (archive.left() != 0) fail_trailing(archive.left());
  return value;
}

}  // namespace detail

/// Reads one value from the front of `bytes` and advances it past what was read. Throws codec_error; `bytes` is then
/// unchanged.
template <class T>
[[nodiscard]] T decode(byte_span& bytes) {
  input_archive archive(bytes);
  T value = detail::decode_one<T>(archive);
  bytes = archive.rest();
  return value;
}

/// Reads one value from all of `bytes`; bytes left over are a codec_error.
template <class T>
[[nodiscard]] T decode_all(byte_span bytes) {
  input_archive archive(bytes);
  return detail::decode_whole<T>(archive);
}

/// The same, and shared_bytes inside the value are slices of `bytes` instead of copies.
template <class T>
[[nodiscard]] T decode_all(const shared_bytes& bytes) {
  input_archive archive(bytes);
  return detail::decode_whole<T>(archive);
}

}  // namespace corolith::inline v0::codec

CEREAL_REGISTER_ARCHIVE(corolith::v0::codec::output_archive)
CEREAL_REGISTER_ARCHIVE(corolith::v0::codec::input_archive)
CEREAL_SETUP_ARCHIVE_TRAITS(corolith::v0::codec::input_archive, corolith::v0::codec::output_archive)
