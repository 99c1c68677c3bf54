// SPDX-License-Identifier: Apache-2.0
// Calls and objects: maps over slices, reducers for all or by key, references between calls, the store in a call.
#include <corolith/run/executor.hpp>
#include <corolith/run/this_call.hpp>
#include <corolith/storage/location.hpp>
#include <corolith/storage/slice.hpp>

#include "support.hpp"

#include <support/bucket_to_try.hpp>

#include <sys/stat.h>

#include <cctype>
#include <filesystem>
#include <map>
#include <numeric>

using namespace run_test;

namespace {

// Through what the store gives as a stream: pieces end anywhere.
task<long> count_words(object_slice slice) {
  long words = 0;
  bool inside = false;
  generator<std::vector<std::byte>> pieces = slice.stream();
  while (std::optional<std::vector<std::byte>> piece = co_await pieces.next()) {
    for (const std::byte each : *piece) {
      const bool space = std::isspace(std::to_integer<unsigned char>(each)) != 0;
      words += !space && !inside;
      inside = !space;
    }
  }
  co_return words;
}
task<long> count_and_note(object_slice slice, std::string file) {
  note(file);
  co_return co_await count_words(std::move(slice));
}
long sum(const std::vector<long>& all) { return std::accumulate(all.begin(), all.end(), 0L); }
std::string in_order(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& each : parts) text += each;
  return text;
}
task<std::string> text_of(object_slice slice) { co_return co_await slice.read_text(); }
std::string key_of(const object_slice& slice) { return slice.key; }

struct noting_sum {
  std::string file;
  long operator()(const std::vector<long>& all) const {
    note(file);
    return sum(all);
  }
};

task<object_ref> keep(int number) {
  const store objects = this_call().store();
  co_return co_await objects.put_temporary(std::string(static_cast<std::size_t>(number), 'x'));
}
task<std::uint64_t> size_of(object_ref ref) {
  const std::string text = co_await this_call().store().get_text(ref);
  co_return text.size();
}
std::string store_url() { return this_call().store().url(); }
task<std::string> write_and_read(std::string key) {
  const store objects = this_call().store();
  co_await objects.put(key, "written by a call");
  co_return co_await objects.get_text(key);
}
std::string missing() { return sync_wait(this_call().store().get_text("no such object")); }
int parity(const std::pair<std::string, int>& element) { return element.second; }
int total(const std::vector<int>& all) { return std::accumulate(all.begin(), all.end(), 0); }

/// A text of so many words, in lines, and an object of it.
long write_text(const store& into, const std::string& key, int words) {
  std::string text;
  for (int i = 0; i < words; ++i) text += "word" + std::to_string(i) + (i % 7 == 6 ? "\n" : " ");
  sync_wait(into.put(key, text));
  return words;
}

slicing lines_of(std::uint64_t bytes) {
  slicing how;
  how.bytes = bytes;
  how.newline = '\n';
  return how;
}

/// What a directory has below it, by name.
std::vector<std::string> files_below(const std::string& folder) {
  std::vector<std::string> found;
  std::error_code missing;
  for (auto it = std::filesystem::recursive_directory_iterator(folder, missing);
       !missing && it != std::filesystem::recursive_directory_iterator(); ++it)
    found.push_back(it->path().string());
  return found;
}

}  // namespace

// A case for every store of a run: the directory of its own, and a bucket of a real server, which tests/storage/runs.sh starts.
#define STORE_TEST_CASE(name) STORE_TEST_CASE_NAMED(INTERNAL_CATCH_UNIQUE_NAME(store_test_), name)
#define STORE_TEST_CASE_NAMED(function, name)                                          \
  static void function(const options& settings);                                       \
  TEST_CASE(name, "[run]") { function(options()); }                                    \
  TEST_CASE("a bucket: " name, "[.server][run]") {                                     \
    const test_support::bucket_to_try tried;                                           \
    options settings;                                                                  \
    settings.store = tried.url();                                                      \
    function(settings);                                                                \
    tried.check_clean();                                                               \
    for (const std::string& key : tried.keys()) CHECK(!key.starts_with(".corolith/")); \
  }                                                                                    \
  static void function(const options& settings)

