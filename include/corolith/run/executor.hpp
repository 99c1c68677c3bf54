// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/codec/bind.hpp>
#include <corolith/codec/function.hpp>
#include <corolith/core/detail/decl.hpp>
#include <corolith/coro/future.hpp>
#include <corolith/coro/spawn.hpp>
#include <corolith/run/batch.hpp>
#include <corolith/run/call_options.hpp>
#include <corolith/run/detail/by_key.hpp>
#include <corolith/run/detail/input.hpp>
#include <corolith/run/detail/remote_state.hpp>
#include <corolith/run/options.hpp>
#include <corolith/run/result_adapters.hpp>
#include <corolith/storage/store.hpp>

#include <memory>
#include <ranges>
#include <type_traits>
#include <utility>

namespace corolith {
inline namespace v0 {
namespace detail {
class run_store;
}

/// Runs ordinary functions in worker processes. A function is named by itself: `ex.call<f>(args...)` for functions, member functions and
/// captureless lambdas known at compile time, `ex.call(object, args...)` for lambdas and for function objects whose state can be
/// serialised. Arguments are converted to the function's parameter types and encoded before the call returns, so nothing of the
/// caller is referred to afterwards (a lazy range apart).
///
/// Copies are cheap and share the same agents; the last one that goes ends them. All functions are thread-safe.
class executor {
 public:
  /// Starts the agents that the options ask for; does not wait for them. Throws launch_failed or config_error.
  COROLITH_DECL explicit executor(const options& settings = {});
  /// Over agents that are there already: see this_call().executor().
  COROLITH_DECL explicit executor(std::shared_ptr<detail::backend> where,
                                  std::shared_ptr<detail::run_store> values = nullptr);

  /// The same agents, with other options for the calls made through it: `ex.with({.timeout = 2s}).map<f>(...)`.
  COROLITH_DECL executor with(const call_options& changed) const;

  /// Calls F(args...) remotely, now. The future holds its value, or its exception as remote_error.
  template <auto F, class... Args>
  auto call(Args&&... args) const {
    return start_call(codec::fixed<F>{}, std::forward<Args>(args)...);
  }
  template <class Callable, class... Args>
  auto call(Callable callable, Args&&... args) const {
    return start_call(std::move(callable), std::forward<Args>(args)...);
  }

  /// Calls F(element, shared...) for each element. A tuple-like element that F does not take whole is spread over its parameters.
  /// Containers are encoded at once; other ranges (views, generators, async generators) are pulled on the background thread while the
  /// batch runs, so they may be endless and use bounded memory, and what they refer to must live as long as the batch.
  /// The shared arguments travel once to each agent.
  template <auto F, detail::map_input R, class... Shared>
  auto map(R&& elements, Shared&&... shared) const {
    return start_map(codec::fixed<F>{}, std::forward<R>(elements), std::forward<Shared>(shared)...);
  }
  template <class Callable, detail::map_input R, class... Shared>
  auto map(Callable callable, R&& elements, Shared&&... shared) const {
    return start_map(std::move(callable), std::forward<R>(elements), std::forward<Shared>(shared)...);
  }

  /// A map, and then one remote call of the reducer with the vector of all results. The future holds what the reducer returns.
  template <auto F, auto Reducer, detail::map_input R, class... Shared>
  auto map_reduce(R&& elements, Shared&&... shared) const {
    return reduce(codec::fixed<Reducer>{}, map<F>(std::forward<R>(elements), std::forward<Shared>(shared)...));
  }
  template <class Mapper, class Reducer, detail::map_input R, class... Shared>
  auto map_reduce(Mapper mapper, Reducer reducer, R&& elements, Shared&&... shared) const {
    return reduce(std::move(reducer),
                  map(std::move(mapper), std::forward<R>(elements), std::forward<Shared>(shared)...));
  }

  /// A map, and then one remote call of the reducer for each key, with the vector of the results of the elements that have it, in their order.
  /// The key of an object_slice is that of its object (one reducer an object), that of a pair is its first; others say it by element_key.
  /// Reducers run as soon as all slices of their object are done. The future holds a std::map from keys to what the reducers return.
  template <auto F, auto Reducer, detail::map_input R, class... Shared>
  auto map_reduce_by_key(R&& elements, Shared&&... shared) const {
    return map_reduce_by_key(codec::fixed<F>{}, codec::fixed<Reducer>{}, std::forward<R>(elements),
                             std::forward<Shared>(shared)...);
  }
  template <class Mapper, class Reducer, detail::map_input R, class... Shared>
  auto map_reduce_by_key(Mapper mapper, Reducer reducer, R&& elements, Shared&&... shared) const {
    using element = std::remove_cvref_t<typename detail::element_of<R>::type>;
    auto groups = std::make_shared<detail::key_groups<element>>();
    auto mapped =
        map(std::move(mapper), detail::note_keys(std::forward<R>(elements), groups), std::forward<Shared>(shared)...);
    return start(background_loop(),
                 detail::reduce_by_key(unkept(), std::move(reducer), std::move(mapped), std::move(groups)));
  }

  /// The store of this run, as the options say; calls have it as this_call().store(). Objects that `put_temporary` makes in it, in whatever
  /// process, are removed when the agents have ended.
  COROLITH_DECL const corolith::store& store() const;

  /// Cancels every call that has not ended.
  COROLITH_DECL void cancel_all() const;
  /// Ends the agents and waits until they are gone; calls that have not ended fail with errc::closed. Idempotent.
  COROLITH_DECL void close() const;

 private:
  struct state;

  COROLITH_DECL detail::batch_request request(codec::function_key function, byte_buffer shared, bool is_map) const;
  COROLITH_DECL const std::shared_ptr<detail::backend>& where() const noexcept;
  /// For reducers, which are called in the order in which results come: they have no place in a journal.
  executor unkept() const { return with({.journal = std::string()}); }

  template <class Callable, class... Args>
  auto start_call(Callable callable, Args&&... args) const {
    using function = codec::single_call<Callable, Args...>;
    using state_type = detail::remote_state<typename function::result_type>;
    byte_buffer shared;
    shared.share_when_large();
    function::encode_shared(shared, callable);
    detail::block_builder element;
    function::encode_element(element.bytes(), args...);
    element.end_element();
    auto made = std::make_shared<state_type>(where());
    const std::uint64_t id = where()->open(made, request(function::key(), std::move(shared), false));
    made->set_id(id);
    where()->feed(id, element.take(), true);
    return future<typename function::result_type>(std::move(made));
  }

  template <class Callable, class R, class... Shared>
  auto start_map(Callable callable, R&& elements, Shared&&... shared) const {
    using map_type = codec::map_call<Callable, typename detail::element_of<R>::type, Shared...>;
    using function = typename map_type::function;
    byte_buffer encoded;
    encoded.share_when_large();
    function::encode_shared(encoded, callable, shared...);
    detail::batch_request asked = request(function::key(), std::move(encoded), true);
    if constexpr (std::ranges::sized_range<R>) asked.size = std::ranges::size(elements);
    auto core = std::make_shared<detail::batch_core>(where());
    if constexpr (detail::eager_range<R>) {
      core->open(std::move(asked), nullptr);
      detail::feed_all<map_type>(*core, elements);
    } else {
      core->open(std::move(asked), detail::make_source<map_type>(std::forward<R>(elements)));
    }
    return batch<typename function::result_type>(std::move(core));
  }

  template <class Reducer, class T>
  auto reduce(Reducer reducer, batch<T> mapped) const {
    using function = codec::single_call<Reducer, std::vector<T>>;
    return start(background_loop(),
                 reduce_mapped<typename function::result_type>(unkept(), std::move(reducer), std::move(mapped)));
  }
  template <class Result, class Reducer, class T>
  static task<Result> reduce_mapped(executor ex, Reducer reducer, batch<T> mapped) {
    std::vector<T> values = co_await mapped;
    co_return co_await ex.call(std::move(reducer), std::move(values));
  }

  std::shared_ptr<const state> state_;
  call_options options_;
};

}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/run/impl/executor.ipp>
#endif
