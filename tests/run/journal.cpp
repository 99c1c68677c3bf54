// SPDX-License-Identifier: Apache-2.0
// Maps whose results a later run goes on with.
#include <corolith/run/executor.hpp>

#include <corolith/core/log.hpp>
#include <corolith/coro/generator.hpp>
#include <corolith/run/detail/journal_file.hpp>
#include <corolith/run/this_call.hpp>

#include "support.hpp"

#include <signal.h>
#include <sys/resource.h>

#include <atomic>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <numeric>
#include <ranges>
#include <set>

using namespace run_test;

namespace {

/// Says that it ran.
int noted_square(int x, std::string file) {
  note(file);
  return x * x;
}
int fails_on_odd(int x, std::string file) {
  note(file);
  if (x % 2 != 0) throw std::runtime_error("odd");
  return x;
}
std::uint32_t own_index(int, std::string file) {
  note(file);
  return this_call().id().index;
}
long add(std::vector<int> values) { return std::accumulate(values.begin(), values.end(), 0L); }
constexpr auto add_values = [](std::vector<int> values) { return add(std::move(values)); };

std::vector<int> first(int count) {
  std::vector<int> values(static_cast<std::size_t>(count));
  std::iota(values.begin(), values.end(), 0);
  return values;
}
std::vector<int> squares(int count) {
  std::vector<int> values = first(count);
  for (int& x : values) x *= x;
  return values;
}

options with_journal(const std::string& path) {
  options settings{.slots = 2};
  settings.journal = path;
  return settings;
}

/// Runs `act` with an executor of its own and returns how many calls were made meanwhile.
template <class Act>
std::size_t calls_of(const std::string& journal, const std::string& notes_file, Act&& act) {
  const std::size_t before = notes(notes_file);
  {
    cluster ex(with_journal(journal));
    act(*ex);
  }
  return notes(notes_file) - before;
}

void write_file(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

generator<int> count_up(int count, std::shared_ptr<std::atomic<int>> given) {
  for (int i = 0; i < count; ++i) {
    ++*given;
    co_yield i;
  }
}

}  // namespace

TEST_CASE("a second run takes the results of a map from the journal", "[journal]") {
  const scratch folder;
  const std::string journal = folder / "j", made = folder / "made";
  const std::vector<int> elements = first(300);
  const auto all = [&](executor& ex) { CHECK(ex.map<noted_square>(elements, made).get() == squares(300)); };
  CHECK(calls_of(journal, made, all) == 300);
  const std::string written = read_file(journal);
  CHECK(calls_of(journal, made, all) == 0);
  CHECK(read_file(journal) == written);
  CHECK(calls_of(folder / "other", made, all) == 300);
}

TEST_CASE("stats, indices and the order of completion survive", "[journal]") {
  const scratch folder;
  const std::string journal = folder / "j", made = folder / "made";
  std::vector<call_stats> before, after;
  for (std::vector<call_stats>* into : {&before, &after})
    calls_of(journal, made, [&](executor& ex) {
      batch<std::uint32_t> all = ex.map<own_index>(first(50), made).keep_stats();
      const std::vector<std::uint32_t> indices = all.get();
      for (std::uint32_t i = 0; i != 50; ++i) CHECK(indices[i] == i);
      *into = all.stats();
    });
  REQUIRE(after.size() == 50);
  for (std::size_t i = 0; i != 50; ++i) {
    CHECK(after[i].host == before[i].host);
    CHECK(after[i].pid == before[i].pid);
    CHECK(after[i].started == before[i].started);
    CHECK(after[i].received == before[i].received);
  }
}

TEST_CASE("calls that failed are made again, with their own indices", "[journal]") {
  const scratch folder;
  const std::string journal = folder / "j", made = folder / "made";
  const auto both = [&](executor& ex) {
    auto results = sync_wait(as_result(ex.map<fails_on_odd>(first(100), made)));
    REQUIRE(results.size() == 100);
    for (int i = 0; i != 100; ++i) {
      REQUIRE(results[static_cast<std::size_t>(i)].has_value() == (i % 2 == 0));
      if (i % 2 == 0) CHECK(results[static_cast<std::size_t>(i)].value() == i);
    }
    auto indices = ex.map<own_index>(first(10), made).get();
    for (std::uint32_t i = 0; i != 10; ++i) CHECK(indices[i] == i);
  };
  CHECK(calls_of(journal, made, both) == 110);
  CHECK(calls_of(journal, made, both) == 50);
}

TEST_CASE("a journal that is cut at any byte holds what is before the cut", "[journal]") {
  const scratch folder;
  const std::string journal = folder / "j", made = folder / "made";
  calls_of(journal, made, [&](executor& ex) { ex.map<noted_square>(first(12), made).get(); });
  const std::string whole = read_file(journal);
  wire::sha256_bytes program{};
  std::memcpy(program.data(), whole.data() + 24, program.size());
  log::set_level(log::level::off);  // each cut is worth a warning
  std::set<std::uint64_t> counts;
  std::uint64_t last = 0;
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    write_file(journal, whole.substr(0, size));
    {
      const detail::journal_file file(journal, program, {});
      const std::uint64_t count = file.batches().empty() ? 0 : file.batches()[0].done->count();
      REQUIRE(count >= last);
      counts.insert(last = count);
      if (size >= sizeof(detail::journal_header)) REQUIRE(file.size() + file.cut() == size);
    }
    const std::string after = read_file(journal);  // cut, or begun
    if (size >= sizeof(detail::journal_header)) REQUIRE(after == whole.substr(0, after.size()));
  }
  log::set_level(log::level::warning);
  CHECK(counts.size() == 13);

