// SPDX-License-Identifier: Apache-2.0
#include "support.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace run_test {

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void note(const std::string& file, std::string_view text) {
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0 || ::write(fd, text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    throw std::runtime_error("cannot write " + file);
  ::close(fd);
}

std::size_t notes(const std::string& file) {
  std::error_code missing;
  const auto size = std::filesystem::file_size(file, missing);
  return missing ? 0 : static_cast<std::size_t>(size);
}

const std::string& runtime_folder() {
  static const scratch folder;
  static const int once = ::setenv("XDG_RUNTIME_DIR", folder.path().c_str(), 1);
  static_cast<void>(once);
  return folder.path();
}

std::vector<process> started_processes(std::string_view with) {
  std::vector<process> found;
  const std::string mark = "XDG_RUNTIME_DIR=" + runtime_folder() + '\0';
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos || name == std::to_string(::getpid())) continue;
    if (read_file("/proc/" + name + "/environ").find(mark) == std::string::npos) continue;
    std::string command = read_file("/proc/" + name + "/cmdline");
    for (char& c : command)
      if (c == '\0') c = ' ';
    if (command.find(with) != std::string::npos)
      found.push_back({static_cast<pid_t>(std::stol(name)), std::move(command)});
  }
  return found;
}

std::vector<std::string> leftovers() {
  std::vector<std::string> found;
  for (const process& each : started_processes())
    found.push_back("process " + std::to_string(each.pid) + ": " + each.command);
  for (const auto& entry : std::filesystem::directory_iterator(runtime_folder()))
    found.push_back(entry.path().string());
  return found;
}

void check_nothing_left() {
  const auto deadline = std::chrono::steady_clock::now() + 20s;
  std::vector<std::string> left = leftovers();
  while (!left.empty() && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(5ms);
    left = leftovers();
  }
  CHECK(left == std::vector<std::string>{});
}

static executor start(options settings) {
  runtime_folder();
  if (settings.slots == 0) settings.slots = 2;
  return executor(settings);
}

cluster::cluster(options settings) : executor_(start(std::move(settings))) {}

cluster::~cluster() {
  executor_.close();
  check_nothing_left();
}

}  // namespace run_test
