// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../text.hpp"
#include "finding.hpp"

#include <corolith/core/unique_fd.hpp>
#include <corolith/storage/location.hpp>

#include <fmt/format.h>

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>

/// The folders of a run: whether they can be used, who else can, what room there is, and whose clock they have.
namespace tool::doctor {

/// The folder, or the nearest one above it that is there.
inline std::string nearest_folder(const std::string& path) {
  std::error_code ignored;
  std::filesystem::path at = std::filesystem::absolute(path, ignored);
  while (!std::filesystem::exists(at, ignored) && at.has_relative_path()) at = at.parent_path();
  return at.string();
}

/// Makes a file in the folder and removes it. Returns what was wrong, or nothing, and by how many seconds the clock of the file
/// system is ahead of ours.
inline std::string try_file(const std::string& folder, double* ahead) {
  const std::string path = folder + "/.corolith-doctor-" + std::to_string(::getpid());
  const corolith::unique_fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file) return std::strerror(errno);
  std::string problem;
  const std::array<char, 4096> data{};
  if (::write(file.get(), data.data(), data.size()) != static_cast<ssize_t>(data.size()) || ::fsync(file.get()) != 0)
    problem = std::strerror(errno != 0 ? errno : ENOSPC);
  struct stat status{};
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  if (::fstat(file.get(), &status) == 0)
    *ahead = std::difftime(status.st_mtim.tv_sec, now.tv_sec) +
             1e-9 * static_cast<double>(status.st_mtim.tv_nsec - now.tv_nsec);
  ::unlink(path.c_str());
  return problem;
}

