// SPDX-License-Identifier: Apache-2.0
// Objects in slices: by size, by number, at newlines. No byte is lost, none comes twice.
#include "support.hpp"

#include <random>

using namespace storage_test;

namespace {

slicing by_bytes(std::uint64_t bytes) {
  slicing how;
  how.bytes = bytes;
  return how;
}
slicing by_count(std::uint32_t count) {
  slicing how;
  how.count = count;
  return how;
}
slicing at_newlines(slicing how, char newline = '\n') {
  how.newline = newline;
  return how;
}

std::string text_of(const object_slice& slice) { return sync_wait(slice.read_text()); }

/// What all slices have together; each also streamed and read by lines.
std::string together(const std::vector<object_slice>& slices) {
  std::string all;
  for (const object_slice& each : slices) {
    const std::string text = text_of(each);
    CHECK(to_string(joined(each.stream())) == text);
    if (each.newline && !text.empty() && all.size() + text.size() < each.object_size)
      CHECK(text.back() == *each.newline);
    std::string lines;
    for (const std::string& line : gather(each.lines())) lines += line + each.newline.value_or('\n');
    if (!text.empty() && text.back() != each.newline.value_or('\n')) lines.pop_back();
    CHECK(lines == text);
    all += text;
  }
  return all;
}

/// Lines of random lengths, empty ones and very long ones among them.
std::string random_lines(std::size_t size, unsigned seed, bool newline_at_end) {
  std::mt19937 random(seed);
  std::string text;
  while (text.size() < size) {
    const unsigned kind = random() % 8;
    const std::size_t length = kind == 0 ? 0 : kind == 1 ? random() % 200 : random() % 20;
    for (std::size_t i = 0; i < length; ++i) text += static_cast<char>('a' + random() % 26);
    text += '\n';
  }
  if (!newline_at_end) text += "the end";
  return text;
}

}  // namespace

STORE_TEST_CASE("slices of a size: as many as fit, the last one with the rest") {
  put(objects, "digits", "0123456789");
  const auto slices = gather(objects.objects("digits", by_bytes(4)));
  REQUIRE(slices.size() == 3);
  CHECK(text_of(slices[0]) == "0123");
  CHECK(text_of(slices[1]) == "4567");
  CHECK(text_of(slices[2]) == "89");
  CHECK(slices[1].index == 1);
  CHECK(slices[1].count == 3);
  CHECK(slices[1].object_size == 10);
  CHECK(gather(objects.objects("digits", by_bytes(5))).size() == 2);
  CHECK(gather(objects.objects("digits", by_bytes(10))).size() == 1);
  CHECK(gather(objects.objects("digits", by_bytes(11))).size() == 1);
  CHECK(gather(objects.objects("digits", by_bytes(1))).size() == 10);
}

STORE_TEST_CASE("a number of slices: as many of each object, whatever its size") {
  put(objects, "a", "0123456789");
  put(objects, "b", "xy");
  put(objects, "c", "");
  const auto slices = gather(objects.objects("", by_count(3)));
  REQUIRE(slices.size() == 9);
  CHECK(text_of(slices[0]) == "0123");
  CHECK(text_of(slices[1]) == "456");
  CHECK(text_of(slices[2]) == "789");
  CHECK(text_of(slices[3]) == "x");
  CHECK(text_of(slices[4]) == "y");
  CHECK(text_of(slices[5]).empty());
  CHECK(text_of(slices[8]).empty());
}

STORE_TEST_CASE("every object gives a slice, in the order of keys or as they were given") {
  put(objects, "b", "bb");
  put(objects, "a", "");
  put(objects, "c/d", "cd");
  std::vector<std::string> found;
  for (const object_slice& each : gather(objects.objects(""))) found.push_back(each.key + "=" + text_of(each));
  CHECK(found == std::vector<std::string>{"a=", "b=bb", "c/d=cd"});
  found.clear();
  const std::vector<std::string> chosen = {"c/d", "b"};
  for (const object_slice& each : gather(objects.objects(chosen))) found.push_back(each.key + "=" + text_of(each));
  CHECK(found == std::vector<std::string>{"c/d=cd", "b=bb"});
  CHECK(gather(objects.objects("none of these")).empty());
  CHECK(gather(objects.objects(std::vector<std::string>())).empty());
  const std::vector<std::string> missing = {"b", "missing"};
  CHECK(code_of([&] { gather(objects.objects(missing)); }) == errc::not_found);
}

