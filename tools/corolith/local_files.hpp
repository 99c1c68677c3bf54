// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>
#include <corolith/coro/generator.hpp>

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tool {

/// A file of this machine and its place below what was named.
struct local_file {
  std::string path;
  std::string below;  ///< "a/b.txt"
  std::uint64_t size = 0;
};

/// All regular files below a folder. Links are followed, but not around in circles; what is no file and what cannot be read is complained
/// of, and the rest goes on.
class folder_walk {
 public:
  folder_walk(std::string folder, std::function<void(const std::string&)> complain)
      : root_(std::move(folder)), complain_(std::move(complain)) {
    enter({});
  }

  /// False: there are no more.
  bool next(local_file& found) {
    while (!levels_.empty()) {
      level& top = levels_.back();
      if (top.names.empty()) {
        levels_.pop_back();
        continue;
      }
      const std::string below = top.below + top.names.back();
      top.names.pop_back();
      struct stat about{};
      const std::string path = root_ + "/" + below;
      if (::stat(path.c_str(), &about) != 0) {
        complain_(path + ": " + std::strerror(errno));
      } else if (S_ISDIR(about.st_mode)) {
        enter(below + "/");
      } else if (!S_ISREG(about.st_mode)) {
        complain_(path + ": it is no file, and left out");
      } else {
        found.path = path;
        found.below = below;
        found.size = static_cast<std::uint64_t>(about.st_size);
        return true;
      }
    }
    return false;
  }

 private:
  struct level {
    std::string below;               // with a slash behind it; empty: the root
    std::vector<std::string> names;  // in reverse order
    dev_t device;
    ino_t inode;
  };

  void enter(const std::string& below) {
    const std::string path = root_ + "/" + below;
    struct stat about{};
    if (::stat(path.c_str(), &about) != 0) return complain_(path + ": " + std::strerror(errno));
    for (const level& above : levels_)
      if (above.device == about.st_dev && above.inode == about.st_ino)
        return complain_(path + ": a link to a folder that it lies in, and left out");
    std::error_code problem;
    level made{below, {}, about.st_dev, about.st_ino};
    std::filesystem::directory_iterator entry(path, problem);
    for (; !problem && entry != std::filesystem::directory_iterator(); entry.increment(problem))
      made.names.push_back(entry->path().filename().string());
    if (problem) complain_(path + ": " + problem.message());
    std::sort(made.names.begin(), made.names.end(), std::greater<>());
    levels_.push_back(std::move(made));
  }

  std::string root_;
  std::function<void(const std::string&)> complain_;
  std::vector<level> levels_;
};

inline corolith::generator<local_file> files_below(std::string folder,
                                                   std::function<void(const std::string&)> complain) {
  folder_walk walk(std::move(folder), std::move(complain));
  local_file found;
  while (walk.next(found)) co_yield std::move(found);
}

/// Where an object goes in a folder of this machine. Throws for a key that would leave it: who can write to a bucket must not write here.
inline std::string path_below(const std::string& folder, const std::string& below) {
  const auto refuse = [&](const char* why) {
    throw corolith::error(corolith::errc::misuse,
                          "the object '" + below + "' has no place below " + folder + ": " + why);
  };
  if (below.find('\0') != std::string::npos) refuse("its name has a zero byte");
  for (std::string_view rest = below;;) {
    const std::string_view part = rest.substr(0, rest.find('/'));
    if (part.empty()) refuse("a part between slashes is empty");
    if (part == "." || part == "..") refuse("its name has . or .. between slashes");
    if (part.size() == rest.size()) return folder + (folder.ends_with('/') ? "" : "/") + below;
    rest.remove_prefix(part.size() + 1);
  }
}

inline void make_folder_of(const std::string& path) {
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  std::error_code problem;
  if (!folder.empty()) std::filesystem::create_directories(folder, problem);
  if (problem)
    throw corolith::error(corolith::errc::storage,
                          "cannot make the folder " + folder.string() + ": " + problem.message());
}

}  // namespace tool
