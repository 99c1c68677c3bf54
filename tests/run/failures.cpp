// SPDX-License-Identifier: Apache-2.0
// Functions that throw, and workers and agents that die.
#include <corolith/run/executor.hpp>

#include <corolith/run/detail/driver.hpp>
#include <corolith/run/this_call.hpp>

#include "support.hpp"

#include <csignal>
#include <iostream>
#include <ranges>
#include <set>
#include <sstream>

using namespace run_test;

namespace {

int square(int x) { return x * x; }
pid_t own_pid() { return ::getpid(); }

class own_error : public std::exception {
 public:
  const char* what() const noexcept override { return "an error of the user's own"; }
};
struct no_exception {};

int throws_kind(int kind) {
  std::cerr << "about to fail with kind " << kind << "\nlast words\n";
  switch (kind) {
    case 0: throw std::out_of_range("out of it");
    case 1: throw own_error();
    case 2: throw no_exception();
    case 3: throw 42;
    case 4: try { throw std::runtime_error("inner");
      } catch (...) {
        std::throw_with_nested(std::logic_error("outer"));
      }
    default: return kind;
  }
}

// Ends its worker in its first `deaths` attempts.
enum class death { abort, exit, kill };
pid_t dies(death how, std::uint32_t deaths, const std::string& file) {
  note(file);
  if (this_call().attempt() > deaths) return ::getpid();
  std::fputs("these are its last words\n", stderr);
  if (how == death::abort) {
    std::signal(SIGABRT, SIG_DFL);
    std::abort();
  }
  if (how == death::exit) std::exit(3);
  ::raise(SIGKILL);
  return 0;
}

// Waits to be killed in its first attempt.
int waits_for_death(int x, const std::string& file) {
  if (this_call().attempt() == 1) {
    note(file + ".pid", std::to_string(::getpid()));
    std::this_thread::sleep_for(1h);
  }
  return x;
}
int slow_square(int x) {
  std::this_thread::sleep_for(5ms);
  return x * x;
}

std::vector<int> squares(int count) {
  std::vector<int> all;
  for (int i = 0; i < count; ++i) all.push_back(i * i);
  return all;
}

/// A driver whose batches and elements are tampered with on their way.
class tampering : public detail::backend {
 public:
  explicit tampering(const options& settings) : real_(detail::make_driver(settings)) {}
  std::uint64_t open(std::shared_ptr<detail::batch_link> link, detail::batch_request request) override {
    if (forge_function) ++request.function.offset;
    return real_->open(std::move(link), std::move(request));
  }
  void feed(std::uint64_t batch, detail::element_block block, bool last) override {
    if (cut_elements && block.count() != 0) {
      block.bytes = block.bytes.slice(0, block.bytes.size() - 1);
      --block.ends.back();
    }
    real_->feed(batch, std::move(block), last);
  }
  void consumed(std::uint64_t batch, std::uint32_t count) override { real_->consumed(batch, count); }
  void cancel(std::uint64_t batch, std::optional<std::uint32_t> index) override { real_->cancel(batch, index); }
  void cancel_all() override { real_->cancel_all(); }
  void close() override { real_->close(); }

  std::atomic<bool> forge_function{false};
  std::atomic<bool> cut_elements{false};

 private:
  std::shared_ptr<detail::backend> real_;
};

}  // namespace

TEST_CASE("what a function throws arrives with its type, text and origin", "[run]") {
  cluster local;
  const auto fail = [&](int kind) { return thrown<remote_error>([&] { local->call<throws_kind>(kind).get(); }); };
  const remote_error standard = fail(0);
  CHECK(standard.type_name() == "std::out_of_range");
  CHECK(standard.message() == "out of it");
  CHECK(standard.code() == errc::remote_exception);
  CHECK(standard.origin().attempt == 1);
  CHECK(standard.origin().index == 0);
  CHECK(standard.origin().batch > 0);
  CHECK_FALSE(standard.origin().host.empty());
  CHECK(standard.origin().pid > 0);
  CHECK(standard.origin().pid != ::getpid());
  CHECK(standard.origin().stderr_tail == "about to fail with kind 0\nlast words");
  for (const std::string& part : {std::string("std::out_of_range"), std::string("out of it"), standard.origin().host,
                                  std::to_string(standard.origin().pid), std::string("last words")})
    CHECK(contains(standard.what(), part));

  CHECK(contains(fail(1).type_name(), "own_error"));
  CHECK(fail(1).message() == "an error of the user's own");
  CHECK(contains(fail(2).type_name(), "no_exception"));
  CHECK(fail(2).message().empty());
  CHECK(fail(3).type_name() == "int");
  CHECK(fail(4).message() == "outer: inner");
  CHECK(local->call<throws_kind>(5).get() == 5);
}

TEST_CASE("an error names the element of its map", "[run]") {
  cluster local;
  const auto fails = [](int x) { return x == 13 ? throw std::runtime_error("unlucky") : x; };
  batch<int> all = local->map(fails, std::views::iota(0, 20));
  const std::uint64_t id = all.id();
  const auto failure = thrown<remote_error>([&] { all.get(); });
  CHECK(failure.origin().index == 13);
  CHECK(failure.origin().batch == id);
}

TEST_CASE("a call whose worker died runs again", "[run]") {
  cluster local;
  const scratch folder;
  const auto how = GENERATE(death::abort, death::exit, death::kill);
  future<pid_t> one = local->call<dies>(how, 2, folder / "runs");
  CHECK(one.get() > 0);
  CHECK(one.stats().attempt == 3);
  CHECK(notes(folder / "runs") == 3);
}

