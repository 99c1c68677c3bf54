// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>

#include <string>

namespace corolith::inline v0::s3 {

/// How a server is known over TLS.
struct tls_options {
  std::string ca_file;      ///< PEM file of the authorities to trust; with `ca_path` empty as well: those of the system
  std::string ca_path;      ///< folder of such files, named by their hashes (`openssl rehash`)
  bool verify = true;       ///< false: whoever answers is believed, for tests only
  std::string server_name;  ///< whose certificate it must be; empty: the host's that is connected to
};

}  // namespace corolith::inline v0::s3
