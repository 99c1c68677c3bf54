// SPDX-License-Identifier: Apache-2.0
#include <corolith/coro/loop.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <random>
#include <thread>
#include <utility>
#include <vector>

namespace cl = corolith;
using namespace std::chrono_literals;

namespace {

struct job : cl::loop::work {
  explicit job(std::function<void()> given) : action(std::move(given)) {
    run = [](cl::loop::work* item) noexcept { static_cast<job*>(item)->action(); };
  }
  std::function<void()> action;
};

struct timed_job : cl::loop::timer {
  explicit timed_job(std::function<void()> given) : action(std::move(given)) {
    run = [](cl::loop::work* item) noexcept { static_cast<timed_job*>(item)->action(); };
  }
  std::function<void()> action;
};

}  // namespace

TEST_CASE("a run_loop runs posted work in order, and never inside the post") {
  cl::run_loop loop;
  std::vector<int> order;
  job second([&] { order.push_back(2); });
  job first([&] {
    loop.post(second);
    order.push_back(1);
  });
  job zeroth([&] { order.push_back(0); });
  loop.post(zeroth);
  loop.post(first);
  REQUIRE(order.empty());
  REQUIRE(loop.poll() == 2);
  REQUIRE(order == std::vector<int>{0, 1});
  REQUIRE(loop.poll() == 1);
  REQUIRE(order == std::vector<int>{0, 1, 2});
  REQUIRE(loop.poll() == 0);
}

TEST_CASE("current() names the loop that runs, also when runs are nested") {
  REQUIRE(cl::loop::current() == nullptr);
  cl::run_loop outer, inner;
  cl::loop* seen_inside = nullptr;
  cl::loop* seen_after = nullptr;
  job nested([&] { seen_inside = cl::loop::current(); });
  job first([&] {
    inner.post(nested);
    inner.poll();
    seen_after = cl::loop::current();
  });
  outer.post(first);
  outer.poll();
  REQUIRE(seen_inside == &inner);
  REQUIRE(seen_after == &outer);
  REQUIRE(cl::loop::current() == nullptr);
}

TEST_CASE("a stop ends run; one that came before is used up") {
  cl::run_loop loop;
  loop.stop();
  loop.run();
  bool ran = false;
  job last([&] {
    ran = true;
    loop.stop();
  });
  loop.post(last);
  loop.run();
  REQUIRE(ran);
}

TEST_CASE("posts from many threads all run, those of one thread in order") {
  constexpr int threads = 4, each = 5000;
  cl::run_loop loop;
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
      for (auto& item : jobs[t]) {
        loop.post(*item);
        if (item->action && (&item - jobs[t].data()) % 500 == 0) std::this_thread::yield();
      }
    });
  loop.run();
  for (auto& poster : posters) poster.join();
  REQUIRE(total == threads * each);
  REQUIRE(in_order);
}

TEST_CASE("a loop may be destroyed as soon as run returned, while the poster still leaves post") {
  for (int i = 0; i < 2000; ++i) {
    bool ran = false;
    auto loop = std::make_unique<cl::run_loop>();
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

TEST_CASE("timers run by their time, not by their order of arrival") {
  cl::run_loop loop;
  std::vector<int> order;
  auto now = cl::loop::clock::now();
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

TEST_CASE("an earlier timer wakes a loop that sleeps for a later one") {
  cl::run_loop loop;
  bool late_ran = false;
  timed_job late([&] { late_ran = true; });
  timed_job soon([&] { loop.stop(); });
  loop.post_at(cl::loop::clock::now() + 1h, late);
  std::thread other([&] { loop.post_at(cl::loop::clock::now() + 1ms, soon); });
  loop.run();
  other.join();
  REQUIRE_FALSE(late_ran);
  REQUIRE(loop.cancel(late));
}

TEST_CASE("run_until returns without work") {
  cl::run_loop loop;
  bool ran = false;
  job item([&] { ran = true; });
  loop.post(item);
  auto until = cl::loop::clock::now() + 2ms;
  loop.run_until(until);
  REQUIRE(ran);
  REQUIRE(cl::loop::clock::now() >= until);
}

TEST_CASE("the background loop has a thread of its own") {
  std::atomic<bool> done = false;
  std::thread::id ran_on;
  cl::loop* current = nullptr;
  job item([&] {
    ran_on = std::this_thread::get_id();
    current = cl::loop::current();
    done = true;
  });
  cl::background_loop().post(item);
  while (!done) std::this_thread::yield();
  REQUIRE(ran_on != std::this_thread::get_id());
  REQUIRE(current == &cl::background_loop());
}
