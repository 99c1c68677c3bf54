// SPDX-License-Identifier: Apache-2.0
#include <corolith/agent/detail/output_lines.hpp>

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace corolith;
using namespace corolith::agent::detail;

namespace {

std::vector<std::string> lines_of(const std::vector<std::string>& parts, std::size_t longest = 8192) {
  line_splitter splitter(longest);
  std::vector<std::string> lines;
  const auto keep = [&](std::string&& line) { lines.push_back(std::move(line)); };
  for (const std::string& part : parts) splitter.feed(std::as_bytes(std::span(part)), keep);
  splitter.end(keep);
  return lines;
}

using strings = std::vector<std::string>;

}  // namespace

TEST_CASE("lines come out however the bytes come in", "[agent]") {
  CHECK(lines_of({"one\ntwo\n"}) == strings{"one", "two"});
  CHECK(lines_of({"on", "e\nt", "wo"}) == strings{"one", "two"});
  CHECK(lines_of({"\n\na\n"}) == strings{"", "", "a"});
  CHECK(lines_of({"dos\r\n"}) == strings{"dos"});
  CHECK(lines_of({""}).empty());
}

TEST_CASE("a long line is cut into pieces and nothing is lost", "[agent]") {
  CHECK(lines_of({"abcdefghij\nk\n"}, 4) == strings{"abcd", "efgh", "ij", "k"});
  CHECK(lines_of({"abcd\nefgh\n"}, 4) == strings{"abcd", "efgh"});
  std::string all;
  for (const std::string& piece : lines_of({std::string(100'000, 'x')})) {
    CHECK(piece.size() <= 8192);
    all += piece;
  }
  CHECK(all == std::string(100'000, 'x'));
}

TEST_CASE("a cut does not tear a character", "[agent]") {
  CHECK(lines_of({"abc\xc3\xa4xyz\n"}, 4) == strings{"abc", "\xc3\xa4xy", "z"});
  CHECK(lines_of({"a\xf0\x9f\x98\x80z\n"}, 4) == strings{"a", "\xf0\x9f\x98\x80", "z"});
  CHECK(lines_of({"\x80\x80\x80\x80\x80\x80\n"}, 4) == strings{"\\x80\\x80\\x80\\x80", "\\x80\\x80"});
}

TEST_CASE("what a terminal must not get is escaped", "[agent]") {
  CHECK(escape_line("plain text\twith tab") == "plain text\twith tab");
  CHECK(escape_line("\x1b[31mred") == "\\x1b[31mred");
  CHECK(escape_line(std::string("nul\0byte", 8)) == "nul\\x00byte");
  CHECK(escape_line("50%\r51%") == "50%\\r51%");
  CHECK(escape_line("gr\xc3\xbc\xc3\x9f") == "gr\xc3\xbc\xc3\x9f");
  CHECK(escape_line("\xff\xc3") == "\\xff\\xc3");
  CHECK(escape_line("\xc2\x9b") == "\\xc2\\x9b");           // C1: the one-character form of ESC [
  CHECK(escape_line("\xc0\xaf") == "\\xc0\\xaf");           // overlong
  CHECK(escape_line("\xed\xa0\x80") == "\\xed\\xa0\\x80");  // surrogate
  CHECK(escape_line("\xf4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");
  CHECK(escape_line("\x7f") == "\\x7f");
}

TEST_CASE("the tail keeps the last lines of a call", "[agent]") {
  line_tail tail;
  const call_id mine{1, 2, 1}, other{1, 1, 1};
  tail.add(other, 1, "not mine");
  tail.add(mine, 2, "mine");
  tail.add(other, 3, "seen together with the failure");
  CHECK(tail.of(mine, 3) == "mine\nseen together with the failure");
  CHECK(tail.all() == "not mine\nmine\nseen together with the failure");
  for (int i = 0; i < 100; ++i) tail.add(mine, 4, std::to_string(i));
  CHECK(tail.of(mine, 4).starts_with("80\n81\n"));
  tail.add(mine, 5, std::string(100'000, 'x'));
  CHECK(tail.of(mine, 5).size() < 2000);
}
