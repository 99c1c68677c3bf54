// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/s3/detail/objects.hpp>
#include <corolith/s3/detail/perform.hpp>
#include <corolith/s3/detail/xml.hpp>

#include <span>

namespace corolith::inline v0::s3::detail {

COROLITH_DECL task<void> create_bucket(lane* at, std::string bucket) {
  request what("create bucket", "PUT", std::move(bucket), {});
  const std::string document = compose_create_bucket(at->core.home().region);
  if (!document.empty()) what.body.push_back(std::as_bytes(std::span(document)));
  attempts tries(*at, what);
  try {
    co_await perform_text(at, &what, &tries);
  } catch (const s3_error& refused) {
    if (refused.name() != "BucketAlreadyOwnedByYou" || !tries.may_be_done()) throw;
  }
}

COROLITH_DECL task<void> head_bucket(lane* at, std::string bucket) {
  request what("head bucket", "HEAD", std::move(bucket), {});
  co_await perform_text(at, &what);
}

COROLITH_DECL task<void> remove_bucket(lane* at, std::string bucket) {
  request what("remove bucket", "DELETE", std::move(bucket), {});
  attempts tries(*at, what);
  try {
    co_await perform_text(at, &what, &tries);
  } catch (const s3_error& refused) {
    if (refused.name() != "NoSuchBucket" || !tries.may_be_done()) throw;
  }
}

COROLITH_DECL task<std::vector<bucket_info>> list_buckets(lane* at) {
  request what("list buckets", "GET", {}, {});
  const text_answer got = co_await perform_text(at, &what);
  co_return parse_buckets(got.body);
}

}  // namespace corolith::inline v0::s3::detail
