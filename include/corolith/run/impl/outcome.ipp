// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/process_status.hpp>
#include <corolith/run/detail/outcome.hpp>

#include <fmt/format.h>

namespace corolith {
inline namespace v0 {
namespace detail {

COROLITH_DECL call_stats to_stats(const call_outcome& outcome) {
  const auto at = [](std::int64_t ns) {
    return call_stats::time_point(
        std::chrono::duration_cast<call_stats::time_point::duration>(std::chrono::nanoseconds(ns)));
  };
  call_stats stats;
  if (outcome.host) stats.host = *outcome.host;
  stats.pid = outcome.head.pid;
  stats.attempt = outcome.head.id.attempt;
  stats.submitted = at(outcome.submitted_ns);
  stats.sent = at(outcome.sent_ns);
  stats.started = at(outcome.head.started_ns);
  stats.ended = at(outcome.head.ended_ns);
  stats.received = at(outcome.received_ns);
  return stats;
}

// "on node1, pid 17, call 3 of batch 5, attempt 2", and what the worker last said.
inline std::string describe_origin(const call_origin& origin) {
  std::string text = fmt::format("call {} of batch {}", origin.index, origin.batch);
  if (origin.attempt != 0) text += fmt::format(", attempt {}", origin.attempt);
  if (!origin.host.empty()) text += fmt::format(", on {}", origin.host);
  if (origin.pid != 0) text += fmt::format(", pid {}", origin.pid);
  if (!origin.stderr_tail.empty()) text += "\nlast lines of its standard error:\n" + origin.stderr_tail;
  return text;
}

inline std::string describe_death(const wire::failure& failure) {
  if (failure.signal != 0) return "the worker was killed by " + describe_signal(failure.signal);
  if (failure.exit_status != 0 || failure.what.empty())
    return fmt::format("the worker exited with status {}", failure.exit_status);
  return "the worker was lost";
}

COROLITH_DECL std::exception_ptr to_exception(const call_outcome& outcome) {
  if (outcome.error) return outcome.error;
  wire::failure failure;
  try {
    failure = wire::unpack<wire::failure>(outcome.payload);
  } catch (const error& e) {
    failure.what = std::string("the failure could not be decoded: ") + e.what();
  }
  call_origin origin{outcome.host ? *outcome.host : failure.host,
                     outcome.head.pid,
                     outcome.head.id.batch,
                     outcome.head.id.index,
                     outcome.head.id.attempt,
                     failure.stderr_tail};
  const std::string where = describe_origin(origin);
  const auto text = [&](const std::string& what) { return what + " (" + where + ")"; };
  using kind = wire::outcome_kind;
  switch (outcome.head.kind) {
    case kind::exception:
      return std::make_exception_ptr(remote_error(failure.type_name, failure.what,
                                                  text(failure.type_name + ": " + failure.what), std::move(origin)));
    case kind::timeout: return std::make_exception_ptr(call_timeout(text(failure.what), std::move(origin)));
    case kind::memory: return std::make_exception_ptr(memory_exceeded(text(failure.what), std::move(origin)));
    case kind::worker_lost: {
      std::string what = describe_death(failure);
      if (!failure.what.empty()) what += "; " + failure.what;
      return std::make_exception_ptr(worker_lost(text(what), std::move(origin)));
    }
    case kind::cancelled:
      return std::make_exception_ptr(
          cancelled(text(failure.what.empty() ? "cancelled" : failure.what), std::move(origin)));
    case kind::unknown_function:
      return std::make_exception_ptr(call_error(errc::unknown_function, text(failure.what), std::move(origin)));
    case kind::codec: return std::make_exception_ptr(call_error(errc::codec, text(failure.what), std::move(origin)));
    case kind::value: break;
  }
  return std::make_exception_ptr(
      call_error(errc::protocol, text("a value where a failure was expected"), std::move(origin)));
}

COROLITH_DECL call_outcome make_failure(call_id id, wire::outcome_kind kind, std::string text) {
  wire::failure failure;
  failure.what = std::move(text);
  call_outcome outcome;
  outcome.head.id = id;
  outcome.head.kind = kind;
  outcome.payload = wire::pack(failure);
  return outcome;
}

}  // namespace detail
}  // namespace v0
}  // namespace corolith
