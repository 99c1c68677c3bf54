// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/s3/types.hpp>

namespace corolith::inline v0::storage {

// What is said to and of objects is the same in every store. What a directory cannot do (versions, storage classes, checksums kept with
// the object, conditions on an ETag that is to be replaced) is refused there with errc::storage, not ignored.
using s3::byte_range;
using s3::conditions;
using s3::copy_options;
using s3::get_options;
using s3::list_entry;
using s3::list_options;
using s3::metadata_map;
using s3::object_headers;
using s3::object_info;
using s3::put_options;
using s3::put_result;
using s3::remove_result;

}  // namespace corolith::inline v0::storage
