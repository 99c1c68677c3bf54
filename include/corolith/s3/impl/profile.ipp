// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>
#include <corolith/core/unique_fd.hpp>
#include <corolith/s3/detail/environment.hpp>
#include <corolith/s3/detail/http_message.hpp>
#include <corolith/s3/profile.hpp>

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace corolith::inline v0::s3 {
namespace detail {

inline bool is_blank(char c) noexcept { return c == ' ' || c == '\t'; }

inline std::string_view trim(std::string_view text) noexcept {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

/// A value ends before a # or ; with white space in front of it.
inline std::string_view without_comment(std::string_view value) noexcept {
  for (std::size_t i = 0; i < value.size(); ++i)
    if ((value[i] == '#' || value[i] == ';') && (i == 0 || is_blank(value[i - 1]))) return trim(value.substr(0, i));
  return trim(value);
}

/// Reads the lines of an AWS file. Errors never show a line: there are secrets in it.
class ini_reader {
 public:
  ini_reader(std::string_view text, const std::string& source) noexcept : rest_(text), source_(source) {}

  std::vector<ini_section> read() {
    while (!rest_.empty()) {
      std::string_view line = rest_.substr(0, rest_.find('\n'));
      rest_.remove_prefix(std::min(line.size() + 1, rest_.size()));
      if (line.ends_with('\r')) line.remove_suffix(1);
      ++number_;
      take(line);
    }
    return std::move(sections_);
  }

 private:
  [[noreturn]] void reject(const std::string& why) const {
    throw config_error(fmt::format("{}:{}: {}", source_, number_, why));
  }

  void take(std::string_view line) {
    for (const char c : line)
      if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f)
        reject("control characters cannot stand here");
    const std::string_view content = trim(line);
    if (content.empty() || content.front() == '#' || content.front() == ';') return;
    const auto indent = static_cast<std::size_t>(content.data() - line.data());
    if (content.front() == '[') {
      if (indent != 0) reject("a [section] must stand at the beginning of its line");
      open_section(content);
    } else if (sections_.empty()) {
      reject("a [section] was expected before any setting");
    } else if (!parent_.empty() && indent > parent_indent_) {
      take_nested(content);
    } else {
      parent_ = take_setting(content, {});
      parent_indent_ = indent;
    }
  }

  void open_section(std::string_view line) {
    const std::size_t end = line.find(']');
    if (end == std::string_view::npos) reject("the ] behind the name of the section is missing");
    if (!without_comment(line.substr(end + 1)).empty()) reject("nothing but a comment can stand behind a ]");
    const std::string title = normal_title(line.substr(1, end - 1));
    parent_.clear();
    const auto same = [&](const ini_section& each) { return each.title == title; };
    const auto found = std::find_if(sections_.begin(), sections_.end(), same);
    current_ = static_cast<std::size_t>(found - sections_.begin());
    if (found == sections_.end()) sections_.push_back({title, {}});
  }

  /// [ profile   "my name" ] is "profile my name".
  std::string normal_title(std::string_view inside) const {
    inside = trim(inside);
    if (inside.empty()) reject("a section must have a name");
    std::string_view kind, name = inside;
    const std::size_t space = inside.find_first_of(" \t\"'");
    if (space != std::string_view::npos && space != 0) {
      kind = inside.substr(0, space);
      name = trim(inside.substr(space));
    }
    const bool quoted =
        name.size() >= 2 && (name.front() == '"' || name.front() == '\'') && name.back() == name.front();
    if (quoted) name = name.substr(1, name.size() - 2);
    if (name.empty()) reject("a section must have a name");
    return kind.empty() ? std::string(name) : std::string(kind) + " " + std::string(name);
  }

  /// Returns the name of the setting.
  std::string take_setting(std::string_view content, const std::string& prefix) {
    const std::size_t equals = content.find('=');
    if (equals == std::string_view::npos) reject("a line must be a [section] or name = value");
    std::string name(trim(content.substr(0, equals)));
    if (name.empty()) reject("the name of a setting is missing before the =");
    std::transform(name.begin(), name.end(), name.begin(), to_lower);
    profile::setting& made = sections_[current_].settings[prefix + name];
    made = {std::string(without_comment(content.substr(equals + 1))), fmt::format("{}:{}", source_, number_)};
    return name;
  }

  /// An indented line belongs to the setting above: a setting below it where that has no value, else more of its value.
  void take_nested(std::string_view content) {
    profile::setting& above = sections_[current_].settings[parent_];
    if (above.value.empty()) {
      take_setting(content, parent_ + ".");
    } else {
      above.value += "\n" + std::string(without_comment(content));
    }
  }

  std::string_view rest_;
  const std::string& source_;
  std::size_t number_ = 0;
  std::vector<ini_section> sections_;
  std::size_t current_ = 0;
  std::string parent_;  // the setting that indented lines belong to
  std::size_t parent_indent_ = 0;
};

COROLITH_DECL std::vector<ini_section> parse_ini(std::string_view text, const std::string& source) {
  constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  return ini_reader(text, source).read();
}

/// The sections of a file; none when it is not there.
inline std::vector<ini_section> read_ini(const std::string& path) {
  constexpr std::size_t most = 1 << 20;
  if (path.empty()) return {};
  const unique_fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file && (errno == ENOENT || errno == ENOTDIR)) return {};
  std::string text(most + 1, '\0');
  std::size_t filled = 0;
  while (file && filled < text.size()) {
    const ssize_t got = ::read(file.get(), text.data() + filled, text.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw config_error(path + ": " + std::strerror(errno));
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  if (!file) throw config_error(path + ": " + std::strerror(errno));
  if (filled > most) throw config_error(path + ": it has more than 1 MiB, which no file of profiles has");
  text.resize(filled);
  return parse_ini(text, path);
}

COROLITH_DECL const ini_section* find_section(const std::vector<ini_section>& sections,
                                              std::string_view title) noexcept {
  for (const ini_section& each : sections)
    if (each.title == title) return &each;
  return nullptr;
}

inline std::string in_home(std::string path) {
  if (path.starts_with("~/")) {
    const std::string home = environment_value("HOME");
    if (home.empty()) return {};
    path.replace(0, 1, home);
  }
  return path;
}

inline std::string first_said(std::string a, std::string b, std::string c) {
  if (!a.empty()) return a;
  return b.empty() ? c : b;
}

}  // namespace detail

COROLITH_DECL profile_location profile_location::resolved() const {
  using detail::environment_value;
  using detail::first_said;
  profile_location made;
  made.name = first_said(name, environment_value("AWS_PROFILE"), "default");
  made.config_file = detail::in_home(first_said(config_file, environment_value("AWS_CONFIG_FILE"), "~/.aws/config"));
  made.credentials_file = detail::in_home(
      first_said(credentials_file, environment_value("AWS_SHARED_CREDENTIALS_FILE"), "~/.aws/credentials"));
  return made;
}

COROLITH_DECL const profile::setting* profile::find(const std::string& setting_name) const {
  const auto found = settings_.find(setting_name);
  return found == settings_.end() || found->second.value.empty() ? nullptr : &found->second;
}

COROLITH_DECL std::string profile::value(const std::string& setting_name) const {
  const setting* found = find(setting_name);
  return found == nullptr ? std::string() : found->value;
}

COROLITH_DECL std::optional<profile> profile::load(const profile_location& where) {
  const profile_location at = where.resolved();
  const auto config = detail::read_ini(at.config_file);
  const auto secrets = detail::read_ini(at.credentials_file);
  const detail::ini_section* settings = detail::find_section(config, "profile " + at.name);
  if (settings == nullptr && at.name == "default") settings = detail::find_section(config, "default");
  const detail::ini_section* keys = detail::find_section(secrets, at.name);
  if (settings == nullptr && keys == nullptr) return std::nullopt;
  profile made;
  made.name_ = at.name;
  if (keys != nullptr) made.settings_ = keys->settings;
  if (settings != nullptr) made.settings_.insert(settings->settings.begin(), settings->settings.end());
  made.endpoint_url_ = made.value("endpoint_url");
  const std::string services = made.value("services");
  const detail::ini_section* of_services =
      services.empty() ? nullptr : detail::find_section(config, "services " + services);
  if (of_services != nullptr) {
    const auto own = of_services->settings.find("s3.endpoint_url");
    if (own != of_services->settings.end() && !own->second.value.empty()) made.endpoint_url_ = own->second.value;
  }
  return made;
}

COROLITH_DECL surroundings surroundings::find(const profile_location& where) {
  using detail::environment_value;
  using detail::first_said;
  const std::optional<profile> read = profile::load(where);
  if (!read && !first_said(where.name, environment_value("AWS_PROFILE"), {}).empty()) {
    const profile_location at = where.resolved();
    throw config_error(
        fmt::format("there is no profile '{}' in {} or {}", at.name, at.config_file, at.credentials_file));
  }
  const profile none{}, &from = read ? *read : none;
  surroundings made;
  made.region =
      first_said(environment_value("AWS_REGION"), environment_value("AWS_DEFAULT_REGION"), from.value("region"));
  made.ca_file = detail::in_home(first_said(environment_value("AWS_CA_BUNDLE"), from.value("ca_bundle"), {}));
  made.addressing_style = from.value("s3.addressing_style");
  if (!detail::equal_ignoring_case(environment_value("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"), "true"))
    made.endpoint_url = first_said(environment_value("AWS_ENDPOINT_URL_S3"), environment_value("AWS_ENDPOINT_URL"),
                                   from.endpoint_url());
  return made;
}

}  // namespace corolith::inline v0::s3
