// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/coro/generator.hpp>
#include <corolith/storage/detail/directory.hpp>
#include <corolith/storage/types.hpp>

#include <memory>

namespace corolith::inline v0::storage::detail {

/// The files below a folder as an S3 listing: in the order of the bytes of their keys, each folder read when its turn has come.
COROLITH_DECL generator<list_entry> list_directory(std::shared_ptr<const directory> where, list_options what);

}  // namespace corolith::inline v0::storage::detail

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/storage/impl/posix_list.ipp>
#endif
