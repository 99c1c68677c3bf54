// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/codec/detail/std_types.hpp>
#include <corolith/codec/signature.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

// Arguments for parameters that only look at them.
namespace corolith::inline v0::codec::detail {

template <class S>
struct lendable : std::false_type {};
template <bulk T>
struct lendable<std::vector<T>> : std::true_type {
  using view = std::span<const T>;
};
template <class C, class Traits>
struct lendable<std::basic_string<C, Traits>> : std::true_type {
  using view = std::basic_string_view<C, Traits>;
};

/// What travelled as S, for a view: the bytes where they arrived, if they lie as they must, else a copy. The bytes must live as long.
template <class S>
class lent {
 public:
  using view = typename lendable<S>::view;
  using value_type = typename S::value_type;

  operator view() const noexcept { return copied_ ? view(copy_) : seen_; }

  void show(const value_type* first, std::size_t count) noexcept { seen_ = view(first, count); }
  S& own() noexcept {
    copied_ = true;
    return copy_;
  }

 private:
  view seen_;
  S copy_;
  bool copied_ = false;
};

template <class S>
struct std_type<lent<S>> {
  using parts = type_list<>;
  template <class Archive>
  static void load(Archive& archive, lent<S>& value) {
    using T = typename S::value_type;
    const std::size_t count = archive.template read_length<T>();
    archive.template skip_padding<T>(count);
    const byte_span rest = archive.rest();
    if (reinterpret_cast<std::uintptr_t>(rest.data()) % alignof(T) == 0) {
      archive.pass_over(count * sizeof(T));
      value.show(reinterpret_cast<const T*>(rest.data()), count);
    } else {
      load_bulk(archive, value.own(), count);
    }
  }
};

/// In what an argument that travelled as S is kept for a parameter P.
template <class P, class S>
struct held {
  using type = S;
};
template <class P, class S>
  requires lendable<S>::value
struct held<P, S> {
  using type = std::conditional_t<std::is_same_v<std::remove_cvref_t<P>, typename lendable<S>::view>, lent<S>, S>;
};

}  // namespace corolith::inline v0::codec::detail
