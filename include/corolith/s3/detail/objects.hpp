// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/coro/generator.hpp>
#include <corolith/coro/task.hpp>
#include <corolith/s3/detail/client_core.hpp>
#include <corolith/s3/types.hpp>

#include <string>
#include <vector>

// The verbs that move no bytes of objects. Those with a lane run there; the others on the loop of whoever awaits them.
namespace corolith::inline v0::s3::detail {

COROLITH_DECL task<void> remove_object(lane* at, std::string bucket, std::string key, std::string version_id);
COROLITH_DECL task<std::vector<remove_result>> remove_objects(lane* at, std::string bucket,
                                                              std::vector<std::string> keys);

struct copy_ends {
  std::string from_bucket, from_key;
  std::string to_bucket, to_key;
};
COROLITH_DECL task<put_result> copy_object(lane* at, copy_ends ends, copy_options how);
/// The value of x-amz-copy-source.
COROLITH_DECL std::string copy_source(const std::string& bucket, const std::string& key, const std::string& version_id);

COROLITH_DECL generator<list_entry> list_objects(core_ptr core, std::string bucket, list_options what);
COROLITH_DECL generator<upload_info> list_object_uploads(core_ptr core, std::string bucket, std::string prefix);
COROLITH_DECL generator<part_info> list_upload_parts(core_ptr core, std::string bucket, std::string key,
                                                     std::string upload_id);

COROLITH_DECL task<void> create_bucket(lane* at, std::string bucket);
COROLITH_DECL task<void> head_bucket(lane* at, std::string bucket);
COROLITH_DECL task<void> remove_bucket(lane* at, std::string bucket);
COROLITH_DECL task<std::vector<bucket_info>> list_buckets(lane* at);

}  // namespace corolith::inline v0::s3::detail

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/s3/impl/buckets.ipp>
#include <corolith/s3/impl/copy.ipp>
#include <corolith/s3/impl/listing.ipp>
#include <corolith/s3/impl/remove.ipp>
#endif
