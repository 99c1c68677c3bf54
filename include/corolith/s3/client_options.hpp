// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>
#include <corolith/s3/credentials.hpp>
#include <corolith/s3/retry.hpp>
#include <corolith/s3/tls_options.hpp>
#include <corolith/uring/io_options.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace corolith::inline v0::s3 {

/// Whether the bytes of an object are signed, not only its name and headers. That costs a SHA-256 of all that is put.
enum class payload_signing {
  automatic,  ///< over plain HTTP, where nothing else protects them; not over TLS
  always,
  never,
  chunked,  ///< as `always`, but while sending: a chunk at a time, with the checksum behind the last one. Not every server knows it
};

/// Settings of a `client`. Where a member is empty, the environment decides, then the profile, then the default that stands here.
struct client_options {
  /// "https://s3.example.org", "http://127.0.0.1:9000/base". Else AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, `endpoint_url` of the profile; else
  /// AWS in `region`.
  std::string endpoint;
  /// "eu-west-1". Else AWS_REGION, AWS_DEFAULT_REGION, `region` of the profile; else "us-east-1". A bucket elsewhere is found by what the
  /// server answers.
  std::string region;
  /// The bucket in the path ("host/bucket/key") instead of in the host's name. Else: for all endpoints but AWS.
  std::optional<bool> path_style;
  /// Section of the profile files. Else AWS_PROFILE; else "default".
  std::string profile;
  /// Whose requests they are. Null: `default_credentials`, which looks into the environment and the profile files.
  std::shared_ptr<credentials_provider> credentials;

  tls_options tls;
  std::chrono::nanoseconds connect_timeout = std::chrono::seconds(5);  ///< for one address, and for the TLS handshake
  std::chrono::nanoseconds idle_timeout = std::chrono::seconds(30);  ///< longest time without any progress of a request
  std::chrono::nanoseconds keep_alive = std::chrono::seconds(20);  ///< how long a connection waits for another request
  retry_options retry;

  /// What one wants to reach. It says how many requests go on at once, at 0.4 Gbit/s for each; from 10 to 250.
  double target_gbit_s = 10;
  std::size_t most_connections = 0;  ///< 0: as `target_gbit_s` says
  /// Of requests that move parts of an object, both ways. At least 5 MiB for puts, whatever stands here; it grows for objects that would have
  /// more than 10,000 parts.
  std::size_t part_size = std::size_t{8} << 20;
  /// For all that is on its way between a connection and a file or a stream. What is got into memory of the caller's, or put from there, needs
  /// none of it. A stream that gets no share of it goes on with one small piece.
  std::size_t memory_budget = std::size_t{512} << 20;
  unsigned io_threads = 1;  ///< each with connections of its own; parts of one object are spread over them

  payload_signing signing = payload_signing::automatic;
  /// A GET whose first byte is late, later than 99 of 100 of those before it, is sent again on another connection; the first to answer counts.
  bool hedge = true;
  std::chrono::nanoseconds hedge_at_least = std::chrono::milliseconds(200);  ///< but not before this time
  /// Larger objects are copied in parts, which the service wants above 5 GiB.
  std::uint64_t copy_in_parts_above = std::uint64_t{5} << 30;
  std::string user_agent;  ///< stands behind the library's own

  uring::io_options io;
};

}  // namespace corolith::inline v0::s3
