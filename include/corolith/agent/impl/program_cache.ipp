// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/agent/program_cache.hpp>

#include <corolith/core/error.hpp>

#include <openssl/evp.h>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

namespace corolith {
inline namespace v0 {
namespace agent {
namespace detail {

class sha256_sum {
 public:
  sha256_sum() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
    if (!context_ || EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) != 1) fail();
  }
  void add(byte_span bytes) {
    if (EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) != 1) fail();
  }
  wire::sha256_bytes value() {
    wire::sha256_bytes hash{};
    unsigned size = 0;
    if (EVP_DigestFinal_ex(context_.get(), hash.data(), &size) != 1 || size != hash.size()) fail();
    return hash;
  }

 private:
  [[noreturn]] static void fail() { throw error(errc::misuse, "OpenSSL cannot compute SHA-256"); }
  std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context_;
};

inline std::string default_cache_folder() {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value != nullptr && value[0] == '/' ? value : "");
  };
  if (const std::string base = variable("XDG_CACHE_HOME"); !base.empty()) return base + "/corolith";
  if (const std::string home = variable("HOME"); !home.empty() && ::access(home.c_str(), W_OK | X_OK) == 0)
    return home + "/.cache/corolith";
  return "/tmp/corolith-cache-" + std::to_string(::getuid());
}

inline void make_private_folder(const std::string& path) {
  for (std::size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1))
    ::mkdir(path.substr(0, slash).c_str(), 0700);
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
    throw config_error("cannot make the program cache " + path + ": " + std::strerror(errno) +
                       "; set cache_folder to another place");
  struct stat info{};
  if (::lstat(path.c_str(), &info) != 0 || !S_ISDIR(info.st_mode) || info.st_uid != ::geteuid() ||
      (info.st_mode & 077U) != 0)
    throw config_error("the program cache " + path +
                       " must be a folder of this user with mode 0700 and no link; set cache_folder to another place");
}

inline error cannot_write(const std::string& folder, const std::string& reason) {
  return error(errc::config, "cannot write to the program cache " + folder + ": " + reason +
                                 "; make room there, or set cache_folder to another place");
}

inline constexpr const char* unfinished = "incoming-";

/// What nobody has written to for an hour nobody will finish.
inline void remove_unfinished(const std::string& folder) noexcept {
  namespace fs = std::filesystem;
  std::error_code failure;
  const auto latest = fs::file_time_type::clock::now() - std::chrono::hours(1);
  for (fs::directory_iterator each(folder, failure), end; !failure && each != end; each.increment(failure)) {
    if (!each->path().filename().string().starts_with(unfinished)) continue;
    std::error_code ignored;
    const auto written = each->last_write_time(ignored);
    if (!ignored && written < latest) fs::remove(each->path(), ignored);
  }
}

inline bool write_file(int fd, byte_span bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(put));
  }
  return true;
}

}  // namespace detail

COROLITH_DECL std::string to_hex(const wire::sha256_bytes& hash) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : hash) text.append({digits[byte >> 4U], digits[byte & 15U]});
  return text;
}

COROLITH_DECL wire::sha256_bytes sha256_of(byte_span bytes) {
  detail::sha256_sum sum;
  sum.add(bytes);
  return sum.value();
}

COROLITH_DECL std::optional<wire::sha256_bytes> sha256_of_file(const std::string& path) {
  const unique_fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  return file ? sha256_of_file(file.get()) : std::nullopt;
}

COROLITH_DECL std::optional<wire::sha256_bytes> sha256_of_file(int file) {
  detail::sha256_sum sum;
  byte_buffer buffer;
  std::byte* place = buffer.extend(std::size_t{1} << 18U);
  off_t done = 0;
  ssize_t got;
  while ((got = ::pread(file, place, buffer.size(), done)) > 0 || (got < 0 && errno == EINTR)) {
    if (got < 0) continue;
    sum.add({place, static_cast<std::size_t>(got)});
    done += got;
  }
  if (got < 0) return std::nullopt;
  return sum.value();
}

