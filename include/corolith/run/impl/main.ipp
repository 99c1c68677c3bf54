// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/agent/agent.hpp>
#include <corolith/core/log.hpp>
#include <corolith/coro/sync_wait.hpp>
#include <corolith/run/detail/run_store.hpp>
#include <corolith/run/main.hpp>
#include <corolith/run/options.hpp>

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <exception>
#include <functional>
#include <stop_token>
#include <thread>

namespace corolith {
inline namespace v0 {
namespace detail {

/// Takes SIGINT and SIGTERM on a thread of its own while it lives. The signals must be blocked in all threads, so it is made
/// before any other thread.
class interrupt_watch {
 public:
  interrupt_watch() {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGINT);
    sigaddset(&signals_, SIGTERM);
    ::pthread_sigmask(SIG_BLOCK, &signals_, &before_);
    arrivals_ = ::signalfd(-1, &signals_, SFD_CLOEXEC);
    finish_ = ::eventfd(0, EFD_CLOEXEC);
  }

  /// Calls `first` at the first signal and `again` at each later one, on the watch's thread.
  void start(std::function<void(int)> first, std::function<void(int)> again) {
    thread_ = std::thread(&interrupt_watch::run, this, std::move(first), std::move(again));
  }

  ~interrupt_watch() {
    if (thread_.joinable()) {
      ::eventfd_write(finish_, 1);
      thread_.join();
    }
    ::close(arrivals_);
    ::close(finish_);
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  interrupt_watch(const interrupt_watch&) = delete;
  interrupt_watch& operator=(const interrupt_watch&) = delete;

 private:
  void run(std::function<void(int)> first, std::function<void(int)> again) {
    for (bool seen = false;;) {
      pollfd waiting[2] = {{arrivals_, POLLIN, 0}, {finish_, POLLIN, 0}};
      if (::poll(waiting, 2, -1) < 0) continue;
      if (waiting[1].revents != 0) return;
      signalfd_siginfo arrived;
      if (::read(arrivals_, &arrived, sizeof arrived) != sizeof arrived) continue;
      (seen ? again : first)(static_cast<int>(arrived.ssi_signo));
      seen = true;
    }
  }

  sigset_t signals_, before_;
  int arrivals_ = -1;
  int finish_ = -1;
  std::thread thread_;
};

inline int complain(const std::string& text, int status) {
  std::fflush(stdout);
  std::fprintf(stderr, "corolith: %s\n", text.c_str());
  return status;
}

inline int run_main(int argc, char** argv, bool takes_arguments,
                    const std::function<task<int>(executor&, std::vector<std::string>)>& body) {
  if (auto status = serve_role(argc, argv)) return *status;
  std::atomic<int> interrupted{0};
  try {
    parsed_options parsed = parse_options(argc, argv);
    if (!parsed.help.empty()) {
      std::fputs(parsed.help.c_str(), stdout);
      return 0;
    }
    if (!takes_arguments && !parsed.rest.empty())
      throw config_error("unknown argument '" + parsed.rest.front() + "'; --help lists the flags");
    log::set_level(log::parse_level(parsed.value.log_level));
    interrupt_watch watch;
    executor ex(parsed.value);
    std::stop_source stop;
    watch.start(
        [&](int signal) {
          interrupted = signal;
          stop.request_stop();
          ex.cancel_all();
        },
        [](int signal) { ::_exit(128 + signal); });  // the agents see it, and end with their workers
    struct closer {  // before `watch` ends, so that a second Ctrl-C still works while agents are shut down
      executor& ex;
      ~closer() { ex.close(); }
    } close_at_end{ex};
    const int status = sync_wait(body(ex, std::move(parsed.rest)), stop.get_token());
    return interrupted != 0 ? 128 + interrupted : status;
  } catch (const config_error& failure) {
    return complain(failure.what(), 2);
  } catch (const std::exception& failure) {
    if (interrupted != 0) return complain("interrupted; all calls were cancelled", 128 + interrupted);
    return complain(failure.what(), 1);
  } catch (...) {
    return complain("an exception that is no std::exception ended the program", 1);
  }
}

}  // namespace detail

COROLITH_DECL std::optional<int> serve_role(int argc, char** argv) {
  detail::install_value_courier();
  return agent::serve(argc, argv);
}

COROLITH_DECL int main(int argc, char** argv, task<int> (*run)(executor&)) {
  return detail::run_main(argc, argv, false, [run](executor& ex, std::vector<std::string>) { return run(ex); });
}

COROLITH_DECL int main(int argc, char** argv, task<int> (*run)(executor&, std::vector<std::string>)) {
  return detail::run_main(argc, argv, true,
                          [run](executor& ex, std::vector<std::string> rest) { return run(ex, std::move(rest)); });
}

}  // namespace v0
}  // namespace corolith
