// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>
#include <corolith/wire/messages.hpp>

#include <cxxabi.h>

#include <cstdlib>
#include <exception>
#include <memory>
#include <new>
#include <string>
#include <typeinfo>
#include <utility>

namespace corolith {
inline namespace v0 {
namespace agent {
namespace detail {

inline std::string demangle(const char* name) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> text(abi::__cxa_demangle(name, nullptr, nullptr, &status), std::free);
  return status == 0 && text ? text.get() : name;
}

/// "outer: inner: innermost" for exceptions thrown with std::throw_with_nested.
inline std::string explain(const std::exception& error) {
  std::string text = error.what();
  try {
    std::rethrow_if_nested(error);
  } catch (const std::exception& inner) {
    text += ": " + explain(inner);
  } catch (...) {
    text += ": an exception that is no std::exception";
  }
  return text;
}

/// What the exception that is being handled means for its call. To be called inside a catch block.
struct call_failure {
  wire::outcome_kind kind = wire::outcome_kind::exception;
  wire::failure what;

  static call_failure current(bool stop_was_requested, bool memory_is_limited) {
    call_failure result;
    try {
      throw;
    } catch (const std::exception& error) {
      result.what.type_name = demangle(typeid(error).name());
      result.what.what = explain(error);
      if (dynamic_cast<const codec_error*>(&error) != nullptr) result.kind = wire::outcome_kind::codec;
      if (stop_was_requested && dynamic_cast<const cancelled*>(&error) != nullptr)
        result.kind = wire::outcome_kind::cancelled;
      if (memory_is_limited && dynamic_cast<const std::bad_alloc*>(&error) != nullptr) {
        result.kind = wire::outcome_kind::memory;
        result.what.what = "an allocation went past the call's memory limit (" + result.what.what + ")";
      }
    } catch (...) {
      const std::type_info* type = abi::__cxa_current_exception_type();
      result.what.type_name = type != nullptr ? demangle(type->name()) : "unknown";
    }
    return result;
  }
};

}  // namespace detail
}  // namespace agent
}  // namespace v0
}  // namespace corolith
