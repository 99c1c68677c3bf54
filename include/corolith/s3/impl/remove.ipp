// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/coro/when_all.hpp>
#include <corolith/s3/checksum.hpp>
#include <corolith/s3/detail/download.hpp>
#include <corolith/s3/detail/objects.hpp>
#include <corolith/s3/detail/perform.hpp>
#include <corolith/s3/detail/xml.hpp>

#include <algorithm>
#include <map>
#include <span>

namespace corolith::inline v0::s3::detail {

inline constexpr std::size_t removed_at_once = 1'000;  // the service takes no more in one request
inline constexpr std::size_t removing_requests = 8;

COROLITH_DECL task<void> remove_object(lane* at, std::string bucket, std::string key, std::string version_id) {
  request what("remove", "DELETE", std::move(bucket), std::move(key));
  if (!version_id.empty()) what.query.emplace_back("versionId", std::move(version_id));
  try {
    co_await perform_text(at, &what);
  } catch (const s3_error& refused) {
    if (refused.name() != "NoSuchKey" && refused.name() != "NoSuchVersion") throw;
  }
}

/// One request; what it could not remove.
inline task<std::vector<remove_result>> remove_batch(lane* at, std::string bucket, std::span<const std::string> keys) {
  request what("remove many", "POST", std::move(bucket), {});
  what.query.emplace_back("delete", "");
  std::vector<std::pair<std::string, std::string>> named;
  named.reserve(keys.size());
  for (const std::string& key : keys) named.emplace_back(key, std::string());
  const std::string document = compose_remove(named, true);
  what.body.push_back(std::as_bytes(std::span(document)));
  what.headers.add("content-md5", content_md5(what.body.front()));
  what.headers.add("content-type", "application/xml");
  const text_answer got = co_await perform_text(at, &what);
  std::vector<remove_result> left;
  if (got.body.empty()) co_return left;
  left = parse_removed(got.body);
  std::erase_if(left, [](const remove_result& one) { return one.removed() || one.code == "NoSuchKey"; });
  co_return left;
}

inline task<void> remove_batches(lane* at, std::string bucket, std::span<const std::string> keys, part_counter* next,
                                 std::vector<std::vector<remove_result>>* left) {
  while (const std::optional<std::uint64_t> index = next->take()) {
    const auto from = static_cast<std::size_t>(*index) * removed_at_once;
    const auto batch = keys.subspan(from, std::min(removed_at_once, keys.size() - from));
    (*left)[static_cast<std::size_t>(*index)] = co_await remove_batch(at, bucket, batch);
  }
}

COROLITH_DECL task<std::vector<remove_result>> remove_objects(lane* at, std::string bucket,
                                                              std::vector<std::string> keys) {
  const std::size_t count = (keys.size() + removed_at_once - 1) / removed_at_once;
  part_counter next(0, count);
  std::vector<std::vector<remove_result>> left(count);
  std::vector<task<void>> all;
  for (std::size_t i = 0; i < std::min({count, removing_requests, at->core.breadth()}); ++i)
    all.push_back(remove_batches(at, bucket, keys, &next, &left));
  co_await when_all(std::move(all));
  std::vector<remove_result> together;
  for (auto& some : left) std::move(some.begin(), some.end(), std::back_inserter(together));
  co_return together;
}

}  // namespace corolith::inline v0::s3::detail
