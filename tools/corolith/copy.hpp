// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "place.hpp"
#include "session.hpp"
#include "work_queue.hpp"

#include <corolith/core/error.hpp>
#include <corolith/s3/client.hpp>
#include <corolith/storage/s3.hpp>
#include <corolith/storage/store.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tool {

struct object_copy {
  std::string from, to;
  std::string etag;
  std::uint64_t size = 0;
};

inline corolith::generator<object_copy> copies(session* of, place source, place target) {
  const corolith::store from = source.open();
  if (of->how.recursive) {
    const std::string prefix = source.prefix();
    bool any = false;
    corolith::generator<corolith::storage::list_entry> listed = from.list(prefix);
    while (std::optional<corolith::storage::list_entry> entry = co_await listed.next()) {
      any = true;
      if (entry->key == prefix) continue;  // what some tools make in place of a folder
      object_copy each{entry->key, target.prefix() + entry->key.substr(prefix.size()), std::move(entry->etag),
                       entry->size};
      co_yield std::move(each);
    }
    if (!any) of->complain("nothing lies below " + source.text);
  } else {
    corolith::storage::object_info info = co_await from.head(source.key);
    object_copy one{source.key, target.is_folder() ? target.key + last_part(source.key) : target.key,
                    std::move(info.etag), info.size};
    co_yield std::move(one);
  }
  of->meter.all_known();
}

/// Through this process, with content type and metadata.
inline corolith::task<void> carry(corolith::store from, corolith::store to, object_copy what) {
  corolith::storage::object_info info = co_await from.head(what.from);
  corolith::storage::get_options same;
  same.when.if_match = info.etag;
  corolith::storage::put_options how;
  how.headers = std::move(info.headers);
  corolith::object_source source(from.stream(what.from, std::move(same)));
  co_await to.put(what.to, std::move(source), std::move(how));
}

/// Where the bytes need not come here: within a store, or from bucket to bucket of one server.
inline corolith::task<void> copy_there(place source, place target, object_copy what) {
  if (source.where.to_string() != target.where.to_string()) {
    const corolith::s3::client client = corolith::storage::s3_client_of(source.where);
    co_await client.copy(source.where.bucket, what.from, target.where.bucket, what.to);
  } else if (what.from == what.to) {
    throw corolith::error(corolith::errc::misuse, "'" + what.from + "' would be copied to itself");
  } else {
    const corolith::store objects = source.open();
    co_await objects.copy(what.from, what.to);
  }
}

inline corolith::task<int> cp(session* of, std::vector<std::string> words) {
  place source = parse_place(words[0], of->how);
  place target = parse_place(words[1], of->how);
  if (!of->how.recursive && source.is_folder())
    throw corolith::config_error(source.text + " is a folder; -r copies all that is in it");
  if (of->how.recursive && (target.path() + "/").starts_with(source.path() + (source.is_folder() ? "" : "/")))
    throw corolith::config_error(target.text + " lies in " + source.text + ", so it would be copied without end");
  const corolith::store from = source.open(), to = target.open();
  const bool there = from.url() == to.url() ||
                     (source.where.scheme == corolith::storage::location::kind::s3 &&
                      target.where.scheme == source.where.scheme && source.where.options == target.where.options);
  of->meter.start("copied", [to] { return to.moved().sent; });
  // Named, as g++ 12 miscompiles lambdas inside a co_await expression.
  corolith::task<void> all = for_each(
      copies(of, source, target), of->how.jobs, [of](const object_copy& each) { of->meter.known(each.size); },
      [of, from, to, source, target, there](object_copy each) {
        const std::uint64_t size = each.size;
        return of->attempt(there ? copy_there(source, target, std::move(each)) : carry(from, to, std::move(each)),
                           size);
      });
  co_await std::move(all);
  of->meter.finish();
  co_return of->status();
}

}  // namespace tool
