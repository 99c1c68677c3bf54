// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/storage/detail/file_threads.hpp>
#include <corolith/storage/detail/keys.hpp>
#include <corolith/storage/detail/posix_files.hpp>
#include <corolith/storage/detail/posix_list.hpp>
#include <corolith/storage/error.hpp>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace corolith::inline v0::storage::detail {

/// A walk through the folders, depth first. A folder's name is compared with a slash behind it, as it stands in keys: "a.txt" comes before
/// "a/b". Not thread-safe; blocks.
class directory_walk {
 public:
  directory_walk(std::shared_ptr<const directory> where, list_options what)
      : where_(std::move(where)), what_(std::move(what)) {
    const std::string folder = parent_of(what_.prefix);  // all that matches lies below it
    if (!path_is_sane(folder)) return;
    root_ = unique_fd(::open(where_->folder().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!root_) {
      if (errno == ENOENT) return;  // nothing was put yet
      fail_file(errno, "list", what_.prefix);
    }
    enter(folder.empty() ? folder : folder + "/", true);
  }

  /// Up to so many entries more; none: the end.
  std::vector<list_entry> next(std::size_t count, const std::stop_token& stop) {
    std::vector<list_entry> found;
    while (found.size() < count && !levels_.empty()) {
      check_stop(stop);
      level& top = levels_.back();
      if (top.next == top.items.size()) {
        levels_.pop_back();
        continue;
      }
      const item each = top.items[top.next++];
      const std::string key = top.path + each.name;
      if (each.is_folder) {
        visit_folder(key, found);
      } else {
        visit_file(key, found);
      }
    }
    return found;
  }

 private:
  struct item {
    std::string name;  // of a folder: with a slash behind it
    bool is_folder;
  };
  struct level {
    std::string path;
    std::vector<item> items;
    std::size_t next = 0;
  };

  static bool path_is_sane(const std::string& path) {
    if (path.empty()) return true;
    try {
      check_path_key(path);
      return true;
    } catch (const store_error&) {
      return false;  // no key is like that, so none is listed
    }
  }

  /// Whether keys that begin with `path` can be of interest at all.
  bool may_match(const std::string& path) const {
    const std::size_t common = std::min(path.size(), what_.prefix.size());
    if (path.compare(0, common, what_.prefix, 0, common) != 0) return false;
    if (path == reserved_prefix && hidden(path, what_.prefix)) return false;
    return path > what_.start_after || what_.start_after.starts_with(path);
  }

  /// The common prefix that the listing gives instead of `key`, or nothing.
  std::string group_of(const std::string& key) const {
    if (what_.delimiter.empty()) return {};
    const std::size_t at = key.find(what_.delimiter, what_.prefix.size());
    return at == std::string::npos ? std::string() : key.substr(0, at + what_.delimiter.size());
  }

  void enter(const std::string& path, bool may_be_missing) {
    const unique_fd folder = where_->try_open(root_.get(), path.empty() ? "." : path, O_RDONLY | O_DIRECTORY);
    if (!folder) {
      if (errno == ENOENT || errno == ENOTDIR || (may_be_missing && errno == EXDEV)) return;
      fail_file(errno, "list", path);
    }
    level made{path, read_items(folder.get(), path), 0};
    std::sort(made.items.begin(), made.items.end(), [](const item& a, const item& b) { return a.name < b.name; });
    levels_.push_back(std::move(made));
  }

  std::vector<item> read_items(int folder, const std::string& path) const {
    std::vector<item> items;
    unique_fd again(::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!again) fail_file(errno, "list", path);
    const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(again.get()), &::closedir);
    if (!stream) fail_file(errno, "list", path);
    again.release();
    for (;;) {
      errno = 0;
      const dirent* entry = ::readdir(stream.get());
      if (entry == nullptr) {
        if (errno != 0) fail_file(errno, "list", path);
        return items;
      }
      std::string name = entry->d_name;
      if (name == "." || name == ".." || name.starts_with(unfinished)) continue;
      unsigned char type = entry->d_type;
      if (type == DT_UNKNOWN) type = type_of(folder, name);
      if (type == DT_DIR) {
        name += '/';
        if (may_match(path + name)) items.push_back({std::move(name), true});
      } else if ((type == DT_REG || type == DT_LNK) && (path + name).starts_with(what_.prefix)) {
        items.push_back({std::move(name), false});
      }
    }
  }

  static unsigned char type_of(int folder, const std::string& name) {
    struct stat found{};
    if (::fstatat(folder, name.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0) return DT_UNKNOWN;
    return S_ISDIR(found.st_mode)   ? DT_DIR
           : S_ISREG(found.st_mode) ? DT_REG
           : S_ISLNK(found.st_mode) ? DT_LNK
                                    : DT_UNKNOWN;
  }

  void visit_folder(const std::string& path, std::vector<list_entry>& found) {
    const std::string group = path.starts_with(what_.prefix) ? group_of(path) : std::string();
    if (group.empty()) return enter(path, false);
    if (group == last_group_ || group <= what_.start_after) return;
    directory_walk inside(where_, below(path));  // folders without objects are none
    if (inside.next(1, {}).empty()) return;
    add_group(group, found);
  }
  static list_options below(const std::string& path) {
    list_options what;
    what.prefix = path;
    return what;
  }

  void visit_file(const std::string& key, std::vector<list_entry>& found) {
    if (key <= what_.start_after) return;
    struct stat about{};
    const unique_fd file = where_->try_open(root_.get(), key, O_PATH);  // also looks where a link leads
    if (!file || ::fstat(file.get(), &about) != 0 || !S_ISREG(about.st_mode)) return;
    const std::string group = group_of(key);
    if (!group.empty()) return add_group(group, found);
    object_info info = info_of(about);
    list_entry entry;
    entry.key = key;
    entry.size = info.size;
    entry.etag = std::move(info.etag);
    entry.last_modified = info.last_modified;
    found.push_back(std::move(entry));
  }

  void add_group(const std::string& group, std::vector<list_entry>& found) {
    if (group == last_group_) return;
    last_group_ = group;
    list_entry entry;
    entry.key = group;
    entry.is_prefix = true;
    found.push_back(std::move(entry));
  }

  std::shared_ptr<const directory> where_;
  list_options what_;
  unique_fd root_;
  std::vector<level> levels_;
  std::string last_group_;
};

// Inline, as the types of lambdas in the frame of a coroutine need linkage.
inline generator<list_entry> walk_directory(std::shared_ptr<const directory> where, list_options what) {
  constexpr std::size_t most = 1000;
  std::size_t count = 32;  // the first ones soon
  const auto walk =
      co_await on_file_thread([&](const std::stop_token&) { return std::make_shared<directory_walk>(where, what); });
  for (;;) {
    std::vector<list_entry> found =
        co_await on_file_thread([&](const std::stop_token& stop) { return walk->next(count, stop); });
    if (found.empty()) co_return;
    for (list_entry& each : found) co_yield std::move(each);
    count = std::min(most, count * 4);
  }
}

COROLITH_DECL generator<list_entry> list_directory(std::shared_ptr<const directory> where, list_options what) {
  return walk_directory(std::move(where), std::move(what));
}

}  // namespace corolith::inline v0::storage::detail
