// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/storage/backend.hpp>
#include <corolith/storage/location.hpp>

#include <memory>

namespace corolith::inline v0::storage {

/// A directory as a store: each object is a file below it, whose path is the key. Objects appear and change by a rename, so any number of
/// processes on any number of nodes may use the directory at once, as far as its file system shows them the same. Content type and metadata
/// are kept in extended attributes. Options of the URL: `sync=yes` makes a put return only when the disk has the bytes (default no);
/// `private=yes` makes the directory, when it has to be made, one that nobody else may look into.
///
/// Symbolic links are followed within the directory; one that leads out of it is as if it were not there to listings, and an error
/// (errc::access_denied) to everything else. Folders that become empty stay.
COROLITH_DECL std::shared_ptr<backend> make_posix_backend(const location& where);

}  // namespace corolith::inline v0::storage

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/storage/impl/posix.ipp>
#endif
