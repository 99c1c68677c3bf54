// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/bytes.hpp>
#include <corolith/core/detail/decl.hpp>

#include <atomic>
#include <compare>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <typeinfo>

// The functions that may be called from another process. Every function that the program calls remotely has a thunk,
// whose registrar runs before main (or while dlopen runs, for a library). The list of thunks is an allow-list: a key
// from the wire is looked up, never computed with.
namespace corolith::inline v0::codec {

/// Names a thunk, the same in every process that runs the same bytes: compiler-made names would collide (overloads,
/// lambdas of one function, anonymous namespaces of two files).
struct function_key {
  std::uint64_t module = 0;  ///< the first 8 bytes of the module's build-id; without one, a hash of its file name
  std::uint64_t offset = 0;  ///< of the thunk from where the module's image starts

  friend auto operator<=>(const function_key&, const function_key&) = default;
};

/// What a thunk gets and gives.
struct invocation {
  byte_span shared;     ///< the callable's state and the arguments that all calls of a batch share
  byte_span element;    ///< the arguments of this call
  byte_buffer& result;  ///< the value is appended here
  /// Where the decoded shared arguments are kept for the next call; views among them look into `shared`, which must live as long. Give each batch its own (null) pointer and pass it
  /// with every call of that batch, one call at a time; without one they are decoded for every call.
  std::shared_ptr<void>* cache = nullptr;
  /// Held while `cache` is looked at or filled, for calls that share it at the same time.
  std::mutex* cache_guard = nullptr;
};

/// Decodes the arguments, calls the function and encodes its result. Throws codec_error and whatever the function
/// throws.
using thunk = void (*)(invocation&);

/// The thunk with that key; nullptr when this process has none. Thread-safe.
COROLITH_DECL thunk find_function(function_key key) noexcept;

/// What the key stands for, for people: the function's name and parameters, or that it is unknown. Thread-safe.
COROLITH_DECL std::string describe_function(function_key key);

namespace detail {

/// One remote function of this process, linked into the registry for as long as its module is loaded.
class registrar {
 public:
  COROLITH_DECL registrar(thunk entry, const std::type_info& callable) noexcept;
  COROLITH_DECL ~registrar();
  registrar(const registrar&) = delete;
  registrar& operator=(const registrar&) = delete;

  /// Computed on first use and kept. Thread-safe.
  COROLITH_DECL function_key key() noexcept;

 private:
  friend struct function_registry;

  const thunk entry_;
  const std::type_info& callable_;
  registrar* next_ = nullptr;  // guarded by the registry's mutex, like all below
  function_key key_;
  std::atomic<bool> has_key_{false};
};

// One list for the program and the libraries that it links, even when those hide their symbols. Usable before any
// constructor ran.
struct function_registry {
  std::mutex mutex;
  registrar* first = nullptr;

  COROLITH_DECL registrar* find(function_key key) noexcept;  // with the mutex held
  COROLITH_DECL static void complete(registrar&) noexcept;   // computes the key, with the mutex held
  static thunk entry_of(registrar* found) noexcept { return found != nullptr ? found->entry_ : nullptr; }
  static const char* name_of(registrar* found) noexcept { return found != nullptr ? found->callable_.name() : nullptr; }
};
[[gnu::visibility("default")]] inline constinit function_registry registry{};

}  // namespace detail
}  // namespace corolith::inline v0::codec

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/codec/impl/registry.ipp>
#endif
