// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>

#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>

namespace corolith {
inline namespace v0 {

/// All of `text` as a number in decimal digits; nothing when it is no such number or does not fit.
template <class Number>
std::optional<Number> whole_number(std::string_view text) noexcept {
  Number value{};
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace v0
}  // namespace corolith
