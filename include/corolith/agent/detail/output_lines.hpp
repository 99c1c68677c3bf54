// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/bytes.hpp>
#include <corolith/core/call_stats.hpp>

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>

namespace corolith {
inline namespace v0 {
namespace agent {
namespace detail {

/// How many bytes at the front of `text` are one valid UTF-8 sequence that may be shown: 1 to 4, or 0 for anything else
/// (broken or overlong sequences, surrogates, and the control characters of both sets).
inline std::size_t printable_sequence(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  if (first < 0x80) return (first >= 0x20 && first != 0x7f) || first == '\t' ? 1 : 0;
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xc0U) != 0x80) return 0;
  const unsigned second = byte(1);
  if (first == 0xc2 && second < 0xa0) return 0;                                        // C1 control characters
  if ((first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90)) return 0;  // overlong
  if ((first == 0xed && second >= 0xa0) || (first == 0xf4 && second >= 0x90)) return 0;
  return length;
}

/// A line that can be shown on a terminal and stored in a log: whatever is no printable UTF-8 becomes \xNN (or \r).
inline std::string escape_line(std::string_view raw) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  text.reserve(raw.size());
  while (!raw.empty()) {
    const std::size_t length = printable_sequence(raw);
    if (length != 0) {
      text.append(raw.substr(0, length));
      raw.remove_prefix(length);
      continue;
    }
    const auto byte = static_cast<unsigned char>(raw.front());
    if (byte == '\r')
      text += "\\r";
    else
      text.append({'\\', 'x', digits[byte >> 4U], digits[byte & 0xfU]});
    raw.remove_prefix(1);
  }
  return text;
}

/// Cuts a stream of bytes into lines. A line longer than the limit is handed out in pieces: nothing is lost, and memory is
/// bounded whatever a worker writes.
class line_splitter {
 public:
  explicit line_splitter(std::size_t longest = 8192) : longest_(longest) {}

  /// Calls `line(std::string&&)` for each line that `bytes` completes.
  template <class Line>
  void feed(byte_span bytes, Line&& line) {
    std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    while (!text.empty()) {
      const std::size_t room = longest_ - partial_.size();
      const std::size_t end = text.substr(0, room + 1).find('\n');
      if (end != std::string_view::npos) {
        partial_.append(text.substr(0, end));
        text.remove_prefix(end + 1);
        if (!partial_.empty() && partial_.back() == '\r') partial_.pop_back();
        emit(partial_.size(), line);
      } else if (text.size() > room) {
        partial_.append(text.substr(0, room));
        text.remove_prefix(room);
        emit(piece_end(), line);
      } else {
        partial_.append(text);
        text = {};
      }
    }
  }

  /// Hands out what came after the last newline, if anything did.
  template <class Line>
  void end(Line&& line) {
    if (!partial_.empty()) emit(partial_.size(), line);
  }

  bool in_line() const noexcept { return !partial_.empty(); }

 private:
  // Where to cut a full piece so that no UTF-8 sequence is torn.
  std::size_t piece_end() const noexcept {
    std::size_t cut = partial_.size();
    for (std::size_t back = 1; back <= 3 && back < partial_.size(); ++back) {
      const auto byte = static_cast<unsigned char>(partial_[partial_.size() - back]);
      if ((byte & 0xc0U) == 0x80) continue;
      const std::size_t length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
      if (length > back) cut = partial_.size() - back;
      break;
    }
    return cut;
  }

  template <class Line>
  void emit(std::size_t count, Line& line) {
    line(escape_line(std::string_view(partial_).substr(0, count)));
    partial_.erase(0, count);
  }

  std::size_t longest_;
  std::string partial_;
};

/// The last lines that a worker wrote to its standard error, each with the call that ran then. A failed call takes those
/// that are its own.
class line_tail {
 public:
  static constexpr std::size_t most_lines = 20;
  static constexpr std::size_t most_bytes_a_line = 1024;

  /// `turn` numbers the read in which the line was seen: results that came in one read cannot be told apart by time.
  void add(const call_id& id, std::uint64_t turn, std::string_view line) {
    if (lines_.size() == most_lines) lines_.pop_front();
    lines_.push_back({id, turn, std::string(line.substr(0, most_bytes_a_line))});
  }

  std::string of(const call_id& id, std::uint64_t turn) const {
    std::string text;
    for (const entry& line : lines_)
      if (line.id == id || line.turn == turn) append(text, line.text);
    return text;
  }

  std::string all() const {
    std::string text;
    for (const entry& line : lines_) append(text, line.text);
    return text;
  }

 private:
  struct entry {
    call_id id;
    std::uint64_t turn;
    std::string text;
  };
  static void append(std::string& text, const std::string& line) {
    if (!text.empty()) text += '\n';
    text += line;
  }

  std::deque<entry> lines_;
};

}  // namespace detail
}  // namespace agent
}  // namespace v0
}  // namespace corolith