STORE_TEST_CASE("a map over all objects with a prefix, and one reducer for all") {
  cluster local(settings);
  const store& objects = local->store();
  long words = 0;
  for (int i = 0; i < 6; ++i) words += write_text(objects, "corpus/text-" + std::to_string(i), 40 * i);
  write_text(objects, "other", 1000);
  CHECK(local->map_reduce<count_words, sum>(objects.objects("corpus/")).get() == words);
  CHECK(local->map<key_of>(objects.objects("corpus/text-4")).get() == std::vector<std::string>{"corpus/text-4"});
  CHECK(local->map_reduce<count_words, sum>(objects.objects("nothing/")).get() == 0);
}

STORE_TEST_CASE("a map over a list of keys, in that order") {
  cluster local(settings);
  const store& objects = local->store();
  for (const char* key : {"a", "b/c", "d"}) sync_wait(objects.put(key, key));
  const std::vector<std::string> chosen = {"d", "a", "b/c"};
  CHECK(local->map<text_of>(objects.objects(chosen)).get() == chosen);
  const std::vector<std::string> wrong = {"a", "missing"};
  CHECK(thrown<error>([&] { local->map<text_of>(objects.objects(wrong)).get(); }).code() == errc::not_found);
}

STORE_TEST_CASE("slices by size: as many calls as slices, one reducer, and no word lost or cut") {
  cluster local(settings);
  const store& objects = local->store();
  const scratch folder;
  long words = 0;
  std::uint64_t slices = 0;
  for (int i = 1; i <= 4; ++i) {
    const std::string key = "corpus/" + std::to_string(i);
    words += write_text(objects, key, 100 * i);
    slices += (sync_wait(objects.head(key)).size + 499) / 500;
  }
  const std::string calls = folder / "calls", sums = folder / "sums";
  CHECK(local
            ->map_reduce(codec::fixed<count_and_note>{}, noting_sum{sums}, objects.objects("corpus/", lines_of(500)),
                         calls)
            .get() == words);
  CHECK(notes(calls) == slices);
  CHECK(notes(sums) == 1);
}

STORE_TEST_CASE("slices by number: as many calls of each object") {
  cluster local(settings);
  const store& objects = local->store();
  const scratch folder;
  long words = 0;
  for (int i = 1; i <= 4; ++i) words += write_text(objects, "corpus/" + std::to_string(i), 70 * i);
  slicing how;
  how.count = 3;
  how.newline = '\n';
  const std::string calls = folder / "calls";
  CHECK(local->map_reduce<count_and_note, sum>(objects.objects("corpus/", how), calls).get() == words);
  CHECK(notes(calls) == 12);
}

STORE_TEST_CASE("one reducer for each object") {
  cluster local(settings);
  const store& objects = local->store();
  const scratch folder;
  std::map<std::string, long> words;
  for (int i = 0; i < 5; ++i) {
    const std::string key = "corpus/" + std::to_string(i);
    words[key] = write_text(objects, key, 90 * i);
  }
  const std::string sums = folder / "sums";
  CHECK(
      local->map_reduce_by_key(codec::fixed<count_words>{}, noting_sum{sums}, objects.objects("corpus/", lines_of(300)))
          .get() == words);
  CHECK(notes(sums) == 5);
  CHECK(local->map_reduce_by_key<count_words, sum>(objects.objects("corpus/")).get() == words);
  CHECK(local->map_reduce_by_key<count_words, sum>(objects.objects("nothing/")).get().empty());

  std::map<std::string, std::string> texts;
  for (const auto& [key, unused] : words) texts[key] = sync_wait(objects.get_text(key));
  CHECK(local->map_reduce_by_key<text_of, in_order>(objects.objects("corpus/", lines_of(200))).get() == texts);
}

