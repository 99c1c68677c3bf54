// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>
#include <corolith/s3/endpoint.hpp>
#include <corolith/s3/error.hpp>
#include <corolith/s3/retry.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace corolith::inline v0::s3::detail {

/// Why an attempt did not succeed, and what can be learnt from that.
struct failure {
  enum class kind {
    none,     ///< it did succeed
    stale,    ///< a connection that had been kept was closed by the server, most likely before it was asked
    lost,     ///< no answer, or half of one
    refusal,  ///< the server said no
  };

  kind what = kind::none;
  errc code = errc::unreachable;  ///< when lost
  failure_details details;
  bool may_be_done = false;  ///< the server may have done what it was asked
  std::optional<std::chrono::seconds> retry_after;
  std::shared_ptr<const endpoint> asked;  ///< who that was
  std::chrono::seconds skew{0};           ///< what was added to our clock for the signature
  std::string place;                      ///< a redirect's URL or host
  std::string server_date;                ///< the Date of the answer

  explicit operator bool() const noexcept { return what != kind::none; }
};

}  // namespace corolith::inline v0::s3::detail
