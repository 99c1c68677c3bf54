// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/agent/agent.hpp>
#include <corolith/core/interrupt_watch.hpp>
#include <corolith/core/log.hpp>
#include <corolith/coro/sync_wait.hpp>
#include <corolith/run/detail/run_store.hpp>
#include <corolith/run/main.hpp>
#include <corolith/run/options.hpp>

#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <exception>
#include <functional>
#include <stop_token>

namespace corolith {
inline namespace v0 {
namespace detail {

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
