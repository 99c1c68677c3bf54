// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/s3/detail/dates.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>

namespace corolith::inline v0::s3::detail {

inline constexpr std::array<std::string_view, 12> month_names{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
inline constexpr std::array<std::string_view, 7> weekday_names{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

/// Takes a text apart from its beginning. Once something is not as expected, it stays failed.
class date_reader {
 public:
  explicit date_reader(std::string_view text) noexcept : rest_(text) {}
  bool good() const noexcept { return good_; }
  bool at_end() const noexcept { return rest_.empty(); }
  char peek() const noexcept { return rest_.empty() ? '\0' : rest_.front(); }

  bool skip(char expected) noexcept {
    if (peek() != expected) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void expect(std::string_view text) noexcept {
    good_ = good_ && rest_.starts_with(text);
    if (good_) rest_.remove_prefix(text.size());
  }
  int number(std::size_t digits) noexcept {
    int value = 0;
    for (; digits != 0; --digits) {
      good_ = good_ && peek() >= '0' && peek() <= '9';
      if (!good_) return 0;
      value = 10 * value + (rest_.front() - '0');
      rest_.remove_prefix(1);
    }
    return value;
  }
  template <std::size_t N>
  unsigned name(const std::array<std::string_view, N>& names) noexcept {
    const auto found = std::find(names.begin(), names.end(), rest_.substr(0, 3));
    good_ = good_ && found != names.end();
    if (good_) rest_.remove_prefix(3);
    return static_cast<unsigned>(found - names.begin());
  }

 private:
  std::string_view rest_;
  bool good_ = true;
};

struct date_parts {
  int year = 0;
  unsigned month = 0, day = 0;
  int hour = 0, minute = 0, second = 0;
};

inline std::optional<time_point> join_date(const date_parts& parts) noexcept {
  using namespace std::chrono;
  const year_month_day day{year(parts.year), month(parts.month), std::chrono::day(parts.day)};
  // What the clock can hold ends in 2262.
  if (!day.ok() || parts.year < 1700 || parts.year > 2261) return std::nullopt;
  if (parts.hour > 23 || parts.minute > 59 || parts.second > 60) return std::nullopt;
  return time_point(sys_days(day)) + hours(parts.hour) + minutes(parts.minute) + seconds(parts.second);
}

inline date_parts split_date(time_point when) noexcept {
  using namespace std::chrono;
  const auto midnight = floor<days>(when);
  const year_month_day day(midnight);
  const hh_mm_ss time(floor<seconds>(when - midnight));
  return {static_cast<int>(day.year()),
          static_cast<unsigned>(day.month()),
          static_cast<unsigned>(day.day()),
          static_cast<int>(time.hours().count()),
          static_cast<int>(time.minutes().count()),
          static_cast<int>(time.seconds().count())};
}

COROLITH_DECL std::optional<time_point> parse_http_date(std::string_view text) noexcept {
  date_reader read(text);
  date_parts parts;
  read.name(weekday_names);
  read.expect(", ");
  parts.day = static_cast<unsigned>(read.number(2));
  read.expect(" ");
  parts.month = 1 + read.name(month_names);
  read.expect(" ");
  parts.year = read.number(4);
  read.expect(" ");
  parts.hour = read.number(2);
  read.expect(":");
  parts.minute = read.number(2);
  read.expect(":");
  parts.second = read.number(2);
  read.expect(" GMT");
  if (!read.good() || !read.at_end()) return std::nullopt;
  return join_date(parts);
}

COROLITH_DECL std::string format_http_date(time_point when) {
  const date_parts parts = split_date(when);
  const std::chrono::weekday weekday(std::chrono::floor<std::chrono::days>(when));
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", weekday_names[weekday.c_encoding()], parts.day,
                     month_names[parts.month - 1], parts.year, parts.hour, parts.minute, parts.second);
}

/// "Z", "+02:00", "-0730": how far the clock that wrote the date is before UTC.
inline std::chrono::minutes read_offset(date_reader& read) noexcept {
  if (read.skip('Z')) return std::chrono::minutes(0);
  const bool before = read.peek() == '-';
  if (!before) {
    read.expect("+");
  } else {
    read.skip('-');
  }
  const int hours = read.number(2);
  read.skip(':');
  const int minutes = 60 * hours + read.number(2);
  return std::chrono::minutes(before ? -minutes : minutes);
}

inline time_point::duration read_fraction(date_reader& read) noexcept {
  std::int64_t part = 0, unit = 1'000'000'000;
  const auto digit = [&] { return read.good() && read.peek() >= '0' && read.peek() <= '9'; };
  if (!digit()) static_cast<void>(read.number(1));
  while (digit()) {
    unit /= 10;
    part += unit * read.number(1);
  }
  return std::chrono::duration_cast<time_point::duration>(std::chrono::nanoseconds(part));
}

COROLITH_DECL std::optional<time_point> parse_iso_date(std::string_view text) noexcept {
  date_reader read(text);
  date_parts parts;
  parts.year = read.number(4);
  const bool separated = read.skip('-');
  parts.month = static_cast<unsigned>(read.number(2));
  if (separated) read.expect("-");
  parts.day = static_cast<unsigned>(read.number(2));
  read.expect("T");
  parts.hour = read.number(2);
  if (separated) read.expect(":");
  parts.minute = read.number(2);
  if (separated) read.expect(":");
  parts.second = read.number(2);
  const time_point::duration fraction = read.skip('.') ? read_fraction(read) : time_point::duration(0);
  const std::chrono::minutes offset = read_offset(read);
  if (!read.good() || !read.at_end()) return std::nullopt;
  auto when = join_date(parts);
  if (when) *when += fraction - offset;
  return when;
}

COROLITH_DECL std::string format_iso_date(time_point when) {
  const date_parts parts = split_date(when);
  const auto within = when - std::chrono::floor<std::chrono::seconds>(when);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", parts.year, parts.month, parts.day, parts.hour,
                     parts.minute, parts.second, std::chrono::floor<std::chrono::milliseconds>(within).count());
}

COROLITH_DECL std::string format_amz_date(time_point when) {
  const date_parts parts = split_date(when);
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", parts.year, parts.month, parts.day, parts.hour, parts.minute,
                     parts.second);
}

}  // namespace corolith::inline v0::s3::detail
