// SPDX-License-Identifier: Apache-2.0
// Listings: by a plain prefix, in the order of bytes, with and without a delimiter.
#include "support.hpp"

#include <algorithm>

using namespace storage_test;
using names = std::vector<std::string>;

STORE_TEST_CASE("a prefix is a plain string") {
  for (const char* key : {"foo.txt", "foo_bar/x", "foo/a", "foo/b/c", "fo", "bar"}) put(objects, key, key);
  CHECK(keys(objects, "foo") == names{"foo.txt", "foo/a", "foo/b/c", "foo_bar/x"});
  CHECK(keys(objects, "foo/") == names{"foo/a", "foo/b/c"});
  CHECK(keys(objects, "foo_") == names{"foo_bar/x"});
  CHECK(keys(objects, "foo/b/c") == names{"foo/b/c"});
  CHECK(keys(objects, "") == names{"bar", "fo", "foo.txt", "foo/a", "foo/b/c", "foo_bar/x"});
  for (const char* none : {"x", "foo/c", "foo/a/", "foo//", "/", "../", "foo/../bar", "bar/x"}) {
    INFO(none);
    CHECK(keys(objects, none).empty());
  }
}

STORE_TEST_CASE("nothing is listed where nothing is") {
  CHECK(keys(objects, "").empty());
  CHECK(keys(objects, "a/b").empty());
  put(objects, "a/b", "x");
  sync_wait(objects.remove("a/b"));
  CHECK(keys(objects, "").empty());
  CHECK(keys(objects, "", "/").empty());
}

STORE_TEST_CASE("a listing has sizes, ETags and times") {
  put(objects, "five", "12345");
  put(objects, "none", "");
  const auto found = gather(objects.list(""));
  REQUIRE(found.size() == 2);
  CHECK(found[0].size == 5);
  CHECK(found[1].size == 0);
  CHECK(found[0].etag == sync_wait(objects.head("five")).etag);
  CHECK(found[0].last_modified.has_value());
  CHECK(!found[0].is_prefix);
}

STORE_TEST_CASE("keys come in the order of their bytes") {
  names all = {"a", "a-b/c", "a.b", "a0/b", "aa", "B", "b/a-c", "b/a/c", "b/a0", "b/\xc3\xa9", "b/z"};
  for (const std::string& key : all) put(objects, key, "");
  std::sort(all.begin(), all.end());
  CHECK(keys(objects, "") == all);
}

STORE_TEST_CASE("a delimiter groups what lies below it") {
  for (const char* key : {"2026/01/a", "2026/01/b", "2026/02/a", "2026.txt", "readme", "x-1", "x-2"})
    put(objects, key, "");
  const auto top = gather(objects.list("", "/"));
  REQUIRE(top.size() == 5);
  CHECK(top[0].key == "2026.txt");
  CHECK(top[1].key == "2026/");
  CHECK(top[1].is_prefix);
  CHECK(!top[0].is_prefix);
  CHECK(keys(objects, "2026/", "/") == names{"2026/01/", "2026/02/"});
  CHECK(keys(objects, "2026/01/", "/") == names{"2026/01/a", "2026/01/b"});
  CHECK(keys(objects, "20", "/") == names{"2026.txt", "2026/"});
  CHECK(keys(objects, "", "-") == names{"2026.txt", "2026/01/a", "2026/01/b", "2026/02/a", "readme", "x-"});
}

STORE_TEST_CASE("a listing may begin behind a key") {
  for (const char* key : {"a", "b/1", "b/2", "c/1", "d"}) put(objects, key, "");
  const auto behind = [&](const char* start, const char* delimiter = "") {
    storage::list_options what;
    what.start_after = start;
    what.delimiter = delimiter;
    names found;
    for (const auto& entry : gather(objects.list(what))) found.push_back(entry.key);
    return found;
  };
  CHECK(behind("b/1") == names{"b/2", "c/1", "d"});
  CHECK(behind("b") == names{"b/1", "b/2", "c/1", "d"});
  CHECK(behind("b/9") == names{"c/1", "d"});
  CHECK(behind("d").empty());
  CHECK(behind("b/2", "/") == names{"c/", "d"});
}

STORE_TEST_CASE("a listing may be left in the middle") {
  for (int i = 0; i < 50; ++i) put(objects, "k" + std::to_string(i), "");
  generator<storage::list_entry> listed = objects.list("");
  CHECK(sync_wait(listed.next()).has_value());
}
