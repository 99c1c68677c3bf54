// SPDX-License-Identifier: Apache-2.0
// What every store does with one object.
#include "support.hpp"

#include <corolith/coro/spawn.hpp>
#include <corolith/coro/when_all.hpp>
#include <corolith/storage/error.hpp>

#include <stop_token>

using namespace storage_test;

STORE_TEST_CASE("what was put is what is got") {
  put(objects, "greeting", "hello");
  CHECK(sync_wait(objects.get_text("greeting")) == "hello");
  put(objects, "greeting", "good bye");
  CHECK(to_string(sync_wait(objects.get("greeting"))) == "good bye");
  put(objects, "folders/need/not/be/made", "x");
  CHECK(sync_wait(objects.get_text("folders/need/not/be/made")) == "x");
}

STORE_TEST_CASE("an object without bytes is an object") {
  put(objects, "empty", "");
  CHECK(sync_wait(objects.get("empty")).empty());
  CHECK(sync_wait(objects.head("empty")).size == 0);
  CHECK(joined(objects.stream("empty")).empty());
}

STORE_TEST_CASE("keys may have any characters") {
  for (const char* key :
       {"with space", "per%20cent", "plus+and&and=and?", "\xc3\xa4\xc3\xb6/\xe6\x97\xa5\xe6\x9c\xac", "a'b\"c",
        "star*[x]", "..dots..", "-dash", "back\\slash", "semi;colon:comma,", "tilde~(x)!$@#"}) {
    INFO(key);
    put(objects, key, key);
    CHECK(sync_wait(objects.get_text(key)) == key);
    CHECK(keys(objects, key) == std::vector<std::string>{key});
    CHECK(sync_wait(objects.head(key)).size == std::string(key).size());
  }
}

