// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "local_files.hpp"
#include "place.hpp"
#include "session.hpp"
#include "standard_streams.hpp"
#include "work_queue.hpp"

#include <corolith/core/error.hpp>
#include <corolith/storage/source.hpp>
#include <corolith/storage/store.hpp>

#include <sys/stat.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace tool {

struct upload {
  std::string path;  // "-": standard input
  std::string key;
  std::uint64_t size = 0;
};

inline corolith::generator<upload> uploads(session* of, std::vector<std::string> sources, place target,
                                           bool into_folder) {
  const auto complain = [of](const std::string& text) { of->complain(text); };
  for (const std::string& source : sources) {
    upload each{source, into_folder ? target.prefix() + last_part(source) : target.key, 0};
    struct stat about{};
    if (source == "-") {
      co_yield std::move(each);
    } else if (::stat(source.c_str(), &about) != 0) {
      complain(source + ": " + std::strerror(errno));
    } else if (!S_ISDIR(about.st_mode)) {
      each.size = static_cast<std::uint64_t>(about.st_size);
      co_yield std::move(each);
    } else if (!of->how.recursive) {
      complain(source + " is a folder; -r puts all that is in it");
    } else {
      corolith::generator<local_file> files = files_below(source, complain);
      while (std::optional<local_file> file = co_await files.next()) {
        each.path = std::move(file->path);
        each.key = target.prefix() + file->below;
        each.size = file->size;
        co_yield each;
      }
    }
  }
  of->meter.all_known();
}

inline corolith::task<void> put_one(session* of, corolith::store to, upload what) {
  corolith::storage::put_options how = of->how.put;
  if (of->how.keep) how.when.if_none_match = "*";
  corolith::object_source source = what.path == "-" ? corolith::object_source(standard_input())
                                                    : corolith::object_source(corolith::from_file(what.path));
  co_await to.put(what.key, std::move(source), std::move(how));
}

inline corolith::task<int> put(session* of, std::vector<std::string> words) {
  const place target = parse_place(words.back(), of->how);
  words.pop_back();
  const bool into_folder = target.is_folder();
  for (const std::string& source : words)
    if (source == "-" && (into_folder || words.size() > 1))
      throw corolith::config_error("standard input becomes one object, whose name TARGET has to say: '" + target.text +
                                   "' is a folder or one of several");
  if (!into_folder && words.size() > 1)
    throw corolith::config_error("several sources need a TARGET with a slash at its end: '" + target.text + "/'");
  const corolith::store to = target.open();
  of->meter.start("put", [to] { return to.moved().sent; });
  // Named, as g++ 12 miscompiles lambdas inside a co_await expression.
  corolith::task<void> all = for_each(
      uploads(of, std::move(words), target, into_folder), of->how.jobs,
      [of](const upload& each) { of->meter.known(each.size); },
      [of, to](upload each) {
        const std::uint64_t size = each.size;
        return of->attempt(put_one(of, to, std::move(each)), size);
      });
  co_await std::move(all);
  of->meter.finish();
  co_return of->status();
}

}  // namespace tool
