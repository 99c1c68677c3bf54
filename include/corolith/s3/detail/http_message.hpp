// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace corolith::inline v0::s3::detail {

/// ASCII only: header names, hosts and hexadecimal digits.
inline char to_lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

inline bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return to_lower(x) == to_lower(y); });
}

struct header_field {
  std::string name;
  std::string value;
};

/// The header fields of a message in their order. Names are compared without regard to case.
class header_list {
 public:
  using const_iterator = std::vector<header_field>::const_iterator;

  /// Replaces whatever fields of that name are there.
  void set(std::string_view name, std::string value) {
    remove(name);
    add(std::string(name), std::move(value));
  }
  void add(std::string name, std::string value) { fields_.push_back({std::move(name), std::move(value)}); }
  /// How many fields of that name there were.
  std::size_t remove(std::string_view name) {
    return std::erase_if(fields_, [&](const header_field& field) { return equal_ignoring_case(field.name, name); });
  }
  /// The first value of that name, or null. Valid until the list changes.
  const std::string* find(std::string_view name) const noexcept {
    for (const header_field& field : fields_)
      if (equal_ignoring_case(field.name, name)) return &field.value;
    return nullptr;
  }
  /// The first value of that name; empty when there is none.
  std::string value(std::string_view name) const {
    const std::string* found = find(name);
    return found == nullptr ? std::string() : *found;
  }
  bool contains(std::string_view name) const noexcept { return find(name) != nullptr; }

  const_iterator begin() const noexcept { return fields_.begin(); }
  const_iterator end() const noexcept { return fields_.end(); }
  std::size_t size() const noexcept { return fields_.size(); }
  bool empty() const noexcept { return fields_.empty(); }
  void clear() noexcept { fields_.clear(); }
  void reserve(std::size_t count) { fields_.reserve(count); }

 private:
  std::vector<header_field> fields_;
};

/// The head of a request. What it is sent to is said apart.
struct http_request {
  std::string method;
  std::string target = "/";  ///< encoded path and query, as it stands in the request line
  header_list headers;
};

/// The head of a response.
struct http_response {
  int status = 0;
  std::string reason;
  header_list headers;
  std::optional<std::uint64_t> content_length;  ///< nothing: chunked, or until the connection ends
  bool keep_alive = false;                      ///< the connection can be used again after the body
};

}  // namespace corolith::inline v0::s3::detail
