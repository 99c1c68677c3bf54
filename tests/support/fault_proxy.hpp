// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

/// tests/support/fault_proxy.py in a process of its own, which ends with this object: it stands before a server, and does to clients what
/// servers cannot be made to do. Its script says which faults there are. Used by one thread at a time.
///
///     fault_proxy proxy(server.endpoint);
///     proxy.tell("arm truncate method=GET target=/big at=0.3");   // the next such answer ends early
///     ... use proxy.endpoint() ...
///     CHECK(proxy.count("truncate") == 1);
class fault_proxy {
 public:
  /// Options: "--seed", "7", "--share", "0.1", …
  explicit fault_proxy(const std::string& upstream, const std::vector<std::string>& options = {}) {
    const char* const script = std::getenv("S3_TEST_FAULT_PROXY");
    if (script == nullptr) {
      throw std::runtime_error(
          "S3_TEST_FAULT_PROXY is not set: run this by 'tests/support/ceph_rgw run PROGRAM ARGUMENTS'");
    }
    std::vector<std::string> words{script};
    words.insert(words.end(), options.begin(), options.end());
    words.push_back(upstream);
    spawn(words);
    const std::string greeting = line();
    endpoint_ = value(greeting, "endpoint");
    seed_ = value(greeting, "seed");
  }
  fault_proxy(const fault_proxy&) = delete;
  fault_proxy& operator=(const fault_proxy&) = delete;
  ~fault_proxy() {
    std::fclose(commands_);  // it ends with its input
    int status = 0;
    ::waitpid(process_, &status, 0);
    std::fclose(answers_);
  }

  [[nodiscard]] const std::string& endpoint() const { return endpoint_; }
  /// What its random faults depend on; to be told by a test that fails.
  [[nodiscard]] const std::string& seed() const { return seed_; }

  /// One line of those that the script lists; its answer. Throws if it is refused.
  std::string tell(const std::string& command) {
    if (std::fputs((command + "\n").c_str(), commands_) < 0 || std::fflush(commands_) != 0) {
      throw std::runtime_error("fault_proxy.py has ended");
    }
    std::string answer = line();
    if (answer.starts_with("refused")) {
      throw std::runtime_error("fault_proxy.py: " + command + ": " + answer);
    }
    return answer;
  }

  /// A number of its report: connections (open ones), accepted, requests, faults, or how many of one fault there were.
  long count(const std::string& name) {
    const std::string number = value(tell("report"), name);
    return number.empty() ? 0 : std::stol(number);
  }

 private:
  void spawn(const std::vector<std::string>& words) {
    int down[2], up[2];
    if (::pipe2(down, O_CLOEXEC) != 0 || ::pipe2(up, O_CLOEXEC) != 0) {
      throw std::runtime_error("no pipe for fault_proxy.py");
    }
    std::vector<char*> arguments;
    for (const std::string& word : words) {
      arguments.push_back(const_cast<char*>(word.c_str()));
    }
    arguments.push_back(nullptr);
    process_ = ::fork();
    if (process_ == 0) {
      ::dup2(down[0], STDIN_FILENO);
      ::dup2(up[1], STDOUT_FILENO);
      ::execvp(arguments[0], arguments.data());
      ::_exit(127);
    }
    ::close(down[0]);
    ::close(up[1]);
    if (process_ < 0) {
      throw std::runtime_error("no process for fault_proxy.py");
    }
    commands_ = ::fdopen(down[1], "w");
    answers_ = ::fdopen(up[0], "r");
  }

  std::string line() {
    std::string text;
    for (int c = std::fgetc(answers_); c != '\n'; c = std::fgetc(answers_)) {
      if (c == EOF) {
        throw std::runtime_error("fault_proxy.py has ended; it said '" + text + "'");
      }
      text += static_cast<char>(c);
    }
    return text;
  }

  static std::string value(const std::string& text, const std::string& name) {
    std::istringstream words(text);
    for (std::string word; words >> word;) {
      if (word.starts_with(name + "=")) {
        return word.substr(name.size() + 1);
      }
    }
    return {};
  }

  pid_t process_ = -1;
  std::FILE* commands_ = nullptr;
  std::FILE* answers_ = nullptr;
  std::string endpoint_, seed_;
};
