// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/bytes.hpp>
#include <corolith/core/detail/decl.hpp>
#include <corolith/wire/messages.hpp>

#include <array>
#include <string>
#include <vector>

namespace corolith {
inline namespace v0 {
namespace detail {

/// The files that make up the running program: its executable and the shared libraries that it loaded from outside the system's
/// folders, each with its SHA-256. Libraries of the system are expected on every node.
COROLITH_DECL std::vector<wire::module_file> program_modules();

/// The bytes of one of them; empty when the file can no longer be read or is no longer the same.
COROLITH_DECL shared_bytes read_module(const wire::module_file& module);

/// Names the program in handshakes: the SHA-256 of its executable.
COROLITH_DECL std::array<std::uint8_t, 32> program_id(const std::vector<wire::module_file>& modules);

}  // namespace detail
}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/run/impl/program.ipp>
#endif
