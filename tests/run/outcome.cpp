// SPDX-License-Identifier: Apache-2.0
#include <corolith/run/detail/outcome.hpp>

#include "support.hpp"

using namespace run_test;
using corolith::detail::call_outcome;
using corolith::wire::outcome_kind;

namespace {

call_outcome failed(outcome_kind kind, wire::failure what = {}) {
  call_outcome outcome;
  outcome.head.id = {5, 3, 2};
  outcome.head.pid = 17;
  outcome.head.kind = kind;
  outcome.host = std::make_shared<const std::string>("node1");
  outcome.payload = wire::pack(what);
  return outcome;
}

template <class E>
E exception_of(const call_outcome& outcome) {
  return thrown<E>([&] { std::rethrow_exception(detail::to_exception(outcome)); });
}

}  // namespace

TEST_CASE("each way to fail has its exception, with the origin of the call", "[run]") {
  wire::failure what;
  what.type_name = "my::error";
  what.what = "broken";
  what.stderr_tail = "last words";
  const auto thrown_there = exception_of<remote_error>(failed(outcome_kind::exception, what));
  CHECK(thrown_there.type_name() == "my::error");
  CHECK(thrown_there.message() == "broken");
  const call_origin& origin = thrown_there.origin();
  CHECK(origin.host == "node1");
  CHECK(origin.pid == 17);
  CHECK(origin.batch == 5);
  CHECK(origin.index == 3);
  CHECK(origin.attempt == 2);
  CHECK(origin.stderr_tail == "last words");
  for (const char* part : {"my::error", "broken", "node1", "17", "call 3 of batch 5", "attempt 2", "last words"})
    CHECK(contains(thrown_there.what(), part));

  CHECK(exception_of<call_timeout>(failed(outcome_kind::timeout)).code() == errc::call_timeout);
  CHECK(exception_of<memory_exceeded>(failed(outcome_kind::memory)).code() == errc::memory_exceeded);
  CHECK(exception_of<cancelled>(failed(outcome_kind::cancelled)).code() == errc::cancelled);
  CHECK(exception_of<call_error>(failed(outcome_kind::unknown_function)).code() == errc::unknown_function);
  CHECK(exception_of<call_error>(failed(outcome_kind::codec)).code() == errc::codec);
}

TEST_CASE("a lost worker says how it ended", "[run]") {
  wire::failure by_signal;
  by_signal.signal = 9;
  CHECK(contains(exception_of<worker_lost>(failed(outcome_kind::worker_lost, by_signal)).what(), "SIGKILL"));
  wire::failure by_exit;
  by_exit.exit_status = 3;
  CHECK(contains(exception_of<worker_lost>(failed(outcome_kind::worker_lost, by_exit)).what(), "status 3"));
  CHECK(contains(exception_of<worker_lost>(failed(outcome_kind::worker_lost)).what(), "status 0"));
}

TEST_CASE("an outcome with an exception of its own gives that", "[run]") {
  call_outcome outcome = failed(outcome_kind::cancelled);
  outcome.error = std::make_exception_ptr(std::out_of_range("this one"));
  CHECK(std::string(exception_of<std::out_of_range>(outcome).what()) == "this one");
}

TEST_CASE("a failure that cannot be read is still a failure", "[run]") {
  call_outcome outcome = failed(outcome_kind::exception);
  outcome.payload = outcome.payload.slice(0, 3);
  CHECK(contains(exception_of<remote_error>(outcome).message(), "could not be decoded"));
  CHECK_THROWS_AS(std::rethrow_exception(detail::to_exception(failed(outcome_kind::value))), call_error);
}

TEST_CASE("stats come from the outcome", "[run]") {
  call_outcome outcome = failed(outcome_kind::value);
  outcome.submitted_ns = 1'000;
  outcome.sent_ns = 2'000;
  outcome.head.started_ns = 3'000;
  outcome.head.ended_ns = 4'000;
  outcome.received_ns = 5'000;
  const call_stats stats = detail::to_stats(outcome);
  CHECK(stats.host == "node1");
  CHECK(stats.pid == 17);
  CHECK(stats.attempt == 2);
  const auto since = [](call_stats::time_point at) {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(at.time_since_epoch()).count();
  };
  CHECK(since(stats.submitted) == 1'000);
  CHECK(since(stats.sent) == 2'000);
  CHECK(since(stats.started) == 3'000);
  CHECK(since(stats.ended) == 4'000);
  CHECK(since(stats.received) == 5'000);
}
