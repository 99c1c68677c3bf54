// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/core/error.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace corolith::inline v0::wire {

/// Where something listens: "unix:/run/corolith/driver", "tcp:node7:4000", "tcp:[::1]:4000".
struct address {
  enum class family { unix_socket, tcp };

  family kind = family::unix_socket;
  std::string path;        ///< unix_socket
  std::string host;        ///< tcp: a name or a number, without brackets
  std::uint16_t port = 0;  ///< tcp: 0 lets the system choose when listening

  COROLITH_DECL static address unix_path(std::string path);
  COROLITH_DECL static address tcp(std::string host, std::uint16_t port);
  /// Throws config_error that says what is wrong with `text`.
  COROLITH_DECL static address parse(std::string_view text);
  COROLITH_DECL std::string to_string() const;

  friend bool operator==(const address&, const address&) = default;
};

}  // namespace corolith::inline v0::wire

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/wire/impl/address.ipp>
#endif