COROLITH_DECL program_cache::program_cache(std::string folder)
    : folder_(folder.empty() ? detail::default_cache_folder() : std::move(folder)) {
  while (folder_.size() > 1 && folder_.back() == '/') folder_.pop_back();
  if (folder_.front() != '/') throw config_error("cache_folder must be an absolute path, not " + folder_);
  detail::make_private_folder(folder_);
  detail::remove_unfinished(folder_);
}

COROLITH_DECL std::optional<program_file> program_cache::find(const wire::module_file& file) const {
  program_file found{path_of(file.sha256), {}};
  found.file = unique_fd(::open(found.path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!found.file) return std::nullopt;
  const auto hash = sha256_of_file(found.file.get());
  if (hash == file.sha256) return found;
  if (hash) ::unlink(found.path.c_str());
  return std::nullopt;
}

COROLITH_DECL program_cache::permit::~permit() {
  if (fd_ >= 0) ::close(fd_);  // the lock goes with it
}

COROLITH_DECL std::optional<program_cache::permit> program_cache::try_permit(const wire::module_file& file) const {
  const std::string path = path_of(file.sha256) + ".lock";
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) throw detail::cannot_write(folder_, std::strerror(errno));
  permit made(fd);
  if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return made;
  if (errno == EWOULDBLOCK || errno == EINTR) return std::nullopt;
  return made;  // a file system without locks: fetching twice is harmless
}

COROLITH_DECL program_file program_cache::install(const wire::module_file& file, byte_span bytes) const {
  if (sha256_of(bytes) != file.sha256)
    throw error(errc::protocol, "the driver sent a file for " + file.name + " that is not the one it announced");
  std::string temporary = folder_ + "/" + detail::unfinished + "XXXXXX";
  program_file made{path_of(file.sha256), {}};
  int problem = 0;
  {  // what is open for writing cannot be executed
    const unique_fd fd(::mkostemp(temporary.data(), O_CLOEXEC));
    if (!fd) throw detail::cannot_write(folder_, std::strerror(errno));
    if (!detail::write_file(fd.get(), bytes) || ::fchmod(fd.get(), 0500) != 0) problem = errno;
  }
  if (problem == 0) {
    made.file = unique_fd(::open(temporary.c_str(), O_RDONLY | O_CLOEXEC));
    if (!made.file || ::rename(temporary.c_str(), made.path.c_str()) != 0) problem = errno;
  }
  if (problem == 0) return made;
  ::unlink(temporary.c_str());
  throw detail::cannot_write(folder_, std::strerror(problem));
}

COROLITH_DECL std::string program_cache::library_folder(const std::vector<wire::module_file>& files,
                                                        const std::vector<std::string>& paths) const {
  detail::sha256_sum names;
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (files[i].executable) continue;
    names.add(std::as_bytes(std::span(files[i].name)));
    names.add(std::as_bytes(std::span(paths[i])));
  }
  const std::string folder = folder_ + "/" + to_hex(names.value()) + ".libraries";
  detail::make_private_folder(folder);
  for (std::size_t i = 0; i < files.size(); ++i) {
    const std::string& name = files[i].name;
    if (files[i].executable || name.empty() || name.find('/') != std::string::npos) continue;
    const std::string link = folder + "/" + name;
    if (::symlink(paths[i].c_str(), link.c_str()) == 0 || errno != EEXIST) continue;
    std::string target(4096, '\0');
    const ssize_t length = ::readlink(link.c_str(), target.data(), target.size());
    if (length >= 0 && target.substr(0, static_cast<std::size_t>(length)) == paths[i]) continue;
    ::unlink(link.c_str());
    [[maybe_unused]] const int again = ::symlink(paths[i].c_str(), link.c_str());
  }
  return folder;
}

}  // namespace agent
}  // namespace v0
}  // namespace corolith