  // And what was cut is made again.
  for (const std::size_t size :
       {whole.size() - 1, whole.size() / 2, sizeof(detail::journal_header) + 3, std::size_t{10}}) {
    write_file(journal, whole.substr(0, size));
    const auto all = [&](executor& ex) { CHECK(ex.map<noted_square>(first(12), made).get() == squares(12)); };
    const std::size_t calls = calls_of(journal, made, all);
    CHECK(calls >= 1);
    CHECK(calls_of(journal, made, all) == 0);
  }
}

TEST_CASE("a byte that changed takes what is behind it along", "[journal]") {
  const scratch folder;
  const std::string journal = folder / "j", made = folder / "made";
  const auto all = [&](executor& ex) { CHECK(ex.map<noted_square>(first(12), made).get() == squares(12)); };
  calls_of(journal, made, all);
  std::string text = read_file(journal);
  text[text.size() - 150] ^= 1;  // in the last but one
  write_file(journal, text + std::string(4096, '\0'));
  CHECK(calls_of(journal, made, all) == 2);
  CHECK(calls_of(journal, made, all) == 0);
}

TEST_CASE("a journal of something else is refused, and stays as it is", "[journal]") {
  const scratch folder;
  const std::string journal = folder / "j", made = folder / "made";
  const std::vector<int> elements = first(20);
  calls_of(journal, made, [&](executor& ex) { ex.map<noted_square>(elements, made).get(); });
  const std::string written = read_file(journal);
  const auto refused = [&](const std::string& text, auto&& act) {
    std::string what;
    calls_of(journal, made, [&](executor& ex) { what = thrown<error>([&] { act(ex); }).what(); });
    CHECK(contains(what, journal));
    CHECK(contains(what, text));
    CHECK(contains(what, "name another"));
    CHECK(read_file(journal) == written);
  };

  refused("argument that its calls share", [&](executor& ex) { ex.map<noted_square>(elements, made + "x").get(); });
  refused("noted_square", [&](executor& ex) { ex.map<fails_on_odd>(elements, made).get(); });
  std::vector<int> others = elements;
  others[17] = 0;
  refused("element 17 is another one", [&](executor& ex) { ex.map<noted_square>(others, made).get(); });
  refused("ended after 19 elements", [&](executor& ex) { ex.map<noted_square>(first(19), made).get(); });
  // What comes before the other element must not be kept either.
  others.insert(others.end(), 30, 1);
  refused("element 17 is another one", [&](executor& ex) { ex.map<noted_square>(others, made).get(); });
  CHECK(calls_of(journal, made, [&](executor& ex) { ex.map<noted_square>(elements, made).get(); }) == 0);

  // Files of others.
  const auto opened = [&] { const executor ex(with_journal(journal)); };
  std::string other = written;
  detail::journal_header header;
  std::memcpy(&header, other.data(), sizeof header);
  header.program[3] ^= 1;
  header = detail::make_journal_header(header.program);
  std::memcpy(other.data(), &header, sizeof header);
  for (const std::string& text : {other, std::string("#!/bin/sh\necho results\n"), std::string(100, '\0')}) {
    write_file(journal, text);
    const error refusal = thrown<error>(opened);
    CHECK(refusal.code() == errc::misuse);
    CHECK(contains(refusal.what(), "name another"));
    CHECK(read_file(journal) == text);
  }
  write_file(journal, other);
  CHECK(contains(thrown<error>(opened).what(), "results of another program"));
  std::filesystem::remove(journal);
  std::filesystem::create_directory(journal);
  CHECK(contains(thrown<error>(opened).what(), "cannot open it"));
}

TEST_CASE("two runs do not share a journal at a time", "[journal]") {
  const scratch folder;
  cluster ex(with_journal(folder / "j"));
  CHECK(contains(thrown<error>([&] { const executor second(with_journal(folder / "j")); }).what(), "another run"));
}

