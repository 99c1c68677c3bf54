// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>
#include <fstream>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>

extern "C" char** environ;

namespace s3_test {

/// An environment without anything of AWS, and with what a test sets. What was there before comes back at its end.
class environment {
 public:
  environment() {
    for (char** each = environ; *each != nullptr; ++each) {
      const std::string word = *each;
      if (word.rfind("AWS_", 0) == 0) before_[word.substr(0, word.find('='))];
    }
    for (auto& [name, value] : before_) value = ::getenv(name.c_str());
    for (const auto& [name, value] : before_) ::unsetenv(name.c_str());
  }
  ~environment() {
    for (const auto& [name, value] : before_) {
      if (value) {
        ::setenv(name.c_str(), value->c_str(), 1);
      } else {
        ::unsetenv(name.c_str());
      }
    }
  }
  environment(const environment&) = delete;
  environment& operator=(const environment&) = delete;

  void set(const std::string& name, const std::string& value) {
    remember(name);
    ::setenv(name.c_str(), value.c_str(), 1);
  }
  void unset(const std::string& name) {
    remember(name);
    ::unsetenv(name.c_str());
  }

 private:
  void remember(const std::string& name) {
    if (before_.count(name) != 0) return;
    const char* value = ::getenv(name.c_str());
    before_[name] = value == nullptr ? std::nullopt : std::optional<std::string>(value);
  }
  std::map<std::string, std::optional<std::string>> before_;
};

inline void write_file(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (!file) throw std::runtime_error("cannot write " + path);
}

}  // namespace s3_test
