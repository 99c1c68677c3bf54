// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/bytes.hpp>
#include <corolith/coro/generator.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace corolith {
inline namespace v0 {

/// The content of a file, as the source of a put: `co_await store.put("key", from_file("results.bin"))`.
class from_file {
 public:
  explicit from_file(std::string path) : path_(std::move(path)) {}
  const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
};

/// Where the bytes of a new object come from. Lvalues and views are only looked at, so they must live until the put has ended; rvalues
/// are taken over.
class object_source {
 public:
  using byte_stream = generator<std::vector<std::byte>>;

  object_source(byte_span borrowed) : content_(borrowed) {}
  object_source(std::string_view borrowed) : content_(std::as_bytes(std::span(borrowed))) {}
  object_source(const char* borrowed) : object_source(std::string_view(borrowed)) {}
  object_source(const std::string& borrowed) : object_source(std::string_view(borrowed)) {}
  object_source(std::string&& owned) : object_source(own(std::move(owned))) {}
  object_source(const std::vector<std::byte>& borrowed) : object_source(byte_span(borrowed)) {}
  object_source(std::vector<std::byte>&& owned) : object_source(own(std::move(owned))) {}
  object_source(shared_bytes owned)
      : content_(owned.span()), owner_(std::make_shared<shared_bytes>(std::move(owned))) {}
  /// Nothing needs to be known of the length.
  object_source(byte_stream stream) : content_(std::move(stream)) {}
  object_source(from_file file) : content_(std::move(file)) {}

  /// One of the three is there.
  const byte_span* bytes() const noexcept { return std::get_if<byte_span>(&content_); }
  const from_file* file() const noexcept { return std::get_if<from_file>(&content_); }
  byte_stream* stream() noexcept { return std::get_if<byte_stream>(&content_); }

 private:
  template <class Container>
  static object_source own(Container&& content) {
    auto kept = std::make_shared<Container>(std::move(content));
    object_source source{std::as_bytes(std::span(*kept))};
    source.owner_ = std::move(kept);
    return source;
  }

  std::variant<byte_span, byte_stream, from_file> content_;
  std::shared_ptr<const void> owner_;
};

}  // namespace v0
}  // namespace corolith
