// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/bytes.hpp>
#include <corolith/s3/detail/http_message.hpp>
#include <corolith/s3/endpoint.hpp>
#include <corolith/s3/types.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace corolith::inline v0::s3::detail {

/// What is to be asked, as often as it takes: where to, the signature and the time are added for each attempt.
struct request {
  std::string operation;  ///< "get": for errors
  std::string method = "GET";
  std::string bucket;
  std::string key;
  query_list query;
  header_list headers;
  std::vector<byte_span> body;                   ///< one behind the other; they live until the request has ended
  bool is_object_data = false;                   ///< the body is what users put: the settings say whether it is signed
  checksum_kind checksum = checksum_kind::none;  ///< of the body, for the server to verify
  std::string payload_hash;                      ///< made by the first attempt

  request() = default;
  request(std::string what, std::string how, std::string of_bucket, std::string of_key)
      : operation(std::move(what)), method(std::move(how)), bucket(std::move(of_bucket)), key(std::move(of_key)) {}

  std::uint64_t body_size() const noexcept {
    std::uint64_t sum = 0;
    for (const byte_span piece : body) sum += piece.size();
    return sum;
  }
  /// All others need a key: without one they would do to the bucket what is meant for an object.
  bool is_of_bucket() const noexcept {
    return operation.find("bucket") != std::string::npos || operation == "remove many" || operation == "list" ||
           operation == "list uploads";
  }
  /// Asking twice at once does no harm, and costs little.
  bool can_be_hedged() const noexcept { return method == "GET" || method == "HEAD"; }
};

}  // namespace corolith::inline v0::s3::detail
