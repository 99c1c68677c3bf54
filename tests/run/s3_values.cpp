// SPDX-License-Identifier: Apache-2.0
// Arguments and results that go through a bucket: the same values, and nothing of them is left. tests/storage/runs.sh starts the server.
#include <corolith/run/executor.hpp>
#include <corolith/run/this_call.hpp>

#include "support.hpp"

#include <support/bucket_to_try.hpp>

#include <numeric>
#include <ranges>

using namespace run_test;
using test_support::bucket_to_try;

namespace {

using words = std::vector<std::uint64_t>;

words make(std::uint64_t first, std::size_t count) {
  words all(count);
  std::iota(all.begin(), all.end(), first);
  return all;
}
std::uint64_t sum(const words& all) { return std::accumulate(all.begin(), all.end(), std::uint64_t{0}); }
words doubled(words all) {
  for (std::uint64_t& each : all) each *= 2;
  return all;
}
words made_there(std::uint64_t first) { return make(first, first % 2 == 0 ? 1000 : 10); }
std::uint64_t entry(std::size_t at, const words& table) { return table.at(at); }
words sums(const std::vector<words>& all) {
  words found;
  for (const words& each : all) found.push_back(sum(each));
  return found;
}
std::uint64_t dies_once(const words& all, const std::string& file) {
  note(file);
  if (notes(file) < 2) ::raise(SIGKILL);
  return sum(all);
}
std::size_t values_there(const words&) {
  generator<storage::list_entry> listed = this_call().store().list(".corolith/");
  std::size_t count = 0;
  while (auto found = sync_wait(listed.next())) ++count;
  return count;
}

options through(const bucket_to_try& bucket) {
  options settings;
  settings.store = bucket.url();
  settings.store_threshold = 1000;
  return settings;
}

}  // namespace

TEST_CASE("values through a bucket: single calls, maps, shared arguments, reducers", "[.server][run]") {
  const bucket_to_try bucket;
  {
    cluster local(through(bucket));
    const words sent = make(7, 5000);
    CHECK((local->call<doubled>(sent).get() == doubled(sent)));
    std::vector<words> elements;
    for (std::uint64_t i = 0; i < 20; ++i) elements.push_back(make(i, i % 3 == 0 ? 3 : 400));
    std::vector<words> expected;
    for (const words& each : elements) expected.push_back(doubled(each));
    CHECK((local->map<doubled>(elements).get() == expected));
    CHECK((local->map<made_there>(std::views::iota(std::uint64_t{0}, std::uint64_t{30})).get()[4] == make(4, 1000)));
    CHECK((local->map<entry>(std::views::iota(std::size_t{0}, std::size_t{50}), sent).get() ==
           words(sent.begin(), sent.begin() + 50)));
    CHECK((local->map_reduce<doubled, sums>(elements).get() == sums(expected)));
    CHECK(local->call<values_there>(sent).get() >= 1);  // it does go through the bucket
  }
  CHECK(bucket.keys().empty());
  bucket.check_clean();
}

TEST_CASE("a value in a bucket stays as long as its call may be tried again, and goes then", "[.server][run]") {
  const bucket_to_try bucket;
  cluster local(through(bucket));
  const scratch folder;
  const words sent = make(1, 3000);
  CHECK(local->call<dies_once>(sent, folder / "dies").get() == sum(sent));
  wait_until([&] { return bucket.keys().empty(); });
}

TEST_CASE("a value larger than a part goes through a bucket", "[.server][run]") {
  const bucket_to_try bucket;
  cluster local(through(bucket));
  const words sent = make(1, 2'000'000);  // 16 MB
  CHECK((local->call<doubled>(sent).get() == doubled(sent)));
}

TEST_CASE("values go through the connection where the bucket is not there", "[.server][run]") {
  std::string gone;
  {
    const bucket_to_try bucket;
    gone = bucket.url();
  }
  options settings;
  settings.store = gone;
  settings.store_threshold = 1000;
  cluster local(settings);
  const words sent = make(7, 5000);
  CHECK((local->call<doubled>(sent).get() == doubled(sent)));
}

TEST_CASE("temporary objects in a bucket go at the end of the run, and others stay", "[.server][run]") {
  const bucket_to_try bucket;
  {
    cluster local(through(bucket));
    const auto keep = [](int size) {
      const store objects = this_call().store();
      sync_wait(objects.put("result", "stays"));
      return sync_wait(objects.put_temporary(std::string(static_cast<std::size_t>(size), 'x')));
    };
    const object_ref kept = local->call(keep, 5000).get();
    CHECK(sync_wait(local->store().get_text(kept)) == std::string(5000, 'x'));
    CHECK(bucket.keys().size() == 2);
  }
  CHECK(bucket.keys() == std::vector<std::string>{"result"});
}
