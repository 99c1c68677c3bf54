// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "place.hpp"
#include "session.hpp"
#include "text.hpp"

#include <corolith/core/error.hpp>
#include <corolith/storage/store.hpp>

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tool {

/// Lines for standard output, where a terminal must not obey what keys have in them.
class listing_output {
 public:
  void line(const std::string& text) {
    const std::string shown = (terminal_ ? printable(text) : text) + '\n';
    if (std::fwrite(shown.data(), 1, shown.size(), stdout) != shown.size()) fail();
  }
  void finish() {
    if (std::fflush(stdout) != 0) fail();
  }

 private:
  [[noreturn]] static void fail() { throw corolith::error(corolith::errc::storage, "cannot write to standard output"); }
  const bool terminal_ = ::isatty(STDOUT_FILENO) == 1;
};

inline std::string json_line(const corolith::storage::list_entry& entry) {
  std::string text = fmt::format("{{\"{}\":{}", entry.is_prefix ? "prefix" : "key", json_string(entry.key));
  if (!is_utf8(entry.key)) text += fmt::format(",\"key_base64\":\"{}\"", base64(entry.key));
  if (!entry.is_prefix) {
    text += fmt::format(",\"size\":{}", entry.size);
    if (!entry.etag.empty()) text += ",\"etag\":" + json_string(entry.etag);
    if (entry.last_modified) text += fmt::format(",\"last_modified\":\"{}\"", iso_time(*entry.last_modified));
    if (!entry.storage_class.empty()) text += ",\"storage_class\":" + json_string(entry.storage_class);
  }
  return text + "}";
}

inline std::string plain_line(const corolith::storage::list_entry& entry, bool human) {
  const std::string time = entry.last_modified ? local_time(*entry.last_modified) : std::string();
  const std::string size = entry.is_prefix ? "" : human ? human_size(entry.size) : std::to_string(entry.size);
  return fmt::format("{:<19} {:>14} {}", time, size, entry.key);
}

inline corolith::task<void> list_one(session* of, place what, listing_output* out) {
  corolith::storage::list_options how;
  how.prefix = of->how.recursive ? what.prefix() : what.key;
  if (!of->how.recursive) how.delimiter = "/";
  const corolith::store from = what.open();
  corolith::generator<corolith::storage::list_entry> listed = from.list(std::move(how));
  bool any = false;
  while (std::optional<corolith::storage::list_entry> entry = co_await listed.next()) {
    any = true;
    out->line(of->how.json ? json_line(*entry) : plain_line(*entry, of->how.human));
  }
  if (any) co_return;
  if (what.where.scheme == corolith::storage::location::kind::posix)
    co_await from.check();  // it may not be there at all
  if (!what.is_folder()) of->complain("there is nothing at " + what.text);
}

}  // namespace tool
