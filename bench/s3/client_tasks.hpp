// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../peers/s3_peer.hpp"

#include <corolith/coro/object_source.hpp>
#include <corolith/coro/task.hpp>
#include <corolith/coro/when_all.hpp>
#include <corolith/s3/client.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

/// What corolith's client is asked to do in the benchmark: as a user of it would write it.
namespace bench::s3 {

using s3_peer::work;

/// Requests that as many tasks as there may be at once take one after another.
struct requests {
  const corolith::s3::client* client;
  std::string bucket;
  work what;
  s3_peer::memory* memory;
  std::string folder;  ///< files there, called 0, 1, ...; empty: memory
  std::size_t begun = 0;
};

inline corolith::task<void> put_all(requests* all) {
  const std::span<const std::byte> source(all->memory->source(all->what.bytes), all->what.bytes);
  while (all->begun < all->what.requests) co_await all->client->put(all->bucket, all->what.key(all->begun++), source);
}

inline corolith::task<void> get_all(requests* all, std::span<std::byte> into) {
  while (all->begun < all->what.requests) {
    const std::size_t got = co_await all->client->get_into(all->bucket, all->what.key(all->begun++), into);
    if (got != into.size()) throw std::runtime_error("an object is shorter than was asked for");
  }
}

inline corolith::task<void> put_files(requests* all) {
  while (all->begun < all->what.requests) {
    const std::size_t index = all->begun++;
    corolith::from_file file(all->folder + "/" + std::to_string(index));
    co_await all->client->put(all->bucket, all->what.key(index), std::move(file));
  }
}

inline corolith::task<void> get_files(requests* all) {
  while (all->begun < all->what.requests) {
    const std::size_t index = all->begun++;
    co_await all->client->get_to_file(all->bucket, all->what.key(index), all->folder + "/" + std::to_string(index));
  }
}

inline corolith::task<void> work_on(requests* all) {
  std::vector<corolith::task<void>> workers;
  for (std::size_t i = 0; i < std::min(all->what.connections, all->what.requests); ++i) {
    if (!all->folder.empty())
      workers.push_back(all->what.put ? put_files(all) : get_files(all));
    else if (all->what.put)
      workers.push_back(put_all(all));
    else
      workers.push_back(get_all(all, {all->memory->target(i, all->what.bytes), all->what.bytes}));
  }
  co_await corolith::when_all(std::move(workers));
}

inline corolith::task<void> stream_all(const corolith::s3::client* client, std::string bucket, std::string key,
                                       std::size_t expected) {
  std::size_t bytes = 0;
  auto pieces = client->stream(std::move(bucket), std::move(key));
  while (auto piece = co_await pieces.next()) bytes += piece->size();
  if (bytes != expected) throw std::runtime_error(fmt::format("{} bytes came of {}", bytes, expected));
}

inline corolith::task<void> remove_all(const corolith::s3::client* client, std::string bucket, std::string prefix) {
  std::vector<std::string> keys;
  auto entries = client->list(bucket, std::move(prefix));
  while (auto entry = co_await entries.next()) keys.push_back(std::move(entry->key));
  const std::vector<corolith::s3::remove_result> left = co_await client->remove_many(bucket, std::move(keys));
  if (!left.empty()) throw std::runtime_error(left.front().key + ": " + left.front().message);
}

}  // namespace bench::s3
