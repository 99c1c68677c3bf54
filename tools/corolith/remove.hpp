// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "place.hpp"
#include "session.hpp"
#include "work_queue.hpp"

#include <corolith/core/error.hpp>
#include <corolith/storage/store.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tool {

/// Keys of one store, as many as one request takes.
struct removal {
  std::optional<corolith::store> from;
  std::vector<std::string> keys;
};

inline corolith::generator<removal> removals(session* of, std::vector<place> places) {
  constexpr std::size_t most = 1000;
  for (const place& each : places) {
    removal next{each.open(), {}};
    if (!of->how.recursive) {
      if (each.is_folder()) {
        of->complain(each.text + " is a folder; -r removes all that is in it");
        continue;
      }
      next.keys.push_back(each.key);
    } else {
      corolith::generator<corolith::storage::list_entry> listed = next.from->list(each.prefix());
      while (std::optional<corolith::storage::list_entry> entry = co_await listed.next()) {
        next.keys.push_back(std::move(entry->key));
        if (next.keys.size() < most) continue;
        co_yield next;
        next.keys.clear();
      }
    }
    if (!next.keys.empty()) co_yield std::move(next);
  }
  of->meter.all_known();
}

inline corolith::task<void> remove_keys(session* of, removal what) {
  const std::size_t count = what.keys.size();
  const std::vector<corolith::storage::remove_result> left = co_await what.from->remove_many(std::move(what.keys));
  std::size_t failed = 0;
  for (const corolith::storage::remove_result& each : left) {
    if (each.removed()) continue;
    ++failed;
    of->complain("cannot remove '" + each.key + "': " + each.code + " " + each.message);
  }
  for (std::size_t i = failed; i < count; ++i) of->meter.done(0);
}

inline corolith::task<int> rm(session* of, std::vector<std::string> words) {
  std::vector<place> places;
  for (const std::string& word : words) places.push_back(parse_place(word, of->how));
  of->meter.start("removed", [] { return std::uint64_t{0}; });
  // Named, as g++ 12 miscompiles lambdas inside a co_await expression.
  corolith::task<void> all = for_each(
      removals(of, std::move(places)), of->how.jobs,
      [of](const removal& each) {
        for (std::size_t i = 0; i < each.keys.size(); ++i) of->meter.known(0);
      },
      [of](removal each) { return remove_keys(of, std::move(each)); });
  co_await std::move(all);
  of->meter.finish();
  co_return of->status();
}

}  // namespace tool
