// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "buckets.hpp"
#include "commands.hpp"
#include "copy.hpp"
#include "flags.hpp"
#include "get.hpp"
#include "put.hpp"
#include "remove.hpp"
#include "session.hpp"

#include <corolith/core/error.hpp>
#include <corolith/core/interrupt_watch.hpp>
#include <corolith/coro/sync_wait.hpp>

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

/// `corolith store VERB …`.
namespace tool {

struct verb_row {
  std::string_view name;
  const char* words;  ///< what it takes besides flags
  const char* help;
  const char* more;
  unsigned bit;
  std::size_t least, most;
  corolith::task<int> (*run)(session*, std::vector<std::string>);
};

inline constexpr std::array<verb_row, 9> verb_rows{{
    {"put", "SOURCE... TARGET", "files into a store",
     "Each SOURCE is a file, with -r a folder, or - for standard input, of any length. TARGET is an object, or with a\n"
     "slash at its end what the new ones lie below. A put that fails leaves nothing.\n",
     on_put, 2, any_number, put},
    {"get", "SOURCE... TARGET", "objects into files",
     "Each SOURCE is an object, or with -r what lies below it. TARGET is a file, a folder, or - for standard output. "
     "A\n"
     "file is there when it is complete; with --resume an interrupted get leaves TARGET.corolith-partial-..., from\n"
     "which the next one goes on if the object still has the same ETag.\n",
     on_get, 2, any_number, get},
    {"ls", "PLACE...", "what there is",
     "Keys that begin with PLACE, as far as the next slash; with -r all that lies below it. s3:// lists buckets. With "
     "--json each line has\n"
     "key (or prefix), size in bytes, etag, last_modified (UTC) and storage_class where there is one.\n",
     on_ls, 1, any_number, ls},
    {"rm", "OBJECT...", "removes objects", "With -r all that lies below. What is not there is no error.\n", on_rm, 1,
     any_number, rm},
    {"cp", "SOURCE TARGET", "from store to store",
     "Within a store the bytes do not come here. Content type and metadata go along.\n", on_cp, 2, 2, cp},
    {"cat", "OBJECT...", "to standard output", "One after the other, in bounded memory.\n", on_cat, 1, any_number, cat},
    {"presign", "OBJECT...", "URLs for those who have no credentials",
     "S3 only. Whoever has the URL may do with the object what --method says until it expires, which is an hour\n"
     "unless --expires says otherwise, and not after the credentials do.\n",
     on_presign, 1, any_number, presign},
    {"mb", "BUCKET...", "makes buckets", "S3 only, in the region of --region.\n", on_mb, 1, any_number, mb},
    {"rb", "BUCKET...", "removes buckets",
     "S3 only. A bucket has to be empty, or --force removes all objects and unfinished uploads first, but not old\n"
     "versions.\n",
     on_rb, 1, any_number, rb},
}};

inline constexpr const char* store_places =
    "A place in a store is s3://bucket/key, posix:///folder/key or a path; after a question mark may come options\n"
    "(s3://bucket/key?endpoint=https://host), and %XX stands for special characters, but not in a path. Credentials\n"
    "come from the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY) or a profile, never from the command line.\n";

inline std::string store_help() {
  std::string text = "usage: corolith store VERB [FLAGS] ...\n\nObjects by name, in S3 and in directories.\n\n";
  for (const verb_row& row : verb_rows) text += fmt::format("  {:<8} {:<20} {}\n", row.name, row.words, row.help);
  return text + "\nEach has its own --help.\n\n" + store_places +
         "\nExit status: 0 all is done, 1 something failed, 2 a wrong flag or word, 130 interrupted.\n";
}

inline std::string verb_help(const verb_row& row) {
  return fmt::format("usage: corolith store {} [FLAGS] {}\n\n{}\n{}\n{}", row.name, row.words, row.more,
                     flags_text(row.bit), std::string("\n") + store_places);
}

inline int run_verb(const verb_row& row, const std::vector<std::string>& given) {
  const std::string name = fmt::format("corolith store {}", row.name);
  settings how;
  std::vector<std::string> words = parse_flags(given, row.bit, name, how);
  if (words.size() < row.least || words.size() > row.most)
    throw corolith::config_error(fmt::format("usage: {} [FLAGS] {}; --help says more", name, row.words));
  corolith::interrupt_watch watch;
  session of(std::move(how));
  std::stop_source stop;
  std::atomic<int> interrupted{0};
  watch.start(
      [&](int signal) {
        interrupted = signal;
        stop.request_stop();
      },
      [](int signal) { ::_exit(128 + signal); });
  try {
    return corolith::sync_wait(row.run(&of, std::move(words)), stop.get_token());
  } catch (const corolith::cancelled&) {
    if (interrupted == 0) throw;
    of.out.line("corolith: interrupted");
    return 128 + interrupted;
  }
}

/// The words behind `corolith store`. Throws config_error for wrong ones, and what ended the verb.
inline int store_command(const std::vector<std::string>& words) {
  if (words.empty()) {
    std::fputs(store_help().c_str(), stderr);
    return 2;
  }
  const auto row =
      std::find_if(verb_rows.begin(), verb_rows.end(), [&](const verb_row& each) { return each.name == words[0]; });
  const auto end_of_flags = std::find(words.begin(), words.end(), "--");
  if (words[0] == "help" || std::find(words.begin(), end_of_flags, "--help") != end_of_flags) {
    std::fputs((row == verb_rows.end() ? store_help() : verb_help(*row)).c_str(), stdout);
    return 0;
  }
  if (row == verb_rows.end())
    throw corolith::config_error(fmt::format("'{}' is no verb of corolith store; --help lists them", words[0]));
  return run_verb(*row, {words.begin() + 1, words.end()});
}

}  // namespace tool
