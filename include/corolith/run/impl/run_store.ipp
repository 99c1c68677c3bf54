// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/agent/worker_context.hpp>
#include <corolith/core/error.hpp>
#include <corolith/core/log.hpp>
#include <corolith/core/number.hpp>
#include <corolith/core/random_name.hpp>
#include <corolith/coro/loop.hpp>
#include <corolith/coro/spawn.hpp>
#include <corolith/coro/sync_wait.hpp>
#include <corolith/run/detail/run_store.hpp>
#include <corolith/storage/location.hpp>

#include <fmt/format.h>

#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <string_view>

namespace corolith {
inline namespace v0 {
namespace detail {

inline constexpr const char* run_store_variable = "COROLITH_RUN_STORE";  // "RUN THRESHOLD memory|store URL"

/// Whether the nodes of a cluster are likely to see the same there: these file systems are what clusters share.
inline bool on_shared_file_system(const std::string& path) {
  constexpr long shared[] = {0x47504653 /* GPFS */,
                             0x0bd00bd0 /* Lustre */,
                             0x6969 /* NFS */,
                             0x19830326 /* BeeGFS */,
                             0x00c36400 /* Ceph */,
                             0xaad7aaea /* PanFS */,
                             0x20030528 /* PVFS */,
                             0x5346414f /* AFS */,
                             0xff534d42 /* CIFS */,
                             0xfe534d42 /* SMB2 */,
                             0x65735546 /* FUSE */,
                             0x013111a8 /* GFS2 */,
                             0x7461636f /* OCFS2 */};
  struct statfs about{};
  if (::statfs(path.c_str(), &about) != 0) return false;
  return std::find(std::begin(shared), std::end(shared), static_cast<long>(about.f_type) & 0xffffffff) !=
         std::end(shared);
}

struct store_place {
  std::string url;
  bool own;              // made for this run
  bool seen_by_workers;  // surely
};

/// Agents come through a Unix socket.
inline bool agents_share_memory(const options& settings) {
  if (settings.launcher != "local") return false;
  if (!settings.listen.empty()) return settings.listen.starts_with("unix:");
  return settings.interface.empty() && settings.ports.first == 0;
}

inline store_place place_of_store(const options& settings, const std::string& run) {
  if (!settings.store.empty()) return {settings.store, false, true};
  const auto url_of = [](const std::filesystem::path& folder) {
    storage::location where;
    where.folder = folder.string();
    where.options["private"] = "yes";
    return where.to_string();
  };
  if (settings.launcher != "local") {
    const std::filesystem::path here = std::filesystem::current_path();
    return {url_of(here / ".corolith" / ("run-" + run)), true, on_shared_file_system(here.string())};
  }
  const bool all_here = settings.listen.empty() && settings.interface.empty() && settings.ports.first == 0;
  return {url_of(std::filesystem::temp_directory_path() / fmt::format("corolith-store-{}-{}", ::getuid(), run)), true,
          all_here};
}

inline constexpr std::uint64_t default_threshold = std::uint64_t{8} << 20;

COROLITH_DECL run_store::run_store(store objects, std::string run, std::uint64_t threshold, bool prefers_segments)
    : objects_(objects.with_temporary_prefix(".corolith/" + run + "/objects/")),
      run_(std::move(run)),
      threshold_(threshold),
      prefers_segments_(prefers_segments) {}

COROLITH_DECL std::shared_ptr<run_store> run_store::of_driver(const options& settings) {
  const std::string run = random_name();
  const store_place place = place_of_store(settings, run);
  const std::uint64_t threshold = place.seen_by_workers ? settings.store_threshold.value_or(default_threshold) : 0;
  auto made = std::make_shared<run_store>(store::open(place.url), run, threshold,
                                          !settings.store_threshold && agents_share_memory(settings));
  const auto where = storage::location::parse(place.url);
  if (where.scheme == storage::location::kind::posix)
    made->folder_ = place.own ? where.folder : where.folder + "/.corolith/" + run;
  return made;
}

COROLITH_DECL const std::shared_ptr<run_store>& run_store::of_worker() {
  static const std::shared_ptr<run_store> instance = []() -> std::shared_ptr<run_store> {
    const char* told = std::getenv(run_store_variable);
    if (told == nullptr || !agent::in_worker()) return nullptr;
    const std::string_view words = told;
    const std::size_t first = words.find(' ');
    const std::size_t second = first == std::string_view::npos ? first : words.find(' ', first + 1);
    const std::size_t third = second == std::string_view::npos ? second : words.find(' ', second + 1);
    if (third == std::string_view::npos) return nullptr;
    const auto threshold = whole_number<std::uint64_t>(words.substr(first + 1, second - first - 1));
    return std::make_shared<run_store>(store::open(words.substr(third + 1)), std::string(words.substr(0, first)),
                                       threshold.value_or(0), words.substr(second + 1, third - second - 1) == "memory");
  }();
  return instance;
}

COROLITH_DECL std::vector<std::string> run_store::worker_environment() const {
  std::vector<std::string> told{fmt::format("{}={} {} {} {}", run_store_variable, run_, threshold_,
                                            prefers_segments_ ? "memory" : "store", objects_.url())};
  if (objects_.url().starts_with("s3:"))
    for (char** variable = environ; *variable != nullptr; ++variable)
      if (std::string_view(*variable).starts_with("AWS_")) told.emplace_back(*variable);
  return told;
}

COROLITH_DECL void run_store::clean() noexcept {
  try {
    std::error_code ignored;
    if (folder_.empty()) {
      // A server that is away must not keep the program from its end.
      future<std::size_t> removed = start(background_loop(), objects_.remove_all(".corolith/" + run_ + "/"));
      if (!removed.wait_for(std::chrono::seconds(30))) removed.cancel();
      removed.get();
    } else if (std::filesystem::exists(folder_, ignored)) {
      std::filesystem::remove_all(folder_);
    } else {
      return;
    }
    // What held it, if nobody else needs it. A directory that holds something is not removed.
    if (!folder_.empty() && std::filesystem::path(folder_).parent_path().filename() == ".corolith")
      ::rmdir(std::filesystem::path(folder_).parent_path().c_str());
  } catch (const std::exception& problem) {
    const error* known = dynamic_cast<const error*>(&problem);
    if (known != nullptr && known->code() == errc::not_found) return;  // no such bucket: nothing is left
    log::warning(fmt::format("temporary objects of this run are left in {} below .corolith/{}/: {}", objects_.url(),
                             run_, problem.what()));
  }
}

COROLITH_DECL std::optional<shared_bytes> run_store::send(shared_bytes value) {
  const std::string key = fmt::format(".corolith/{}/values/{}", run_, random_name());
  const std::uint64_t size = value.size();
  try {
    sync_wait(objects_.put(key, object_source(std::move(value))));
  } catch (const std::exception& problem) {
    if (!warned_.exchange(true))
      log::warning(fmt::format("large values go through the connection, as the store {} does not take them: {}",
                               objects_.url(), problem.what()));
    return std::nullopt;
  }
  byte_buffer reference(run_.size() + sizeof size + key.size());
  reference.append(std::as_bytes(std::span(run_)));
  reference.append_value(size);
  reference.append(std::as_bytes(std::span(key)));
  return reference.release();
}

COROLITH_DECL bool run_store::is_reference(byte_span bytes) const noexcept {
  constexpr std::size_t longest_key = 200;
  const std::size_t head = run_.size() + sizeof(std::uint64_t);
  return bytes.size() > head && bytes.size() <= head + longest_key &&
         std::memcmp(bytes.data(), run_.data(), run_.size()) == 0;
}

inline std::string key_of(byte_span reference, std::size_t run_size) {
  const byte_span key = reference.subspan(run_size + sizeof(std::uint64_t));
  return std::string(reinterpret_cast<const char*>(key.data()), key.size());
}

inline task<shared_bytes> fetch_value(store from, std::string key, std::uint64_t size) {
  byte_buffer value;
  const mutable_byte_span place(value.extend(size), size);
  const std::size_t got = co_await from.get_into(key, place);
  if (got != size)
    throw error(errc::corrupted,
                fmt::format("a value in the store {} has {} bytes instead of {}", from.url(), got, size));
  co_return value.release();
}

inline task<void> forget_value(store from, std::string key) {
  try {
    co_await from.remove(std::move(key));
  } catch (const error& failure) {
    log::debug(std::string("a value stays in the store until the end of the run: ") + failure.what());
  }
}

COROLITH_DECL task<shared_bytes> run_store::fetch(shared_bytes reference) const {
  std::uint64_t size;
  std::memcpy(&size, reference.data() + run_.size(), sizeof size);
  return fetch_value(objects_, key_of(reference, run_.size()), size);
}

COROLITH_DECL void run_store::forget(shared_bytes reference) const noexcept {
  try {
    spawn(background_loop(), forget_value(objects_, key_of(reference, run_.size())));
  } catch (const std::bad_alloc&) {  // it goes at the end of the run
  }
}

COROLITH_DECL void install_value_courier() {
  if (std::getenv(run_store_variable) == nullptr) return;
  agent::value_courier courier;
  courier.fetch = [](byte_span arrived) -> std::optional<shared_bytes> {
    const std::shared_ptr<run_store>& values = run_store::of_worker();
    if (!values || !values->is_reference(arrived)) return std::nullopt;
    return sync_wait(values->fetch(shared_bytes::copy(arrived)));
  };
  courier.send = [](byte_buffer& result, std::size_t begin) {
    const std::shared_ptr<run_store>& values = run_store::of_worker();
    if (!values || !values->is_large(result.size() - begin, result.in_segment())) return;
    byte_buffer head(begin);
    head.share_when_large();
    head.append(result.span().first(begin));
    const shared_bytes all = result.release();
    const shared_bytes value = all.slice(begin);
    result = std::move(head);
    result.append(values->send(value).value_or(value));
  };
  agent::set_value_courier(courier);
}

}  // namespace detail
}  // namespace v0
}  // namespace corolith