TEST_CASE("a call that kills three workers fails, whatever its retries", "[run]") {
  cluster local(options{.defaults = {.retries = 10}});
  const scratch folder;
  const auto fail = [&](death how) {
    const std::string file = folder / std::to_string(static_cast<int>(how));
    const auto failure = thrown<worker_lost>([&] { local->call<dies>(how, 1000, file).get(); });
    CHECK(notes(file) == 3);
    CHECK(failure.origin().attempt == 3);
    CHECK(failure.origin().pid > 0);
    CHECK(contains(failure.origin().stderr_tail, "these are its last words"));
    return std::string(failure.what());
  };
  CHECK(contains(fail(death::abort), "SIGABRT"));
  CHECK(contains(fail(death::exit), "status 3"));
  CHECK(contains(fail(death::kill), "SIGKILL"));
  CHECK(local->map<square>(std::views::iota(0, 20)).get() == squares(20));
}

TEST_CASE("a worker that is killed in a call costs no retry", "[run]") {
  cluster local;
  const scratch folder;
  future<int> victim = local->call<waits_for_death>(7, folder / "victim");
  batch<int> others = local->map<square>(std::views::iota(0, 50));
  std::string pid;
  wait_until([&] { return !(pid = read_file(folder / "victim.pid")).empty(); });
  ::kill(static_cast<pid_t>(std::stol(pid)), SIGKILL);
  CHECK(victim.get() == 7);
  CHECK(victim.stats().attempt == 2);
  CHECK(victim.stats().pid != std::stol(pid));
  CHECK(others.get() == squares(50));
}

TEST_CASE("workers that are killed all the time delay a map, and change nothing in it", "[run]") {
  cluster local;
  const scratch folder;
  const auto slow = [](int x, const std::string& file) {
    note(file, std::to_string(::getpid()) + "\n");
    return slow_square(x);
  };
  batch<int> all = local->map(slow, std::views::iota(0, 300), folder / "pids");
  std::set<pid_t> killed;
  wait_until([&] {
    std::istringstream pids(read_file(folder / "pids"));
    for (pid_t pid = 0; pids >> pid;)
      if (killed.size() < 5 && killed.insert(pid).second) ::kill(pid, SIGKILL);
    return killed.size() == 5 || all.done_count() == 300;
  });
  CHECK(all.get() == squares(300));
  CHECK_FALSE(killed.empty());
}

TEST_CASE("an agent that is killed in the middle of a map loses nothing", "[run]") {
  const std::uint32_t relaunches = GENERATE(0u, 3u);
  cluster local(options{.agents = 2, .slots = 1, .relaunch = relaunches, .log_level = "error"});
  batch<int> all = local->map<slow_square>(std::views::iota(0, 300)).keep_stats();
  // The agent of a worker that has done something.
  wait_until([&] { return all.done_count() > 20; });
  const std::vector<process> agents = started_processes("--corolith-agent");
  REQUIRE(agents.size() == 2);
  ::kill(agents.front().pid, SIGKILL);
  CHECK(all.get() == squares(300));
}

TEST_CASE("the only agent is started again when it dies", "[run]") {
  cluster local(options{.log_level = "error"});
  const pid_t before = local->call<own_pid>().get();
  batch<int> all = local->map<slow_square>(std::views::iota(0, 50));
  for (const process& each : started_processes("--corolith-agent")) ::kill(each.pid, SIGKILL);
  CHECK(all.get() == squares(50));
  CHECK(local->call<own_pid>().get() != before);
}

TEST_CASE("when no agent stays alive, calls fail and say why", "[run]") {
  cluster local(options{.relaunch = 1, .log_level = "off"});
  future<int> one = local->call([] {
    std::this_thread::sleep_for(1h);
    return 0;
  });
  while (!one.wait_for(20ms))
    for (const process& each : started_processes("--corolith-agent")) ::kill(each.pid, SIGKILL);
  const auto failure = thrown<launch_failed>([&] { one.get(); });
  CHECK(contains(failure.what(), "killed by signal 9"));
  // It stays so.
  CHECK_THROWS_AS(local->call<square>(1).get(), launch_failed);
  CHECK_THROWS_AS(local->map<square>(std::views::iota(0, 10)).get(), launch_failed);
}

TEST_CASE("a function that the worker does not know, and arguments that it cannot read, are errors", "[run]") {
  runtime_folder();
  {
    const auto forged = std::make_shared<tampering>(options{.slots = 1});
    const executor ex(std::shared_ptr<detail::backend>{forged});
    forged->forge_function = true;
    const auto unknown = thrown<call_error>([&] { ex.call<square>(2).get(); });
    CHECK(unknown.code() == errc::unknown_function);
    CHECK(contains(unknown.what(), "version"));
    forged->forge_function = false;
    forged->cut_elements = true;
    const auto cut = thrown<call_error>([&] { ex.call<square>(2).get(); });
    CHECK(cut.code() == errc::codec);
    const auto all = sync_wait(as_result(ex.map<square>(std::vector{1, 2, 3})));
    REQUIRE(all.size() == 3);
    CHECK(all[1].value() == 4);
    CHECK_FALSE(all[2].has_value());
    forged->cut_elements = false;
    CHECK(ex.call<square>(2).get() == 4);
  }
  check_nothing_left();
}