STORE_TEST_CASE("slices end at newlines, and no record is lost or cut") {
  put(objects, "lines", "one\ntwo\n\nfour and a long one\nfive");
  const std::string text = sync_wait(objects.get_text("lines"));
  for (std::uint64_t size = 1; size <= text.size() + 1; ++size) {
    const auto slices = gather(objects.objects("lines", at_newlines(by_bytes(size))));
    INFO(size);
    CHECK(slices.size() == (text.size() + size - 1) / size);
    CHECK(together(slices) == text);
  }
  for (std::uint32_t count = 1; count <= 40; ++count) {
    const auto slices = gather(objects.objects("lines", at_newlines(by_count(count))));
    INFO(count);
    CHECK(slices.size() == count);
    CHECK(together(slices) == text);
  }
}

STORE_TEST_CASE("any byte may end records") {
  put(objects, "data", "a;b\n;c;;d");
  const auto slices = gather(objects.objects("data", at_newlines(by_bytes(3), ';')));
  REQUIRE(slices.size() == 3);
  CHECK(together(slices) == "a;b\n;c;;d");
  CHECK(gather(slices[0].lines()) == std::vector<std::string>{"a", "b\n"});
}

STORE_TEST_CASE("random lines in random slices") {
  std::mt19937 random(7);
  for (unsigned seed = 0; seed < 12; ++seed) {
    const std::string text = random_lines(2000 + random() % 3000, seed, seed % 2 == 0);
    put(objects, "text", text);
    const std::uint64_t size = 1 + random() % 400;
    INFO("seed " << seed << ", slices of " << size);
    CHECK(together(gather(objects.objects("text", at_newlines(by_bytes(size))))) == text);
    CHECK(together(gather(objects.objects("text", by_bytes(size)))) == text);
  }
}

STORE_TEST_CASE("a record may be longer than a slice, and than what is read at once") {
  const std::string text = std::string(400'000, 'x') + "\n" + std::string(300'000, 'y') + "\nshort\n";
  put(objects, "text", text);
  const auto slices = gather(objects.objects("text", at_newlines(by_bytes(50'000))));
  CHECK(together(slices) == text);
  CHECK(text_of(slices[0]).size() == 400'001);
  CHECK(text_of(slices[1]).empty());
}

STORE_TEST_CASE("a large object in slices") {
  const std::string text = random_lines(12'000'000, 5, true);
  put(objects, "text", text);
  std::string all;
  for (const object_slice& each : gather(objects.objects("text", at_newlines(by_bytes(5'000'000)))))
    all += text_of(each);
  CHECK((all == text));
}

STORE_TEST_CASE("slices of an object that has changed are not read") {
  put(objects, "text", "first\nsecond\n");
  const auto slices = gather(objects.objects("text", at_newlines(by_bytes(6))));
  put(objects, "text", "other\nthings\n");
  for (const object_slice& each : slices) {
    CHECK(code_of([&] { sync_wait(each.read()); }) == errc::precondition_failed);
    CHECK(code_of([&] { joined(each.stream()); }) == errc::precondition_failed);
  }
  sync_wait(objects.remove("text"));
  CHECK(code_of([&] { sync_wait(slices[0].read()); }) == errc::not_found);
}

STORE_TEST_CASE("slicing by size and number at once is a mistake") {
  slicing both;
  both.bytes = 5;
  both.count = 5;
  CHECK(code_of([&] { gather(objects.objects("", both)); }) == errc::misuse);
}
