// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "local_files.hpp"
#include "partial_file.hpp"
#include "place.hpp"
#include "session.hpp"
#include "standard_streams.hpp"
#include "work_queue.hpp"

#include <corolith/core/error.hpp>
#include <corolith/storage/store.hpp>

#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tool {

struct download {
  std::optional<corolith::store> from;
  std::string key;
  std::string etag;
  std::uint64_t size = 0;
  std::string path;
};

/// All objects below a place, with where they go below `folder`.
inline corolith::generator<download> downloads_below(session* of, place source, std::string folder) {
  const corolith::store from = source.open();
  const std::string prefix = source.prefix();
  corolith::generator<corolith::storage::list_entry> listed = from.list(prefix);
  bool any = false;
  while (std::optional<corolith::storage::list_entry> entry = co_await listed.next()) {
    any = true;
    if (entry->size == 0 && entry->key.ends_with('/')) continue;  // some tools make these in place of folders
    download each{from, entry->key, std::move(entry->etag), entry->size, {}};
    std::string problem;
    try {
      each.path = path_below(folder, entry->key.substr(prefix.size()));
    } catch (const corolith::error& refused) {
      problem = refused.what();
    }
    if (problem.empty())
      co_yield std::move(each);
    else
      of->complain(problem);
  }
  if (!any) of->complain("nothing lies below " + source.text);
}

/// The one object that a place names.
inline corolith::task<std::optional<download>> find_object(session* of, place source, std::string target,
                                                           bool into_folder) {
  std::string problem = source.text + " is a folder; -r gets all that is in it";
  if (!source.is_folder()) try {
      const corolith::store from = source.open();
      corolith::storage::object_info info = co_await from.head(source.key);
      download found{from, source.key, std::move(info.etag), info.size, {}};
      found.path = into_folder ? path_below(target, last_part(source.key)) : std::move(target);
      co_return found;
    } catch (const corolith::cancelled&) {
      throw;
    } catch (const corolith::config_error&) {
      throw;
    } catch (const corolith::error& failure) {
      problem = failure.what();
    }
  of->complain(problem);
  co_return std::nullopt;
}

inline corolith::generator<download> downloads(session* of, std::vector<place> sources, std::string target,
                                               bool into_folder) {
  for (place& source : sources) {
    if (of->how.recursive) {
      corolith::generator<download> below = downloads_below(of, std::move(source), target);
      while (std::optional<download> each = co_await below.next()) co_yield std::move(*each);
    } else {
      std::optional<download> found = co_await find_object(of, std::move(source), target, into_folder);
      if (found) co_yield std::move(*found);
    }
  }
  of->meter.all_known();
}

/// Goes on with what an earlier attempt has left, if it is of the same content.
inline corolith::task<void> get_resumed(session* of, download what) {
  partial_file part(what.path, what.from->url() + " " + what.key, what.etag);
  if (part.size() > what.size) part.start_again();
  if (part.size() != 0) {
    of->meter.skipped(part.size());
    of->out.line("corolith: " + what.path + " goes on from " + human_size(part.size()) + " of " +
                 human_size(what.size));
  }
  if (part.size() < what.size) {
    corolith::storage::get_options how;
    how.range.first = part.size();
    how.when.if_match = what.etag;
    corolith::generator<std::vector<std::byte>> pieces = what.from->stream(what.key, std::move(how));
    while (std::optional<std::vector<std::byte>> piece = co_await pieces.next()) part.append(*piece);
  }
  if (part.size() != what.size)
    throw corolith::error(corolith::errc::corrupted,
                          "the object '" + what.key + "' gave another number of bytes than it has");
  part.finish();
}

inline corolith::task<void> get_one(session* of, download what) {
  if (what.path.ends_with('/') || std::filesystem::is_directory(what.path))
    throw corolith::error(corolith::errc::misuse, what.path + " is a folder, and no place for a file");
  if (of->how.keep && std::filesystem::exists(what.path))
    throw corolith::error(corolith::errc::already_exists, what.path + " is there already");
  if (of->how.resume && !what.etag.empty()) {
    co_await get_resumed(of, std::move(what));
  } else {
    co_await what.from->get_to_file(what.key, what.path);
  }
}

inline corolith::task<void> make_folder_and_get(session* of, download what) {
  make_folder_of(what.path);
  co_await get_one(of, std::move(what));
}

/// All of an object, or a part of it, to standard output.
inline corolith::task<void> write_out(place source, corolith::storage::byte_range range) {
  if (source.is_folder()) throw corolith::config_error(source.text + " is a folder and no object");
  corolith::storage::get_options how;
  how.range = range;
  const corolith::store from = source.open();
  corolith::generator<std::vector<std::byte>> pieces = from.stream(source.key, std::move(how));
  while (std::optional<std::vector<std::byte>> piece = co_await pieces.next())
    write_fully(STDOUT_FILENO, *piece, "standard output");
}

inline corolith::task<int> cat(session* of, std::vector<std::string> words) {
  for (const std::string& word : words) co_await write_out(parse_place(word, of->how), of->how.range);
  co_return 0;
}

inline corolith::task<int> get(session* of, std::vector<std::string> words) {
  const std::string target = std::move(words.back());
  words.pop_back();
  if (target.empty()) throw corolith::config_error("TARGET is empty");
  if (target == "-") {
    if (of->how.recursive || of->how.resume || of->how.keep)
      throw corolith::config_error(
          "standard output takes objects one after the other, without -r, --resume and --keep");
    co_return co_await cat(of, std::move(words));
  }
  const bool into_folder = target.ends_with('/') || std::filesystem::is_directory(target);
  if (!into_folder && words.size() > 1)
    throw corolith::config_error("several sources need a TARGET that is a folder: '" + target + "/'");
  std::vector<place> sources;
  std::vector<corolith::store> stores;
  for (const std::string& word : words) {
    sources.push_back(parse_place(word, of->how));
    bool known = false;
    corolith::store each = sources.back().open();
    for (const corolith::store& other : stores) known = known || other.url() == each.url();
    if (!known) stores.push_back(std::move(each));
  }
  of->meter.start("got", [stores] {
    std::uint64_t all = 0;
    for (const corolith::store& each : stores) all += each.moved().received;
    return all;
  });
  const bool makes_folders = of->how.recursive || into_folder;
  // Named, as g++ 12 miscompiles lambdas inside a co_await expression.
  corolith::task<void> all = for_each(
      downloads(of, std::move(sources), target, into_folder), of->how.jobs,
      [of](const download& each) { of->meter.known(each.size); },
      [of, makes_folders](download each) {
        const std::uint64_t size = each.size;
        return of->attempt(makes_folders ? make_folder_and_get(of, std::move(each)) : get_one(of, std::move(each)),
                           size);
      });
  co_await std::move(all);
  of->meter.finish();
  co_return of->status();
}

}  // namespace tool
