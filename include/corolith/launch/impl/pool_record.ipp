// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>
#include <corolith/core/machine.hpp>
#include <corolith/core/number.hpp>
#include <corolith/launch/pool_record.hpp>

#include <fmt/format.h>
#include <simdjson.h>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string_view>

namespace corolith {
inline namespace v0 {
namespace launch {
namespace detail {

inline std::string pools_base(const std::string& base) {
  if (!base.empty()) return std::filesystem::absolute(base).lexically_normal().string();
  const char* home = std::getenv("HOME");
  if (home == nullptr || *home == '\0') throw config_error("pools: HOME is not set; name a folder with --pools");
  return std::string(home) + "/.corolith/pools";
}

inline bool is_pool_name(std::string_view name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  };
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), fits);
}

inline void make_private(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
    throw launch_failed(fmt::format("cannot make the folder {}: {}", path, std::strerror(errno)));
}

inline std::string text_at(simdjson::dom::element record, const char* key) {
  std::string_view text;
  return record[key].get_string().get(text) ? std::string() : std::string(text);
}
inline std::int64_t number_at(simdjson::dom::element record, const char* key) {
  std::int64_t number = 0;
  return record[key].get_int64().get(number) ? 0 : number;
}

}  // namespace detail

COROLITH_DECL std::string json_quoted(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\')
      quoted += {'\\', c};
    else if (static_cast<unsigned char>(c) < 0x20)
      quoted += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    else
      quoted += c;
  }
  return quoted + '"';
}

COROLITH_DECL pool_folder::pool_folder(const std::string& base, const std::string& name) : name_(name) {
  if (!detail::is_pool_name(name))
    throw config_error(fmt::format(
        "pool: '{}' is no name for a pool: letters, digits, - and _ make one, of up to 64 characters", name));
  path_ = detail::pools_base(base) + "/" + name;
  check();
}

COROLITH_DECL void pool_folder::check() const {
  struct stat about{};
  if (::lstat(path_.c_str(), &about) != 0) return;
  if (!S_ISDIR(about.st_mode) || about.st_uid != ::geteuid() || (about.st_mode & 077) != 0)
    throw config_error(fmt::format(
        "pool: {} must be a folder of yours that is closed to others (chmod 700), as it holds a secret", path_));
}

COROLITH_DECL std::optional<pool_record> pool_folder::read() const {
  std::ifstream file(path_ + "/record.json", std::ios::binary);
  if (!file) return std::nullopt;
  std::ostringstream text;
  text << file.rdbuf();
  simdjson::dom::parser parser;
  simdjson::dom::element found;
  if (parser.parse(text.str()).get(found))
    throw config_error(fmt::format("pool {}: {}/record.json is no JSON; remove it if the pool is down", name_, path_));
  if (detail::number_at(found, "format") != static_cast<std::int64_t>(pool_record::format))
    throw config_error(fmt::format(
        "pool {}: its record is of another version of corolith ({}/record.json); use the one that started it", name_,
        path_));
  pool_record record;
  record.name = detail::text_at(found, "name");
  record.launcher = detail::text_at(found, "launcher");
  record.host = detail::text_at(found, "host");
  record.pid = static_cast<pid_t>(detail::number_at(found, "pid"));
  record.started = static_cast<std::uint64_t>(detail::number_at(found, "started"));
  record.since = detail::number_at(found, "since");
  simdjson::dom::array addresses;
  if (!found["addresses"].get_array().get(addresses))
    for (simdjson::dom::element each : addresses) {
      std::string_view address;
      if (!each.get_string().get(address)) record.addresses.emplace_back(address);
    }
  return record;
}

COROLITH_DECL void pool_folder::write(const pool_record& record) const {
  std::string addresses;
  for (const std::string& each : record.addresses) addresses += (addresses.empty() ? "" : ", ") + json_quoted(each);
  const std::string text = fmt::format(
      "{{\n  \"format\": {},\n  \"name\": {},\n  \"launcher\": {},\n  \"host\": {},\n  \"pid\": {},\n  \"started\": "
      "{},\n"
      "  \"since\": {},\n  \"addresses\": [{}]\n}}\n",
      pool_record::format, json_quoted(record.name), json_quoted(record.launcher), json_quoted(record.host), record.pid,
      record.started, record.since, addresses);
  const std::string place = path_ + "/record.json", draft = place + ".new";
  const unique_fd file(::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  const bool written = file && ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                       ::fsync(file.get()) == 0 && ::rename(draft.c_str(), place.c_str()) == 0;
  if (!written) throw launch_failed(fmt::format("cannot write {}: {}", place, std::strerror(errno)));
}

COROLITH_DECL std::optional<unique_fd> pool_folder::claim() const {
  const std::string base = std::filesystem::path(path_).parent_path().string();
  std::error_code ignored;
  std::filesystem::create_directories(std::filesystem::path(base).parent_path(), ignored);
  detail::make_private(base);
  for (int attempt = 0; attempt < 10; ++attempt) {
    detail::make_private(path_);
    check();
    const std::string place = path_ + "/lock";
    unique_fd lock(::open(place.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!lock) {
      if (errno == ENOENT) continue;  // a head that ends removes the folder just now
      throw launch_failed(fmt::format("cannot make {}: {}", place, std::strerror(errno)));
    }
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno == EWOULDBLOCK) return std::nullopt;
      return lock;  // a file system without locks: the record must do
    }
    struct stat held{}, there{};
    if (::fstat(lock.get(), &held) == 0 && ::stat(place.c_str(), &there) == 0 && held.st_ino == there.st_ino)
      return lock;
  }
  throw launch_failed("cannot claim the folder " + path_);
}

COROLITH_DECL bool pool_folder::is_claimed() const {
  const unique_fd lock(::open((path_ + "/lock").c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  return lock && ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

COROLITH_DECL void pool_folder::remove(bool with_log) const noexcept {
  std::error_code ignored;
  std::filesystem::remove(path_ + "/record.json", ignored);  // first: nobody is to find half of it
  if (with_log) {
    std::filesystem::remove_all(path_, ignored);
    return;
  }
  for (const auto& each : std::filesystem::directory_iterator(path_, ignored))
    if (each.path().filename() != "head.log" && each.path().filename() != "lock")
      std::filesystem::remove_all(each.path(), ignored);
}

COROLITH_DECL std::vector<std::string> pool_folder::names(const std::string& base) {
  std::vector<std::string> found;
  std::error_code ignored;
  for (const auto& each : std::filesystem::directory_iterator(detail::pools_base(base), ignored)) {
    const std::string name = each.path().filename().string();
    if (detail::is_pool_name(name) && std::filesystem::exists(each.path() / "record.json", ignored))
      found.push_back(name);
  }
  std::sort(found.begin(), found.end());
  return found;
}

COROLITH_DECL std::uint64_t start_time_of(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const std::size_t name_end = text.rfind(')');  // the name before it may hold anything
  if (name_end == std::string::npos) return 0;
  std::istringstream rest(text.substr(name_end + 1));
  std::string field;
  for (int number = 3; number <= 22; ++number) {
    rest >> field;
    if (number == 3 && (field == "Z" || field == "X")) return 0;
  }
  return whole_number<std::uint64_t>(field).value_or(0);
}

COROLITH_DECL head_state state_of(const pool_record& record) {
  if (record.host != host_name()) return head_state::unknown;
  return start_time_of(record.pid) == record.started ? head_state::alive : head_state::gone;
}

}  // namespace launch
}  // namespace v0
}  // namespace corolith
