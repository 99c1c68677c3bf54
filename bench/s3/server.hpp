// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../line_process.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

/// Servers that the benchmark starts, by scripts that stop them whatever ends the benchmark.
namespace bench::s3 {

/// Processor seconds of a process so far; 0 when it has ended.
inline double processor_seconds_of(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return 0;
  std::istringstream fields(text.substr(name_end + 1));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  double user = 0, system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

/// Those that `parents` started, and they themselves.
inline std::vector<pid_t> with_children(std::vector<pid_t> parents) {
  for (std::size_t i = 0; i < parents.size(); ++i) {
    const std::string id = std::to_string(parents[i]);
    std::ifstream children("/proc/" + id + "/task/" + id + "/children");
    for (pid_t child = 0; children >> child;) parents.push_back(child);
  }
  return parents;
}

class server {
 public:
  /// What such a script prints as its environment.
  const std::string& operator[](const std::string& name) const { return environment_.at(name); }

  /// Of all its processes so far.
  double processor_seconds() const {
    double sum = 0;
    for (const pid_t pid : processes_) sum += processor_seconds_of(pid);
    return sum;
  }

  /// Runs SCRIPT, which knows `run COMMAND`, and whose environment begins with `prefix`. Null where a program is missing, which the
  /// script has said then.
  static std::unique_ptr<server> start(const std::string& script, const std::string& prefix,
                                       const std::vector<std::string>& given = {}) {
    std::vector<std::string> words{"bash", script, "run"};
    words.insert(words.end(), given.begin(), given.end());
    // It ends when this program does, since then its standard input ends.
    words.insert(words.end(), {"sh", "-c", "env | grep ^" + prefix + "; echo ready; exec cat >/dev/null"});
    std::unique_ptr<server> made(new server(std::move(words)));
    if (made->read_environment()) return made;
    const int status = made->process_.end();
    if (WIFEXITED(status) && WEXITSTATUS(status) == missing) return nullptr;
    throw std::runtime_error(script + " starts no server");
  }

  /// The processes whose ids the script keeps in FOLDER/pid.
  void watch(const std::filesystem::path& folder) {
    for (const auto& each : std::filesystem::directory_iterator(folder / "pid")) {
      pid_t pid = 0;
      std::ifstream(each.path()) >> pid;
      processes_.push_back(pid);
    }
    processes_ = with_children(std::move(processes_));
  }

 private:
  static constexpr int missing = 77;

  explicit server(std::vector<std::string> words) : process_(std::move(words)) {}

  bool read_environment() {
    for (std::string line; process_.next(line) && line != "ready";) {
      const std::size_t equals = line.find('=');
      if (equals != std::string::npos) environment_[line.substr(0, equals)] = line.substr(equals + 1);
    }
    return !environment_.empty();
  }

  line_process process_;
  std::map<std::string, std::string> environment_;
  std::vector<pid_t> processes_;
};

}  // namespace bench::s3
