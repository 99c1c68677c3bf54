// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/coro/task.hpp>
#include <corolith/s3/detail/attempts.hpp>
#include <corolith/s3/detail/client_core.hpp>
#include <corolith/s3/detail/failure.hpp>
#include <corolith/s3/detail/request.hpp>

#include <string>

// Sends a request until there is an answer that counts. All of it runs on the lane. What is pointed to lives until the task has ended.
namespace corolith::inline v0::s3::detail {

/// An answer with a status of success. Its body is still to be received.
struct answer {
  exchange from;
  http_response head;
};

/// Signs, sends, and repeats it as `tries` says. Throws s3_error and `cancelled`.
COROLITH_DECL task<answer> perform(lane* at, request* what, attempts* tries);

/// An answer that is text, or nothing.
struct text_answer {
  http_response head;
  std::string body;
};
/// The same to the end of the answer. A body that is an error in spite of a status of success counts as one.
COROLITH_DECL task<text_answer> perform_text(lane* at, request* what, attempts* tries);
COROLITH_DECL task<text_answer> perform_text(lane* at, request* what);

/// Says of a failure what it was that failed.
COROLITH_DECL void describe(failure& why, const request& what);
/// What a failure of the transport is for the retries.
COROLITH_DECL failure failure_of(const transport_error& cause, const request& what);

}  // namespace corolith::inline v0::s3::detail

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/s3/impl/perform.ipp>
#endif