/// A folder that may have to be made. True when files can be made in it.
inline bool check_writable(report& into, const std::string& check, const std::string& path, const std::string& setting,
                           double* ahead) {
  const std::string folder = nearest_folder(path);
  struct stat status{};
  if (::stat(folder.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) {
    into.problem(check, fmt::format("{} is no folder, so {} cannot be made", folder, path),
                 fmt::format("name another one with {}", setting));
    return false;
  }
  const std::string problem = try_file(folder, ahead);
  if (problem.empty()) return true;
  into.problem(check, fmt::format("no file can be made in {}: {}", folder, problem),
               fmt::format("name a folder that you may write to with {}", setting));
  return false;
}

inline void check_room(report& into, const std::string& check, const std::string& path, std::uint64_t least,
                       const std::string& setting) {
  const std::string folder = nearest_folder(path);
  struct statvfs room{};
  if (::statvfs(folder.c_str(), &room) != 0) return;
  const std::uint64_t bytes = static_cast<std::uint64_t>(room.f_bavail) * room.f_frsize;
  if (bytes < least)
    return into.problem(
        check, fmt::format("{} has room for {} only, and {} are needed", folder, human_size(bytes), human_size(least)),
        fmt::format("make room there, or name another folder with {}", setting));
  if (room.f_files != 0 && room.f_favail < 100)
    return into.problem(check, fmt::format("{} has room for {} more files only", folder, room.f_favail),
                        fmt::format("remove files there, or name another folder with {}", setting));
  into.good(check, fmt::format("{} has {} free", folder, human_size(bytes)));
}

/// Who may change a folder may put what he likes in the place of what is in it.
inline void check_privacy(report& into, const std::string& check, const std::string& folder, bool sticky_is_fine) {
  struct stat status{};
  if (::stat(folder.c_str(), &status) != 0)
    return into.good(check, fmt::format("{} will be made with mode 0700", folder));
  if (status.st_uid != ::getuid() && status.st_uid != 0)
    return into.problem(check, fmt::format("{} belongs to somebody else (user {})", folder, status.st_uid),
                        fmt::format("chown it, or name a folder of your own"));
  const bool open = (status.st_mode & (S_IWGRP | S_IWOTH)) != 0 && !(sticky_is_fine && (status.st_mode & S_ISVTX) != 0);
  if (open)
    return into.problem(check,
                        fmt::format("others may write to {} (mode {:04o}): they could replace the secret of a run",
                                    folder, status.st_mode & 07777U),
                        fmt::format("chmod 700 {}", folder));
  const bool shared = (status.st_mode & (S_IWGRP | S_IWOTH)) != 0;
  into.good(check, std::string(shared ? "others cannot replace what is yours in " : "only you can write to ") + folder);
}

/// File systems that only this machine has.
inline const char* local_file_system(const std::string& folder) {
  struct statfs status{};
  if (::statfs(nearest_folder(folder).c_str(), &status) != 0) return nullptr;
  switch (static_cast<unsigned long>(status.f_type)) {
    case EXT4_SUPER_MAGIC: return "ext4";
    case XFS_SUPER_MAGIC: return "xfs";
    case BTRFS_SUPER_MAGIC: return "btrfs";
    case TMPFS_MAGIC: return "tmpfs";
    case OVERLAYFS_SUPER_MAGIC: return "overlay";
    default: return nullptr;
  }
}

inline void check_clock(report& into, double ahead, const std::string& folder) {
  if (std::fabs(ahead) < 2) return into.good("clock", fmt::format("it agrees with that of {}", folder));
  into.warning(
      "clock",
      fmt::format("it is {:.1f} s {} that of the file system of {}: times of calls do not fit together, and S3 refuses "
                  "requests from 15 min on",
                  std::fabs(ahead), ahead > 0 ? "behind" : "ahead of", folder),
      "start chrony or ntpd on this machine (chronyc tracking, timedatectl)");
}

inline std::string temporary_folder() {
  const char* name = std::getenv("TMPDIR");
  return name != nullptr && *name != 0 ? name : "/tmp";
}

inline std::string cache_folder(const corolith::options& how) {
  if (!how.cache_folder.empty()) return how.cache_folder;
  if (const char* base = std::getenv("XDG_CACHE_HOME"); base != nullptr && *base == '/')
    return std::string(base) + "/corolith";
  if (const char* home = std::getenv("HOME"); home != nullptr && *home == '/')
    return std::string(home) + "/.cache/corolith";
  return fmt::format("/tmp/corolith-cache-{}", ::getuid());
}

inline void check_session_folder(report& into, const corolith::options& how, double* ahead) {
  const bool slurm = how.launcher == "slurm";
  std::string folder;
  if (!slurm) {
    const char* base = std::getenv("XDG_RUNTIME_DIR");
    folder = base != nullptr && ::access(base, W_OK | X_OK) == 0 ? base : "/tmp";
  } else if (!how.slurm.shared_folder.empty()) {
    folder = how.slurm.shared_folder;
  } else if (const char* home = std::getenv("HOME")) {
    folder = std::string(home) + "/.corolith";
  } else {
    return into.problem("shared folder", "HOME is not set", "name a folder that all nodes see with --shared-folder");
  }
  const std::string check = slurm ? "shared folder" : "session folder";
  const std::string setting = slurm ? "--shared-folder" : "XDG_RUNTIME_DIR";
  if (!check_writable(into, check, folder, setting, ahead)) return;
  if (const char* local = slurm ? local_file_system(folder) : nullptr)
    into.warning(check,
                 fmt::format("{} is on a file system of this machine ({}), which nodes may not see", folder, local),
                 "name a folder on a file system that nodes share with --shared-folder, or give --secret-by script");
  else
    check_room(into, check, folder, 1U << 20U, setting);
  check_privacy(into, "secret", folder, true);
}

inline void check_store(report& into, const corolith::options& how) {
  if (how.store.empty()) return;
  const corolith::storage::location where = corolith::storage::location::parse(how.store);
  if (where.scheme == corolith::storage::location::kind::s3)
    return into.note("store", how.store + " is not asked; `corolith store ls " + how.store + "` does");
  double ahead = 0;
  if (!check_writable(into, "store", where.folder, "--store", &ahead)) return;
  if (const char* local = how.launcher == "slurm" ? local_file_system(where.folder) : nullptr)
    return into.warning(
        "store",
        fmt::format("{} is on a file system of this machine ({}), which nodes may not see", where.folder, local),
        "name a folder on a file system that nodes share with --store");
  check_room(into, "store", where.folder, 16U << 20U, "--store");
}

inline void check_folders(report& into, const corolith::options& how) {
  double ahead = 0, unused = 0;
  check_session_folder(into, how, &ahead);
  const std::string temporary = temporary_folder(), cache = cache_folder(how);
  if (check_writable(into, "temporary folder", temporary, "TMPDIR", &unused))
    check_room(into, "temporary folder", temporary, 64U << 20U, "TMPDIR");
  if (check_writable(into, "cache folder", cache, "--cache-folder", &unused)) {
    check_room(into, "cache folder", cache, 256U << 20U, "--cache-folder");
    struct stat status{};
    if (::lstat(cache.c_str(), &status) == 0 &&
        (!S_ISDIR(status.st_mode) || status.st_uid != ::geteuid() || (status.st_mode & 077U) != 0))
      into.problem(
          "cache folder",
          fmt::format("{} must be a folder of this user with mode 0700 and no link, and agents refuse it", cache),
          fmt::format("chmod 700 {}, or name another one with --cache-folder", cache));
  }
  check_store(into, how);
  check_clock(into, ahead, how.launcher == "slurm" ? "the shared folder" : "the session folder");
}

}  // namespace tool::doctor
