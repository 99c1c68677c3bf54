// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/s3/credentials.hpp>

#include <chrono>
#include <memory>
#include <string>

// Credentials that a machine or a container in a cloud has by itself. They are asked for only when one of these is given to a client: elsewhere
// nobody answers at such addresses, and one waits. What they give is kept, and renewed before it expires.
namespace corolith::inline v0::s3 {

struct metadata_options {
  std::string endpoint;  ///< else AWS_EC2_METADATA_SERVICE_ENDPOINT, else http://169.254.169.254; not for containers
  std::chrono::nanoseconds timeout = std::chrono::seconds(1);  ///< of each request
  unsigned attempts = 3;
};

/// The role of an EC2 instance, by version 2 of its metadata service. `get` throws s3_error (errc::access_denied) when there is none, and
/// when AWS_EC2_METADATA_DISABLED says that there shall be none.
COROLITH_DECL std::shared_ptr<credentials_provider> instance_credentials(metadata_options how = {});

/// The role of a container, as AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI and AWS_CONTAINER_AUTHORIZATION_TOKEN or _TOKEN_FILE
/// say. A full URI without TLS must be on this machine or at the addresses that AWS uses for this.
COROLITH_DECL std::shared_ptr<credentials_provider> container_credentials(metadata_options how = {});

}  // namespace corolith::inline v0::s3

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/s3/impl/metadata_credentials.ipp>
#endif
