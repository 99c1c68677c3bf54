// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "commands.hpp"

#include <corolith/core/error.hpp>
#include <corolith/core/unique_fd.hpp>

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

/// `corolith logs`: what agents have written.
namespace tool {

struct log_file {
  std::string path;
  std::filesystem::file_time_type written;
};

/// job-ID.log of Slurm jobs and agent-N.log of local agents, in a folder; the newest last.
inline void add_logs(const std::filesystem::path& folder, std::vector<log_file>& into) {
  std::error_code failure;
  for (std::filesystem::directory_iterator at(folder, failure), end; !failure && at != end; at.increment(failure)) {
    const std::string name = at->path().filename().string();
    if (!name.ends_with(".log") || (!name.starts_with("job-") && !name.starts_with("agent-"))) continue;
    std::error_code gone;
    const auto written = at->last_write_time(gone);
    if (!gone) into.push_back({at->path().string(), written});
  }
}

/// Those of runs that are there, and of the folder for the logs of jobs.
inline std::vector<log_file> find_logs(const corolith::options& how) {
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");  // where drivers of this environment have their folders
  std::vector<std::string> bases{runtime != nullptr && ::access(runtime, W_OK | X_OK) == 0 ? runtime : "/tmp"};
  if (!how.slurm.shared_folder.empty())
    bases.push_back(how.slurm.shared_folder);
  else if (const char* home = std::getenv("HOME"))
    bases.push_back(std::string(home) + "/.corolith");
  std::vector<log_file> logs;
  if (!how.slurm.log_folder.empty()) add_logs(how.slurm.log_folder, logs);
  const std::string own = fmt::format("corolith-{}-", ::getuid());
  for (const std::string& base : bases) {
    std::error_code failure;
    for (std::filesystem::directory_iterator at(base, failure), end; !failure && at != end; at.increment(failure))
      if (at->path().filename().string().starts_with(own)) add_logs(at->path(), logs);
  }
  std::sort(logs.begin(), logs.end(), [](const log_file& a, const log_file& b) { return a.written < b.written; });
  return logs;
}

inline std::string choose_log(const invocation& call) {
  std::vector<log_file> logs = find_logs(call.options());
  if (call.words.empty()) {
    if (!logs.empty()) return logs.back().path;
    throw corolith::error(
        corolith::errc::not_found,
        "no run of yours has a log at this moment; those of ended runs are kept where --log-folder says");
  }
  const std::string& word = call.words[0];
  const std::string name = "job-" + word + ".log";
  for (const log_file& each : logs)
    if (std::filesystem::path(each.path).filename() == name) return each.path;
  struct stat status{};
  if (::stat(word.c_str(), &status) == 0 && S_ISREG(status.st_mode)) return word;
  throw corolith::error(
      corolith::errc::not_found,
      fmt::format("there is no log of a job '{}', nor such a file; `corolith logs --list` lists what there "
                  "is, and --log-folder says where logs of ended runs are",
                  word));
}

inline bool write_all(const char* data, std::size_t size) {
  while (size != 0) {
    const ssize_t count = ::write(STDOUT_FILENO, data, size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    data += count;
    size -= static_cast<std::size_t>(count);
  }
  return true;
}

/// Copies it to standard output; with `follow` until it is removed, as logs of a run are with the run.
inline void show_log(const std::string& path, bool follow) {
  const corolith::unique_fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const auto failed = [&](const char* what) {
    throw corolith::error(corolith::errc::storage, fmt::format("cannot {} {}: {}", what, path, std::strerror(errno)));
  };
  if (!file) failed("open");
  std::array<char, 65536> buffer;
  for (;;) {
    const ssize_t count = ::read(file.get(), buffer.data(), buffer.size());
    if (count < 0 && errno != EINTR) failed("read");
    if (count > 0 && !write_all(buffer.data(), static_cast<std::size_t>(count))) failed("pass on");
    if (count != 0) continue;
    struct stat status{};
    if (!follow || ::fstat(file.get(), &status) != 0 || status.st_nlink == 0) return;
    ::usleep(200'000);
  }
}

inline int logs(const invocation& call) {
  if (call.has("list")) {
    for (const log_file& each : find_logs(call.options())) std::puts(each.path.c_str());
    return 0;
  }
  show_log(choose_log(call), call.has("follow"));
  return 0;
}

inline command logs_command() {
  return {"logs",
          "[JOB|FILE]",
          "what the agents of a run have written",
          "The log of a Slurm job of yours, by its id, or of the run that wrote last. Logs are in the folder of the "
          "run, which goes\n"
          "with it, or in --log-folder, which keeps them. What remote functions print is not in them: it arrives at "
          "the driver.",
          {{"follow", 'f', "", "goes on as the log grows, until the run ends"},
           {"list", 0, "", "only the paths of the logs that there are, the latest last"}},
          takes::settings,
          0,
          1,
          logs};
}

}  // namespace tool
