// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/storage/detail/file_threads.hpp>

#include <signal.h>

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <thread>
#include <vector>

namespace corolith::inline v0::storage::detail {

class file_threads {
 public:
  file_threads() = default;
  file_threads(const file_threads&) = delete;
  file_threads& operator=(const file_threads&) = delete;

  void submit(file_job& job) {
    std::lock_guard lock(mutex_);
    if (waiting_ >= idle_ && threads_.size() < most_threads && !ending_) start_thread();
    job.next = nullptr;
    (first_ == nullptr ? first_ : last_->next) = &job;
    last_ = &job;
    ++waiting_;
    wake_.notify_one();
  }

  void end() {
    std::vector<std::thread> threads;
    {
      std::lock_guard lock(mutex_);
      ending_ = true;
      threads.swap(threads_);
      wake_.notify_all();
    }
    for (std::thread& each : threads) each.join();
  }

 private:
  // Beyond it a disk gets no faster, and a parallel file system's client has its own queue.
  static constexpr std::size_t most_threads = 16;

  void start_thread() {
    sigset_t all, before;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);  // signals are for the program's own threads
    try {
      threads_.emplace_back([this] { work(); });
    } catch (...) {
      ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
      if (threads_.empty()) throw;
      return;
    }
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

  void work() {
    std::unique_lock lock(mutex_);
    for (;;) {
      ++idle_;
      while (first_ == nullptr && !ending_) wake_.wait(lock);
      --idle_;
      if (ending_) return;
      file_job* job = first_;
      first_ = job->next;
      --waiting_;
      lock.unlock();
      job->run(job);
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::thread> threads_;
  file_job* first_ = nullptr;
  file_job* last_ = nullptr;
  std::size_t waiting_ = 0;
  std::size_t idle_ = 0;
  bool ending_ = false;
};

// The state is never destroyed: what is submitted after the end of the threads is safely forgotten.
struct file_threads_owner {
  file_threads& state = *new file_threads;
  ~file_threads_owner() { state.end(); }
};

COROLITH_DECL void submit(file_job& job) {
  background_loop();  // whose end must come after that of the threads
  static file_threads_owner owner;
  owner.state.submit(job);
}

}  // namespace corolith::inline v0::storage::detail
