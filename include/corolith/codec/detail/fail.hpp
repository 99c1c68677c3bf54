// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

// The texts of codec errors, out of line and cold, so that the templates that throw them stay small.
namespace corolith::inline v0::codec::detail {

[[noreturn, gnu::cold, gnu::noinline]] inline void fail(const char* what) { throw codec_error(what); }

[[noreturn, gnu::cold, gnu::noinline]] inline void fail_short(std::uint64_t wanted, std::size_t left) {
  throw codec_error("the bytes end too early: " + std::to_string(wanted) + " more expected, " + std::to_string(left) +
                    " left (truncated, or written as another type)");
}

[[noreturn, gnu::cold, gnu::noinline]] inline void fail_length(std::uint64_t count, std::size_t left) {
  throw codec_error("a length of " + std::to_string(count) + " elements cannot be true with " + std::to_string(left) +
                    " bytes left (corrupt, or written as another type)");
}

[[noreturn, gnu::cold, gnu::noinline]] inline void fail_depth(std::size_t limit) {
  throw codec_error("the value is nested more than " + std::to_string(limit) +
                    " levels deep (pointers and containers inside one another); send long chains as a std::vector");
}

[[noreturn, gnu::cold, gnu::noinline]] inline void fail_empty() {
  throw codec_error("too many container elements that take no bytes; send their number instead");
}

[[noreturn, gnu::cold, gnu::noinline]] inline void fail_trailing(std::size_t left) {
  throw codec_error(std::to_string(left) + " bytes are left over after the value (written as another type?)");
}

[[noreturn, gnu::cold, gnu::noinline]] inline void fail_cereal(const char* what) {
  throw codec_error(std::string("cereal: ") + what);
}

}  // namespace corolith::inline v0::codec::detail