TEST_CASE("batches are numbered, named, or left out", "[journal]") {
  const scratch folder;
  const std::string journal = folder / "j", made = folder / "made";
  const auto some = [&](bool reversed) {
    return [&, reversed](executor& ex) {
      executor a = ex.with({.journal = "a"}), b = ex.with({.journal = "b"});
      if (reversed) CHECK(b.map<noted_square>(first(20), made).get() == squares(20));
      CHECK(a.map<noted_square>(first(10), made).get() == squares(10));
      if (!reversed) CHECK(b.map<noted_square>(first(20), made).get() == squares(20));
      CHECK(a.call<noted_square>(3, made).get() == 9);
      CHECK(ex.call<noted_square>(4, made).get() == 16);                                      // not kept
      CHECK(ex.with({.journal = ""}).map<noted_square>(first(3), made).get() == squares(3));  // nor these
      CHECK(ex.map<noted_square>(first(5), made).get() == squares(5));
    };
  };
  CHECK(calls_of(journal, made, some(false)) == 40);
  CHECK(calls_of(journal, made, some(true)) == 4);
}

TEST_CASE("map_reduce resumes with its map", "[journal]") {
  const scratch folder;
  const std::string journal = folder / "j", made = folder / "made";
  const auto sum = [&](executor& ex) {
    CHECK(ex.map_reduce<noted_square, add>(first(30), made).get() == 8555);
    const std::vector<std::pair<int, int>> pairs{{1, 2}, {1, 3}, {2, 4}};
    const auto twice = [](std::pair<int, int> p) { return 2 * p.second; };
    const auto by_key = ex.with({.journal = "by key"}).map_reduce_by_key(twice, add_values, pairs).get();
    CHECK(by_key == std::map<int, long>{{1, 10}, {2, 8}});
  };
  CHECK(calls_of(journal, made, sum) == 30);
  CHECK(calls_of(journal, made, sum) == 0);
}

TEST_CASE("a lazy map resumes in bounded memory", "[journal]") {
  const scratch folder;
  const std::string journal = folder / "j", made = folder / "made";
  constexpr int count = 30'000;
  const auto run = [&](int until) {
    auto given = std::make_shared<std::atomic<int>>(0);
    int most_ahead = 0;
    cluster ex(with_journal(journal));
    sync_wait([](executor& with, int count_all, int stop, std::shared_ptr<std::atomic<int>> pulled, int& ahead,
                 std::string file) -> task<void> {
      batch<int> all = with.map<noted_square>(count_up(count_all, pulled), file);
      int taken = 0;
      std::vector<bool> seen(static_cast<std::size_t>(count_all));
      while (auto done = co_await all.next()) {
        const int x = static_cast<int>(done->index);
        if (seen[done->index] || done->value != x * x) throw std::runtime_error("a wrong result");
        seen[done->index] = true;
        ahead = std::max(ahead, pulled->load() - ++taken);
        if (taken == stop) co_return;
      }
      if (taken != count_all) throw std::runtime_error("results are missing");
    }(*ex, count, until, given, most_ahead, made));
    return most_ahead;
  };
  const int before = run(20'000);
  const std::size_t first_calls = notes(made);
  CHECK(first_calls >= 20'000);
  const int after = run(-1);
  CHECK(notes(made) - first_calls <= 10'000);
  // The elements that are under way are the scheduler's window, with a journal and without.
  CHECK(before < 20'000);
  CHECK(after < 20'000);
  CHECK(run(-1) < 20'000);
  CHECK(notes(made) <= first_calls + 10'000);
}

TEST_CASE("a file that cannot be written loses no result", "[journal]") {
  const scratch folder;
  const std::string journal = folder / "j", made = folder / "made";
  struct limited {
    rlimit before{};
    void (*handler)(int) = ::signal(SIGXFSZ, SIG_IGN);
    limited() { ::getrlimit(RLIMIT_FSIZE, &before); }
    void to(rlim_t bytes) const {
      const rlimit now{bytes, before.rlim_max};
      ::setrlimit(RLIMIT_FSIZE, &now);
    }
    ~limited() {
      ::setrlimit(RLIMIT_FSIZE, &before);
      ::signal(SIGXFSZ, handler);
    }
  } limit;
  calls_of(journal, made, [&](executor& ex) {
    ex.map<noted_square>(first(2), made).get();  // the agents and workers are there, with no limit
    limit.to(1000);
    CHECK(ex.map<noted_square>(first(100), made).get() == squares(100));
    limit.to(limit.before.rlim_cur);
  });
  CHECK(std::filesystem::file_size(journal) <= 1000);
  const std::size_t again = calls_of(journal, made, [&](executor& ex) {
    ex.map<noted_square>(first(2), made).get();
    CHECK(ex.map<noted_square>(first(100), made).get() == squares(100));
  });
  CHECK(again <= 100);
  CHECK(again >= 80);
}

TEST_CASE("a batch that was cancelled while it resumes ends", "[journal]") {
  const scratch folder;
  const std::string journal = folder / "j", made = folder / "made";
  calls_of(journal, made, [&](executor& ex) { ex.map<noted_square>(first(5000), made).get(); });
  calls_of(journal, made, [&](executor& ex) {
    {
      batch<int> dropped = ex.map<noted_square>(first(5000), made);
    }
    batch<int> other = ex.with({.journal = "x"}).map<noted_square>(first(50), made);
    other.cancel();
    const auto results = sync_wait(as_result(other));
    CHECK(results.size() <= 50);
  });
}