STORE_TEST_CASE("bytes come from memory, from files and from generators") {
  const bytes data = noise(3'000'000, 1);
  sync_wait(objects.put("borrowed", data));
  bytes given = data;
  sync_wait(objects.put("given", std::move(given)));
  sync_wait(objects.put("span", byte_span(data).subspan(10, 100)));
  sync_wait(objects.put("shared", shared_bytes::copy(data)));
  CHECK(sync_wait(objects.get("borrowed")) == data);
  CHECK(sync_wait(objects.get("given")) == data);
  CHECK(sync_wait(objects.get("span")) == bytes(data.begin() + 10, data.begin() + 110));
  CHECK(sync_wait(objects.get("shared")) == data);

  const scratch folder;
  write_file(folder / "file", to_string(data));
  sync_wait(objects.put("file", from_file(folder / "file")));
  CHECK(sync_wait(objects.get("file")) == data);
  CHECK(code_of([&] { sync_wait(objects.put("file", from_file(folder / "missing"))); }) == errc::storage);
  CHECK(sync_wait(objects.get("file")) == data);

  std::vector<bytes> pieces;
  for (std::size_t at = 0; at < data.size(); at += 700'000)
    pieces.emplace_back(data.begin() + static_cast<std::ptrdiff_t>(at),
                        data.begin() + static_cast<std::ptrdiff_t>(std::min(data.size(), at + 700'000)));
  sync_wait(objects.put("stream", pieces_of(pieces)));
  CHECK(sync_wait(objects.get("stream")) == data);
  sync_wait(objects.put("no pieces", pieces_of({})));
  CHECK(sync_wait(objects.get("no pieces")).empty());
}

STORE_TEST_CASE("a stream gives all of an object, and one store's stream is another object's content") {
  const bytes data = noise(20'000'000, 2);
  sync_wait(objects.put("large", data));
  CHECK((joined(objects.stream("large")) == data));
  CHECK(gather(objects.stream("large")).size() > 1);
  sync_wait(objects.put("again", objects.stream("large")));
  CHECK((sync_wait(objects.get("again")) == data));
  CHECK(code_of([&] { joined(objects.stream("missing")); }) == errc::not_found);
}

namespace {
task<std::size_t> first_piece_only(store of) {
  generator<bytes> pieces = of.stream("large");
  const std::optional<bytes> first = co_await pieces.next();
  co_return first->size();
}
generator<bytes> broken() {
  bytes piece(1000);
  co_yield std::move(piece);
  throw std::domain_error("no more");
}
}  // namespace

STORE_TEST_CASE("a stream may be left in the middle") {
  sync_wait(objects.put("large", noise(30'000'000, 3)));
  for (int i = 0; i < 5; ++i) CHECK(sync_wait(first_piece_only(objects)) > 0);
}

STORE_TEST_CASE("a put whose source fails leaves the old object, or none") {
  CHECK_THROWS_AS(sync_wait(objects.put("new", broken())), std::domain_error);
  CHECK(!sync_wait(objects.exists("new")));
  put(objects, "old", "as it was");
  CHECK_THROWS_AS(sync_wait(objects.put("old", broken())), std::domain_error);
  CHECK(sync_wait(objects.get_text("old")) == "as it was");
  CHECK(keys(objects, "") == std::vector<std::string>{"old"});
}

STORE_TEST_CASE("ranges include both ends") {
  put(objects, "digits", "0123456789");
  CHECK(to_string(sync_wait(objects.get_range("digits", 1, 4))) == "1234");
  CHECK(to_string(sync_wait(objects.get_range("digits", 9, 9))) == "9");
  CHECK(to_string(sync_wait(objects.get_range("digits", 7, 100))) == "789");
  storage::get_options how;
  how.range.first = 6;
  CHECK(sync_wait(objects.get_text("digits", how)) == "6789");
  CHECK(to_string(joined(objects.stream("digits", how))) == "6789");
  how.range.first.reset();
  how.range.last = 3;
  CHECK(sync_wait(objects.get_text("digits", how)) == "789");
  CHECK(code_of([&] { sync_wait(objects.get_range("digits", 10, 12)); }) == errc::storage);
  CHECK(code_of([&] { sync_wait(objects.get_range("digits", 4, 1)); }) == errc::misuse);
}

STORE_TEST_CASE("an object goes into memory or a file of the caller's") {
  const bytes data = noise(100'000, 4);
  sync_wait(objects.put("data", data));
  bytes place(100'010);
  CHECK(sync_wait(objects.get_into("data", place)) == data.size());
  CHECK(std::equal(data.begin(), data.end(), place.begin()));
  CHECK(code_of([&] { sync_wait(objects.get_into("data", mutable_byte_span(place).first(99'999))); }) == errc::misuse);
  const scratch folder;
  CHECK(sync_wait(objects.get_to_file("data", folder / "copy")).size == data.size());
  CHECK(read_file(folder / "copy") == to_string(data));
  CHECK(code_of([&] { sync_wait(objects.get_to_file("missing", folder / "none")); }) == errc::not_found);
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
  CHECK(code_of([&] { sync_wait(objects.get_to_file("data", folder / "no/such/folder")); }) == errc::storage);
}

STORE_TEST_CASE("head tells size, time and ETag, which another content changes") {
  put(objects, "data", "12345");
  const storage::object_info info = sync_wait(objects.head("data"));
  CHECK(info.size == 5);
  REQUIRE(info.last_modified.has_value());
  CHECK(std::chrono::abs(*info.last_modified - std::chrono::system_clock::now()) < std::chrono::hours(1));
  CHECK(!info.etag.empty());
  CHECK(sync_wait(objects.head("data")).etag == info.etag);
  const std::string made = sync_wait(objects.put("data", "54321")).etag;
  CHECK(made == sync_wait(objects.head("data")).etag);
  CHECK(sync_wait(objects.head("data")).etag != info.etag);
}

STORE_TEST_CASE("content type and metadata come back") {
  storage::put_options how;
  how.headers.content_type = "text/csv";
  how.headers.metadata = {{"station", "Teide"}, {"run", "17"}};
  sync_wait(objects.put("data", "1,2", how));
  const storage::object_info info = sync_wait(objects.head("data"));
  CHECK(info.headers.content_type == "text/csv");
  CHECK(info.headers.metadata == how.headers.metadata);
  sync_wait(objects.copy("data", "copy"));
  CHECK(sync_wait(objects.head("copy")).headers.metadata == how.headers.metadata);
  put(objects, "data", "3,4");
  CHECK(sync_wait(objects.head("data")).headers.metadata.empty());
}

STORE_TEST_CASE("what is not there is a typed error") {
  CHECK(code_of([&] { sync_wait(objects.get("missing")); }) == errc::not_found);
  CHECK(code_of([&] { sync_wait(objects.head("no/such/key")); }) == errc::not_found);
  CHECK(code_of([&] { sync_wait(objects.copy("missing", "target")); }) == errc::not_found);
  CHECK(!sync_wait(objects.exists("missing")));
  put(objects, "there", "");
  CHECK(sync_wait(objects.exists("there")));
  put(objects, "folder/object", "");
  CHECK(!sync_wait(objects.exists("folder")));
  CHECK(code_of([&] { sync_wait(objects.get("folder")); }) == errc::not_found);
}

STORE_TEST_CASE("objects are removed, one or many, and it is no error when there are none") {
  for (const char* key : {"a", "b", "c/d", "c/e", "f"}) put(objects, key, "x");
  sync_wait(objects.remove("a"));
  sync_wait(objects.remove("a"));
  sync_wait(objects.remove("never/was"));
  CHECK(keys(objects, "") == std::vector<std::string>{"b", "c/d", "c/e", "f"});
  for (const auto& each : sync_wait(objects.remove_many({"b", "c/d", "missing"}))) CHECK(each.removed());
  CHECK(keys(objects, "") == std::vector<std::string>{"c/e", "f"});
  sync_wait(objects.remove("c"));
  CHECK(sync_wait(objects.remove_all("c/")) == 1);
  CHECK(sync_wait(objects.remove_all("c/")) == 0);
  CHECK(keys(objects, "") == std::vector<std::string>{"f"});
  CHECK(code_of([&] { sync_wait(objects.remove_all("")); }) == errc::misuse);
}

STORE_TEST_CASE("thousands of objects are removed by their prefix") {
  std::vector<task<storage::put_result>> puts;
  for (int i = 0; i < 1100; ++i) puts.push_back(objects.put("many/" + std::to_string(i), "x"));
  sync_wait(when_all(std::move(puts)));
  put(objects, "other", "x");
  CHECK(gather(objects.list("many/")).size() == 1100);
  CHECK(sync_wait(objects.remove_all("many/")) == 1100);
  CHECK(keys(objects, "") == std::vector<std::string>{"other"});
}

STORE_TEST_CASE("copies are objects of their own") {
  put(objects, "from", "content");
  sync_wait(objects.copy("from", "deep/to"));
  put(objects, "from", "changed");
  CHECK(sync_wait(objects.get_text("deep/to")) == "content");
}

STORE_TEST_CASE("conditions are kept") {
  storage::put_options only_new;
  only_new.when.if_none_match = "*";
  sync_wait(objects.put("once", "first", only_new));
  CHECK(code_of([&] { sync_wait(objects.put("once", "second", only_new)); }) == errc::precondition_failed);
  CHECK(sync_wait(objects.get_text("once")) == "first");

  storage::get_options same;
  same.when.if_match = sync_wait(objects.head("once")).etag;
  CHECK(sync_wait(objects.get_text("once", same)) == "first");
  put(objects, "once", "other");
  CHECK(code_of([&] { sync_wait(objects.get("once", same)); }) == errc::precondition_failed);
  CHECK(code_of([&] { joined(objects.stream("once", same)); }) == errc::precondition_failed);
  storage::get_options other;
  other.when.if_none_match = sync_wait(objects.head("once")).etag;
  CHECK(code_of([&] { sync_wait(objects.get("once", other)); }) == errc::precondition_failed);
}

STORE_TEST_CASE("bad keys are refused") {
  for (const std::string& key : {std::string(), std::string(1025, 'x'), std::string("zero\0byte", 9)}) {
    CHECK(code_of([&] { put(objects, key, "x"); }) == errc::misuse);
    CHECK(code_of([&] { sync_wait(objects.get(key)); }) == errc::misuse);
    CHECK(code_of([&] { sync_wait(objects.head(key)); }) == errc::misuse);
    CHECK(code_of([&] { sync_wait(objects.remove(key)); }) == errc::misuse);
  }
  CHECK(keys(objects, "").empty());
}

STORE_TEST_CASE("many tasks use a store at once") {
  std::vector<task<storage::put_result>> puts;
  for (std::uint64_t i = 0; i < 64; ++i)
    puts.push_back(objects.put("object " + std::to_string(i), noise(10'000 + 1000 * i, i)));
  sync_wait(when_all(std::move(puts)));
  std::vector<task<bytes>> gets;
  for (int i = 0; i < 64; ++i) gets.push_back(objects.get("object " + std::to_string(i)));
  const std::vector<bytes> all = sync_wait(when_all(std::move(gets)));
  for (std::uint64_t i = 0; i < 64; ++i) CHECK((all[i] == noise(10'000 + 1000 * i, i)));
}

STORE_TEST_CASE("a task that is asked to stop gives up what it does") {
  std::stop_source stop;
  stop.request_stop();
  put(objects, "there", "x");
  CHECK_THROWS_AS(sync_wait(objects.get("there"), stop.get_token()), cancelled);
  CHECK_THROWS_AS(sync_wait(objects.put("new", "x"), stop.get_token()), cancelled);
  CHECK(!sync_wait(objects.exists("new")));
}

STORE_TEST_CASE("a store counts the bytes that come and go") {
  const bytes data = noise(1'000'000, 7);
  const storage::traffic before = objects.moved();
  sync_wait(objects.put("counted", data));
  const storage::traffic sent = objects.moved();
  CHECK(sent.sent - before.sent == data.size());
  CHECK(sent.received == before.received);
  CHECK((sync_wait(objects.get("counted")) == data));
  CHECK((joined(objects.stream("counted")) == data));
  CHECK(objects.moved().received - sent.received == 2 * data.size());
}

STORE_TEST_CASE("a store can be checked") {
  put(objects, "something", "");
  sync_wait(objects.check());
}

STORE_TEST_CASE("references name an object and its content") {
  const object_ref ref = sync_wait(objects.put_temporary("intermediate"));
  CHECK(ref.size == 12);
  CHECK(ref.url == objects.url());
  CHECK(sync_wait(objects.get_text(ref)) == "intermediate");
  CHECK(sync_wait(store::open(ref.url).get_text(ref)) == "intermediate");
  CHECK(to_string(joined(objects.stream(ref))) == "intermediate");
  const object_ref other = sync_wait(objects.put_temporary(noise(100, 1)));
  CHECK(other.key != ref.key);
  CHECK(keys(objects, "").empty());  // they are nobody's business
  CHECK(keys(objects, objects.temporary_prefix()).size() == 2);
  sync_wait(objects.remove(other));
  CHECK(code_of([&] { sync_wait(objects.get(other)); }) == errc::not_found);
  CHECK(sync_wait(objects.remove_temporary()) == 1);
  CHECK(keys(objects, objects.temporary_prefix()).empty());

  put(objects, "named", "one");
  const object_ref named = sync_wait(objects.refer("named"));
  CHECK(sync_wait(objects.get_text(named)) == "one");
  put(objects, "named", "two");
  CHECK(code_of([&] { sync_wait(objects.get(named)); }) == errc::precondition_failed);
  CHECK(code_of([&] { sync_wait(objects.get(object_ref())); }) == errc::misuse);
}
