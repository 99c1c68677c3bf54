// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <concepts>
#include <string>
#include <string_view>

namespace bench {

/// Writes JSON from the outside in; knows where commas go.
class json_writer {
 public:
  json_writer& begin_object(std::string_view key = {}) { return open(key, '{'); }
  json_writer& end_object() { return close('}'); }
  json_writer& begin_array(std::string_view key = {}) { return open(key, '['); }
  json_writer& end_array() { return close(']'); }

  json_writer& value(std::string_view key, std::string_view text) {
    name(key);
    quote(text);
    return *this;
  }
  json_writer& value(std::string_view key, const char* text) { return value(key, std::string_view(text)); }
  json_writer& value(std::string_view key, std::integral auto number) {
    name(key);
    text_ += fmt::format("{}", number);
    return *this;
  }
  /// JSON knows no infinity and nothing that is no number.
  json_writer& value(std::string_view key, double number) {
    name(key);
    text_ += std::isfinite(number) ? fmt::format("{:.9g}", number) : "null";
    return *this;
  }

  const std::string& text() const { return text_; }

 private:
  json_writer& open(std::string_view key, char bracket) {
    name(key);
    text_ += bracket;
    first_ = true;
    ++depth_;
    return *this;
  }
  json_writer& close(char bracket) {
    --depth_;
    if (!first_ && depth_ < lines_to) text_ += '\n' + std::string(2 * depth_, ' ');
    first_ = false;
    text_ += bracket;
    if (depth_ == 0) text_ += '\n';
    return *this;
  }
  void name(std::string_view key) {
    if (depth_ != 0) {
      if (!first_) text_ += ',';
      text_ += depth_ <= lines_to ? '\n' + std::string(2 * depth_, ' ') : std::string(first_ ? "" : " ");
    }
    first_ = false;
    if (key.empty()) return;
    quote(key);
    text_ += ": ";
  }
  void quote(std::string_view text) {
    text_ += '"';
    for (const char c : text) {
      if (c == '"' || c == '\\') text_ += '\\';
      if (static_cast<unsigned char>(c) < 0x20)
        text_ += fmt::format("\\u{:04x}", c);
      else
        text_ += c;
    }
    text_ += '"';
  }

  static constexpr std::size_t lines_to = 2;  // what lies deeper is on one line
  std::string text_;
  std::size_t depth_ = 0;
  bool first_ = true;
};

}  // namespace bench
