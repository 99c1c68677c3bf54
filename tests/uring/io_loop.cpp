// SPDX-License-Identifier: Apache-2.0
#include <corolith/core/error.hpp>
#include <corolith/coro/spawn.hpp>
#include <corolith/coro/sync_wait.hpp>
#include <corolith/coro/task.hpp>
#include <corolith/coro/this_task.hpp>
#include <corolith/uring/io_loop.hpp>
#include <corolith/uring/io_thread.hpp>

#include <catch2/catch.hpp>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace cl = corolith;
namespace ur = corolith::uring;
using namespace std::chrono_literals;

namespace {

template <class Base>
struct job_on : Base {
  explicit job_on(std::function<void()> given) : action(std::move(given)) {
    this->run = [](cl::loop::work* item) noexcept { static_cast<job_on*>(item)->action(); };
  }
  std::function<void()> action;
};
using job = job_on<cl::loop::work>;
using timed_job = job_on<cl::loop::timer>;

cl::task<std::thread::id> where() { co_return std::this_thread::get_id(); }

cl::task<int> reschedules(int count) {
  int done = 0;
  for (; done < count; ++done) co_await cl::reschedule();
  co_return done;
}

cl::task<bool> sleeps(std::chrono::nanoseconds duration) {
  const auto begin = cl::loop::clock::now();
  co_await cl::sleep_for(duration);
  co_return cl::loop::clock::now() - begin >= duration;
}

cl::task<void> sleeps_and_counts(std::chrono::nanoseconds duration, int* ended) {
  co_await cl::sleep_for(duration);
  ++*ended;
}

// In this process, from now on, the kernel refuses to make an io_uring, as in many containers.
bool refuse_io_uring() {
  std::array<::sock_filter, 4> program{{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(::seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  }};
  ::sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

// 0: it took poll and works; 2: there are no such filters here.
int without_io_uring() {
  if (!refuse_io_uring()) return 2;
  ::unsetenv("COROLITH_IO");
  ur::io_loop loop;
  if (loop.backend() != ur::io_backend::poll) return 1;
  loop.stop();
  loop.run();
  ur::io_options options;
  options.backend = ur::io_backend::io_uring;
  try {
    ur::io_loop refused(options);
  } catch (const std::system_error& failure) {
    return failure.code() == std::errc::operation_not_permitted ? 0 : 1;
  }
  return 1;
}

}  // namespace

TEST_CASE("an io_loop runs posted work in order, and never inside the post") {
  ur::io_loop loop;
  std::vector<int> order;
  job second([&] {
    order.push_back(2);
    loop.stop();
  });
  job first([&] {
    loop.post(second);
    order.push_back(1);
  });
  job zeroth([&] { order.push_back(0); });
  loop.post(zeroth);
  loop.post(first);
  REQUIRE(order.empty());
  loop.run();
  REQUIRE(order == std::vector<int>{0, 1, 2});
}

TEST_CASE("a stop ends the run of an io_loop; one that came before is used up") {
  ur::io_loop loop;
  loop.stop();
  loop.run();
  bool ran = false, ran_later = false;
  job later([&] {
    ran_later = true;
    loop.stop();
  });
  job last([&] {
    ran = true;
    loop.stop();
  });
  loop.post(last);
  loop.post(later);
  loop.run();
  REQUIRE(ran);
  REQUIRE_FALSE(ran_later);
  loop.run();
  REQUIRE(ran_later);
}

TEST_CASE("an io_loop stays with the thread that first ran it") {
  ur::io_loop loop;
  loop.stop();
  loop.run();
  std::thread other([&] { REQUIRE_THROWS_AS(loop.run(), cl::error); });
  other.join();
}

TEST_CASE("an io_loop may be made here and run elsewhere") {
  ur::io_loop loop;
  std::thread::id ran_on;
  cl::loop* current = nullptr;
  job item([&] {
    ran_on = std::this_thread::get_id();
    current = cl::loop::current();
    loop.stop();
  });
  std::thread other([&] { loop.run(); });
  const std::thread::id expected = other.get_id();
  loop.post(item);
  other.join();
  REQUIRE(ran_on == expected);
  REQUIRE(current == &loop);
}

TEST_CASE("posts from many threads to an io_loop all run, those of one thread in order") {
  constexpr int threads = 4, each = 5000;
  ur::io_loop loop;
  int total = 0;
  std::vector<int> last(threads, -1);
  bool in_order = true;
  std::vector<std::vector<std::unique_ptr<job>>> jobs(threads);
  for (std::size_t t = 0; t < threads; ++t)
    for (int i = 0; i < each; ++i)
      jobs[t].push_back(std::make_unique<job>([&, t, i] {
        in_order = in_order && last[t] == i - 1;
        last[t] = i;
        if (++total == threads * each) loop.stop();
      }));
  std::vector<std::thread> posters;
  for (std::size_t t = 0; t < threads; ++t)
    posters.emplace_back([&, t] {
      for (std::size_t i = 0; i < jobs[t].size(); ++i) {
        loop.post(*jobs[t][i]);
        if (i % 100 == 0) std::this_thread::sleep_for(50us);  // so that the loop sleeps in between
      }
    });
  loop.run();
  for (auto& poster : posters) poster.join();
  REQUIRE(total == threads * each);
  REQUIRE(in_order);
}

TEST_CASE("an io_loop may be destroyed as soon as run returned, while the poster still leaves post") {
  for (int i = 0; i < 300; ++i) {
    bool ran = false;
    auto loop = std::make_unique<ur::io_loop>();
    job last([&] {
      ran = true;
      loop->stop();
    });
    std::thread poster([&, target = loop.get()] { target->post(last); });
    loop->run();
    loop.reset();
    poster.join();
    REQUIRE(ran);
  }
}

TEST_CASE("timers of an io_loop run by their time, and can be taken back") {
  ur::io_loop loop;
  std::vector<int> order;
  const auto now = cl::loop::clock::now();
  std::vector<std::unique_ptr<timed_job>> alarms;
  std::vector<int> when(200);
  for (int i = 0; i < 200; ++i) when[static_cast<std::size_t>(i)] = i;
  std::shuffle(when.begin(), when.end(), std::mt19937(7));
  for (int at : when) {
    alarms.push_back(std::make_unique<timed_job>([&, at] {
      order.push_back(at);
      if (order.size() == 100) loop.stop();
    }));
    loop.post_at(now + at * 10us, *alarms.back());
  }
  for (std::size_t i = 0; i < when.size(); ++i)
    if (when[i] % 2 == 1) REQUIRE(loop.cancel(*alarms[i]));
  loop.run();
  std::vector<int> even;
  for (int i = 0; i < 200; i += 2) even.push_back(i);
  REQUIRE(order == even);
  for (auto& ended : alarms) REQUIRE_FALSE(loop.cancel(*ended));
}

TEST_CASE("an earlier timer wakes an io_loop that sleeps for a later one") {
  ur::io_loop loop;
  bool late_ran = false;
  timed_job late([&] { late_ran = true; });
  timed_job soon([&] { loop.stop(); });
  loop.post_at(cl::loop::clock::now() + 1h, late);
  std::thread other([&] {
    std::this_thread::sleep_for(2ms);
    loop.post_at(cl::loop::clock::now() + 1ms, soon);
  });
  loop.run();
  other.join();
  REQUIRE_FALSE(late_ran);
  REQUIRE(loop.cancel(late));
}

TEST_CASE("an io_loop with timers that are not due may be destroyed") {
  bool ran = false;
  timed_job alarm([&] { ran = true; });
  {
    ur::io_loop loop;
    loop.post_at(cl::loop::clock::now() + 1h, alarm);
    loop.stop();
    loop.run();
  }
  REQUIRE_FALSE(ran);
}

TEST_CASE("tasks live on the thread of an io_thread") {
  ur::io_thread io;
  const std::thread::id first = cl::start(io.loop(), where()).get();
  REQUIRE(first != std::this_thread::get_id());
  REQUIRE(cl::start(io.loop(), where()).get() == first);
  REQUIRE(cl::start(io.loop(), reschedules(20'000)).get() == 20'000);
  REQUIRE(cl::start(io.loop(), sleeps(2ms)).get());
}

TEST_CASE("an io_thread ends what sleeps there") {
  int ended = 0;
  {
    ur::io_thread io;
    for (int i = 0; i < 10; ++i) cl::spawn(io.loop(), sleeps_and_counts(1h, &ended));
  }
  REQUIRE(ended == 10);
}

TEST_CASE("an io_thread that nobody uses ends") {
  for (int i = 0; i < 50; ++i) ur::io_thread unused;
}

TEST_CASE("the backend is as asked for") {
  ur::io_options options;
  options.backend = ur::io_backend::poll;
  REQUIRE(ur::io_loop(options).backend() == ur::io_backend::poll);
  const char* const set = std::getenv("COROLITH_IO");
  const std::string before = set == nullptr ? "" : set;
  if (before == "poll") REQUIRE(ur::io_loop().backend() == ur::io_backend::poll);
  ::setenv("COROLITH_IO", "neither", 1);
  REQUIRE_THROWS_AS(ur::io_loop(), cl::config_error);
  REQUIRE(ur::io_loop(options).backend() == ur::io_backend::poll);
  set == nullptr ? ::unsetenv("COROLITH_IO") : ::setenv("COROLITH_IO", before.c_str(), 1);
}

TEST_CASE("where io_uring is refused, poll takes its place") {
  const ::pid_t child = ::fork();
  if (child == 0) ::_exit(without_io_uring());
  REQUIRE(child > 0);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 2) WARN("this kernel has no system call filters: not tried");
  REQUIRE(WEXITSTATUS(status) % 2 == 0);
}
