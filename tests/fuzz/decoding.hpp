// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "fuzz.hpp"

#include <corolith/codec/archive.hpp>
#include <corolith/core/error.hpp>

#include <optional>

namespace fuzz {

/// The value in `input`, if there is one; anything but a value or a codec_error is a finding.
template <class T>
std::optional<T> decoded(corolith::byte_span input) {
  try {
    return corolith::codec::decode_all<T>(input);
  } catch (const corolith::codec_error&) {
    return std::nullopt;
  }
}

template <class T>
std::string encoded(const T& value) {
  corolith::byte_buffer buffer;
  corolith::codec::encode(buffer, value);
  return text_of(buffer.span());
}

/// Decodes `input` as a T. What could be decoded can be encoded, and comes back the same.
/// `ordered`: two equal values have equal bytes, which a hash table does not promise.
template <class T, bool ordered = true>
void decode_as(corolith::byte_span input) {
  const std::optional<T> value = decoded<T>(input);
  const std::optional<T> shared = [&]() -> std::optional<T> {
    try {
      return corolith::codec::decode_all<T>(corolith::shared_bytes::copy(input));
    } catch (const corolith::codec_error&) {
      return std::nullopt;
    }
  }();
  require(value.has_value() == shared.has_value(), "shared bytes are decoded as others are");
  if (!value) return;
  const std::string first = encoded(*value);
  const std::optional<T> again = decoded<T>(std::as_bytes(std::span(first)));
  require(again.has_value(), "what was encoded can be decoded");
  const std::string second = encoded(*again);
  require(first.size() == second.size() && (!ordered || first == second), "a value survives the journey");
  if (ordered) require(encoded(*shared) == first, "shared bytes give the same value");
}

struct decoder {
  void (*run)(corolith::byte_span);
};

/// The first byte says which of `types` the others are to be.
template <std::size_t N>
void decode_one_of(const decoder (&types)[N], corolith::byte_span input) {
  const unsigned which = take_byte(input);
  types[which % N].run(input);
}

}  // namespace fuzz
