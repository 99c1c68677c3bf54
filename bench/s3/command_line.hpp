// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../command.hpp"
#include "../files.hpp"
#include "../object_memory.hpp"
#include "contender.hpp"
#include "server.hpp"

#include <corolith/core/spawn.hpp>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

/// awscli and rclone: commands that move a folder of files.
namespace bench::s3 {

/// A folder of the server, and the files that are moved: where memory serves for a disk, if there is such a place.
class scratch_folder {
 public:
  scratch_folder() {
    std::error_code ignored;
    const std::filesystem::path memory = "/dev/shm";
    const auto base = std::filesystem::is_directory(memory, ignored) ? memory : std::filesystem::temp_directory_path();
    path_ = (base / "corolith-bench-XXXXXX").string();
    if (::mkdtemp(path_.data()) == nullptr) throw std::runtime_error("no folder for files: " + path_);
  }
  ~scratch_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  scratch_folder(const scratch_folder&) = delete;
  scratch_folder& operator=(const scratch_folder&) = delete;

  const std::string& path() const { return path_; }
  /// Made empty.
  std::string fresh(const std::string& name) const {
    std::filesystem::remove_all(path_ + "/" + name);
    std::filesystem::create_directories(path_ + "/" + name);
    return path_ + "/" + name;
  }
  /// `count` files called 0, 1, ... that nothing can compress.
  std::string files(const std::string& name, std::size_t count, std::size_t bytes) const {
    const std::string folder = fresh(name);
    object_memory content(bytes);
    for (std::size_t i = 0; i < count; ++i) {
      fill(content.span(), i + 1);
      write_file(folder + "/" + std::to_string(i), {reinterpret_cast<const char*>(content.data()), bytes});
    }
    return folder;
  }

 private:
  std::string path_;
};

/// Runs a command that has to succeed, from its start to its end.
inline cost run_timed(const words& command, const std::string& log, const server* against) {
  const double server_before = against->processor_seconds();
  const int input = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  const int output = ::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const auto begin = std::chrono::steady_clock::now();
  pid_t pid = 0;
  namespace process = corolith::process;
  const int failure = process::spawn(pid, command[0].c_str(), command, {input, output, output}, process::apart::group);
  ::close(input);
  ::close(output);
  if (failure != 0) throw std::runtime_error(command[0] + " cannot be run");
  int status = 0;
  rusage used{};
  ::wait4(pid, &status, 0, &used);
  cost took;
  took.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  took.client_cpu_s = processor_seconds(used);
  took.server_cpu_s = against->processor_seconds() - server_before;
  if (status == 0) return took;
  const std::string told = run_command({"tail", "-n", "5", log}, noise::dropped).output;
  throw std::runtime_error(command[0] + " failed: " + told);
}

/// One of these commands, with its settings for a server.
class command_line {
 public:
  enum class kind { awscli, rclone };

  /// Nothing where the program is not there.
  static std::optional<command_line> find(kind which, const std::string& program, const server& at,
                                          const std::string& bucket, const std::string& scratch) {
    command_line made(which, bucket, scratch);
    const bool aws = which == kind::awscli;
    made.prefix_ = {"env", "-u", "AWS_CA_BUNDLE", "AWS_EC2_METADATA_DISABLED=true"};
    if (aws) {
      const std::string settings = scratch + "/aws";
      write_file(
          settings,
          "[default]\ns3 =\n  max_concurrent_requests = 10\n  multipart_chunksize = 8MB\n  addressing_style = path\n");
      made.prefix_.insert(made.prefix_.end(), {"AWS_CONFIG_FILE=" + settings, program});
    } else {
      made.prefix_.insert(made.prefix_.end(),
                          {"RCLONE_CONFIG=/dev/null", "RCLONE_S3_PROVIDER=Other", "RCLONE_S3_ENV_AUTH=true",
                           "RCLONE_S3_REGION=" + at["S3_TEST_REGION"], "RCLONE_S3_FORCE_PATH_STYLE=true",
                           "RCLONE_S3_ENDPOINT=" + at["S3_TEST_ENDPOINT"], program});
    }
    made.endpoint_ = at["S3_TEST_ENDPOINT"];
    words version = made.prefix_;
    version.push_back(aws ? "--version" : "version");
    if (run_command(version, noise::dropped).status != 0) return std::nullopt;
    return made;
  }

  const std::string& name() const { return name_; }

  /// All files of a folder, `at_once` of them.
  cost put(const std::string& folder, const std::string& prefix, std::size_t at_once, const server* against) const {
    return run_timed(command(folder, remote(prefix), at_once), log_, against);
  }
  cost get(const std::string& prefix, const std::string& folder, std::size_t at_once, const server* against) const {
    return run_timed(command(remote(prefix), folder, at_once), log_, against);
  }

 private:
  command_line(kind which, const std::string& bucket, const std::string& scratch)
      : which_(which), name_(which == kind::awscli ? "awscli" : "rclone"), bucket_(bucket), log_(scratch + "/log") {}

  std::string remote(const std::string& prefix) const {
    return (which_ == kind::awscli ? "s3://" : ":s3:") + bucket_ + "/" + prefix;
  }
  words command(const std::string& from, const std::string& to, std::size_t at_once) const {
    words all = prefix_;
    if (which_ == kind::awscli)
      all.insert(all.end(), {"--endpoint-url", endpoint_, "s3", "cp", "--recursive", "--quiet", from, to});
    else
      all.insert(all.end(),
                 {"copy", from, to, "--transfers", std::to_string(at_once), "--checkers", "8", "--ignore-times",
                  "--s3-no-check-bucket", "--s3-upload-cutoff", "200M", "--multi-thread-streams", "0"});
    return all;
  }

  kind which_;
  std::string name_, bucket_, log_, endpoint_;
  words prefix_;
};

}  // namespace bench::s3
