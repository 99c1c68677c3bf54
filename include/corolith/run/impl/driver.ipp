// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>
#include <corolith/core/log.hpp>
#include <corolith/core/segment_pool.hpp>
#include <corolith/launch/guard.hpp>
#include <corolith/run/detail/driver.hpp>
#include <corolith/run/detail/driver_core.hpp>

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>

#include <fmt/format.h>

#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <functional>
#include <future>
#include <mutex>
#include <optional>
#include <random>
#include <thread>

namespace corolith {
inline namespace v0 {
namespace detail {

/// The driver's folder for its socket and its agents' logs: closed to other users, gone when the driver is, however it ends.
class session_folder {
 public:
  /// `other` goes with it, when the driver is killed; empty: nothing.
  session_folder(const options& settings, const std::string& other)
      : path_(unused_name(settings.launcher == "slurm" ? shared_base(settings.slurm) : local_base())) {
    std::vector<std::string> folders{path_};
    if (!other.empty()) folders.push_back(other);
    // Before there is anything to remove. What workers may be making at that moment takes a second look.
    guard_.emplace("[ -e \"$2\" ] && again=yes\nrm -rf -- \"$@\"\n[ -z \"$again\" ] || { sleep 1; rm -rf -- \"$2\"; }",
                   folders);
    if (::mkdir(path_.c_str(), 0700) == 0) return;
    throw launch_failed(fmt::format("cannot make the folder {}: {}", path_, std::strerror(errno)));
  }
  ~session_folder() { remove(); }
  session_folder(const session_folder&) = delete;
  session_folder& operator=(const session_folder&) = delete;
  const std::string& path() const noexcept { return path_; }
  void remove() noexcept {
    std::error_code ignored;
    if (guard_) std::filesystem::remove_all(path_, ignored);
    guard_.reset();
  }

 private:
  static std::string local_base() {
    const char* base = ::getenv("XDG_RUNTIME_DIR");
    return base != nullptr && ::access(base, W_OK | X_OK) == 0 ? base : "/tmp";
  }
  /// Nodes must see it: the home folder is what clusters share.
  static std::string shared_base(const slurm_options& slurm) {
    const char* home = ::getenv("HOME");
    if (slurm.shared_folder.empty() && home == nullptr)
      throw config_error("shared-folder: HOME is not set; name a folder that the nodes see, too");
    const std::string base =
        std::filesystem::absolute(slurm.shared_folder.empty() ? std::string(home) + "/.corolith" : slurm.shared_folder)
            .string();
    if (::mkdir(base.c_str(), 0700) != 0 && errno != EEXIST)
      throw config_error("shared-folder: cannot make " + base + ": " + std::strerror(errno));
    return base;
  }

  /// In 64 bits nobody hits upon the same, by chance or by guessing.
  static std::string unused_name(const std::string& base) {
    std::random_device random;
    return fmt::format("{}/corolith-{}-{:08x}{:08x}", base, ::getuid(), random(), random());
  }

  std::string path_;
  std::optional<launch::guard> guard_;  // while there is a folder
};

/// The door from any thread to the driver_core on its I/O thread. Operations queue up and are taken in one turn.
class driver : public backend {
 public:
  driver(const options& settings, std::vector<std::string> worker_environment, const std::string& other_folder)
      : folder_(settings, other_folder),
        core_(
            std::make_shared<driver_core>(io_, settings, folder_.path(), next_batch_, std::move(worker_environment))) {
    std::promise<void> started;
    std::future<void> outcome = started.get_future();
    sigset_t all, before;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);  // signals are for the program's own threads
    thread_ = std::thread([this, &started] { run(started); });
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    try {
      outcome.get();
    } catch (...) {
      thread_.join();
      throw;
    }
  }

  ~driver() override { driver::close(); }

  std::uint64_t open(std::shared_ptr<batch_link> link, batch_request request) override {
    const std::uint64_t batch = next_batch_.fetch_add(1, std::memory_order_relaxed);
    const bool taken = enqueue([batch, link, request = std::move(request)](driver_core& core) mutable {
      core.open(batch, std::move(link), std::move(request));
    });
    if (!taken) link->abandoned(std::make_exception_ptr(error(errc::closed, "the executor is closed")));
    return batch;
  }
  void feed(std::uint64_t batch, element_block block, bool last) override {
    enqueue([batch, block = std::move(block), last](driver_core& core) mutable {
      core.feed(batch, std::move(block), last);
    });
  }
  void consumed(std::uint64_t batch, std::uint32_t count) override {
    enqueue([batch, count](driver_core& core) { core.consumed(batch, count); });
  }
  void cancel(std::uint64_t batch, std::optional<std::uint32_t> index) override {
    enqueue([batch, index](driver_core& core) { core.cancel(batch, index); });
  }
  void cancel_all() override {
    enqueue([](driver_core& core) { core.cancel_all(); });
  }

  void close() override {
    std::lock_guard one_at_a_time(close_mutex_);  // a second caller waits until all is gone, too
    {
      std::lock_guard lock(mutex_);
      if (std::exchange(closing_, true)) return;
    }
    asio::post(io_, [this] {
      drain();
      core_->shut_down(std::make_exception_ptr(error(errc::closed, "the executor was closed before the call ended")),
                       [this] {
                         work_.reset();
                         io_.stop();
                       });
    });
    thread_.join();
    folder_.remove();
    segment_pool::of_process().give_back(std::chrono::steady_clock::time_point::max());
  }

 private:
  using operation = std::function<void(driver_core&)>;

  void run(std::promise<void>& started) {
    try {
      core_->start();
    } catch (...) {
      // As if nothing had been: what was started ends here, on the thread that started it.
      core_->shut_down(std::current_exception(), [] {});
      core_.reset();
      started.set_exception(std::current_exception());
      return;
    }
    started.set_value();
    io_.run();
    core_.reset();
  }

  /// False when the driver is closing and takes nothing more.
  bool enqueue(operation op) {
    bool first;
    {
      std::lock_guard lock(mutex_);
      if (closing_) return false;
      first = inbox_.empty();
      inbox_.push_back(std::move(op));
    }
    if (first) asio::post(io_, [this] { drain(); });
    return true;
  }

  void drain() {
    {
      std::lock_guard lock(mutex_);
      taken_.swap(inbox_);
    }
    for (operation& op : taken_) op(*core_);
    taken_.clear();
    core_->pump();
  }

  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_{io_.get_executor()};
  session_folder folder_;
  std::atomic<std::uint64_t> next_batch_{1};
  std::shared_ptr<driver_core> core_;
  std::mutex close_mutex_;
  std::mutex mutex_;
  bool closing_ = false;
  std::vector<operation> inbox_;
  std::vector<operation> taken_;
  std::thread thread_;
};

COROLITH_DECL std::shared_ptr<backend> make_driver(const options& settings, std::vector<std::string> worker_environment,
                                                   const std::string& temporary_folder) {
  return std::make_shared<driver>(settings, std::move(worker_environment), temporary_folder);
}

}  // namespace detail
}  // namespace v0
}  // namespace corolith
