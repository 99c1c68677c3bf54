// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/s3/client.hpp>
#include <corolith/storage/backend.hpp>
#include <corolith/storage/location.hpp>

#include <memory>

namespace corolith::inline v0::storage {

/// A bucket as a store, or what lies below a prefix of it: keys of the store have the prefix before them in the bucket, and nothing else of the
/// bucket is seen or touched. Options of the URL, all of which have a default that the environment, a profile or the client knows:
///
/// | option | |
/// |---|---|
/// | endpoint | "https://host:port", of a server that is not Amazon's |
/// | region | of the bucket |
/// | profile | whose credentials and settings in ~/.aws are used |
/// | path_style | yes: the bucket stands in the path; no: in the host's name |
/// | ca_file | PEM file of the authorities to trust |
/// | verify | no: certificates are not looked at; for tests |
/// | part_size | of what goes at a time of a large object ("16MiB") |
/// | memory | most bytes that streams and files hold on their way |
/// | connections | most at a time |
/// | threads | that move bytes |
///
/// Credentials are found as `s3::default_credentials` does. Throws config_error.
COROLITH_DECL std::shared_ptr<backend> make_s3_backend(const location& where);

/// The client of such a store, for what a store has no verb for: buckets, presigned URLs, multipart uploads. Stores whose options are the
/// same share one. Throws config_error.
COROLITH_DECL s3::client s3_client_of(const location& where);

}  // namespace corolith::inline v0::storage

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/storage/impl/s3.ipp>
#endif