TEST_CASE("reducers by a key of one's own", "[run]") {
  cluster local;
  const std::vector<std::pair<std::string, int>> elements = {
      {"odd", 1}, {"even", 2}, {"odd", 3}, {"even", 4}, {"odd", 5}};
  const std::map<std::string, int> expected = {{"even", 6}, {"odd", 9}};
  CHECK(local->map_reduce_by_key<parity, total>(elements).get() == expected);
  CHECK(local->map_reduce_by_key<parity, total>(std::views::all(elements)).get() == expected);
  const auto fails = [](const std::pair<std::string, int>& element) {
    if (element.second == 3) throw std::domain_error("three");
    return element.second;
  };
  CHECK(thrown<remote_error>([&] {
          local->map_reduce_by_key(fails, codec::fixed<total>{}, elements).get();
        }).message() == "three");
}

STORE_TEST_CASE("an object that changes while it is mapped is an error, not a mixture") {
  cluster local(settings);
  const store& objects = local->store();
  write_text(objects, "text", 500);
  std::vector<object_slice> slices;
  generator<object_slice> listed = objects.objects("text", lines_of(500));
  while (std::optional<object_slice> next = sync_wait(listed.next())) slices.push_back(std::move(*next));
  write_text(objects, "text", 501);
  CHECK(contains(thrown<remote_error>([&] { local->map<count_words>(slices).get(); }).message(), "text"));
}

STORE_TEST_CASE("a call has the store of its driver") {
  cluster local(settings);
  CHECK(local->call<store_url>().get() == local->store().url());
  CHECK(local->call<write_and_read>("from/a/call").get() == "written by a call");
  CHECK(sync_wait(local->store().get_text("from/a/call")) == "written by a call");
  const remote_error failure = thrown<remote_error>([&] { local->call<missing>().get(); });
  CHECK(failure.type_name() == "corolith::v0::store_error");
  CHECK(contains(failure.message(), "no such object"));
}

STORE_TEST_CASE("references from one call are read by another") {
  cluster local(settings);
  const std::vector<object_ref> refs = local->map<keep>(std::vector{3, 0, 100'000}).get();
  CHECK(local->map<size_of>(refs).get() == std::vector<std::uint64_t>{3, 0, 100'000});
  CHECK(sync_wait(local->store().get_text(refs[0])) == "xxx");
}

TEST_CASE("the store of a run goes with it", "[run]") {
  std::string folder;
  {
    cluster local;
    folder = storage::location::parse(local->store().url()).folder;
    CHECK(!std::filesystem::exists(folder));  // nobody has used it yet
    local->map<keep>(std::vector{1, 2}).get();
    CHECK(std::filesystem::exists(folder));
    struct stat found{};
    REQUIRE(::stat(folder.c_str(), &found) == 0);
    CHECK((found.st_mode & 0777) == 0700);
  }
  CHECK(!std::filesystem::exists(folder));
}

TEST_CASE("in a store of the user's objects stay and temporary ones go", "[run]") {
  const scratch folder;
  options settings;
  settings.store = folder / "store";
  {
    cluster local(settings);
    CHECK(local->store().url() == "posix://" + folder / "store");
    local->map<keep>(std::vector{1, 2}).get();
    local->call<write_and_read>("result").get();
    CHECK(std::filesystem::exists(folder / "store/.corolith"));
  }
  CHECK(files_below(folder / "store") == std::vector<std::string>{folder / "store/result"});
}

STORE_TEST_CASE("an executor of a call has the same store") {
  cluster local(settings);
  const auto nested = [](int count) -> task<std::uint64_t> {
    const executor ex = this_call().executor();
    const std::vector<int> sizes(static_cast<std::size_t>(count), 10);
    const std::vector<object_ref> refs = co_await ex.map<keep>(sizes);
    std::uint64_t all = 0;
    for (const std::uint64_t each : co_await ex.map<size_of>(refs)) all += each;
    co_return all + (ex.store().url() == this_call().store().url() ? 1 : 0);
  };
  CHECK(local->call(nested, 4).get() == 41);
}
