// SPDX-License-Identifier: Apache-2.0
// What a journal's file may hold. A letter says how it is made: 'f' all of it is the input, 'h' there is a right header before it, and 'b' the
// input is a row of kinds, sizes and bodies, which get right checksums, so that what is behind them is reached. The outcome is a journal
// (what does not belong to it is cut) or a refusal.
#include "../fuzz.hpp"

#include <corolith/core/error.hpp>
#include <corolith/core/log.hpp>
#include <corolith/run/detail/journal_file.hpp>

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <span>

using namespace corolith;
using namespace corolith::detail;

namespace {

constexpr wire::sha256_bytes program{1, 2, 3};

std::string framed(journal_kind kind, const std::string& body) {
  const byte_span bytes = std::as_bytes(std::span(body));
  const journal_frame frame = make_journal_frame(kind, bytes, {});
  return fuzz::text_of(bytes_of(frame)) + body;
}

std::string header() { return fuzz::text_of(bytes_of(make_journal_header(program))); }

std::string framed_all(byte_span input) {
  std::string text = header();
  while (!input.empty()) {
    const auto kind = static_cast<journal_kind>(fuzz::take_byte(input));
    const std::size_t asked = fuzz::take_byte(input);  // before the size is looked at
    const std::size_t size = std::min(asked, input.size());
    text += framed(kind, fuzz::text_of(input.first(size)));
    input = input.subspan(size);
  }
  return text;
}

void walk(const std::string& text) {
  journal_reader reader(
      [&](std::uint64_t offset, mutable_byte_span into) {
        const auto from = std::as_bytes(std::span(text)).subspan(std::min<std::uint64_t>(text.size(), offset));
        const std::size_t count = std::min(into.size(), from.size());
        std::copy_n(from.begin(), count, into.begin());
        return count;
      },
      std::min(text.size(), sizeof(journal_header)), text.size());
  std::uint64_t at = reader.at();
  while (const auto record = reader.next()) {
    fuzz::require(record->offset == at + sizeof(journal_frame) && record->end() == reader.at(),
                  "records follow each other");
    at = reader.at();
    fuzz::require(at <= text.size(), "records are in the file");
    const std::size_t head = record->kind == journal_kind::result ? sizeof(journal_result) : 0;
    fuzz::require(reader.body(*record).size() + head == record->size, "a body is all that is there");
  }
  fuzz::require(reader.at() == at, "the reader stays where there is no record");
}

// A file in memory: a million inputs should not go to a disk.
void open(const std::string& text) {
  static const int file = ::memfd_create("corolith-fuzz", 0);
  static const std::string path = "/proc/self/fd/" + std::to_string(file);
  fuzz::require(
      ::ftruncate(file, 0) == 0 && ::pwrite(file, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()),
      "the file can be written");
  std::uint64_t size = 0, results = 0;
  try {
    const journal_file read(path, program, {});
    size = read.size();
    fuzz::require(text.size() < sizeof(journal_header) || size + read.cut() == text.size() ||
                      text.size() == sizeof(journal_header),
                  "what is not cut is kept");
    for (const journaled_batch& each : read.batches()) results += each.done->count();
  } catch (const error& refused) {
    fuzz::require(refused.code() == errc::misuse && *refused.what() != 0, "a refusal says what is wrong");
    std::string after(text.size(), 0);
    fuzz::require(::pread(file, after.data(), after.size(), 0) == static_cast<ssize_t>(text.size()) && after == text,
                  "what is refused stays as it is");
    return;
  }
  const journal_file again(path, program, {});
  fuzz::require(again.cut() == 0 && again.size() == size, "what was cut once is right");
  for (const journaled_batch& each : again.batches()) results -= each.done->count();
  fuzz::require(results == 0, "it has the same results the second time");
}

void run(byte_span input) {
  corolith::log::set_level(corolith::log::level::off);
  const auto kind = static_cast<char>(fuzz::take_byte(input));
  std::string text = kind == 'b' ? framed_all(input) : fuzz::text_of(input);
  if (kind == 'h') text = header() + text;
  walk(text);
  open(text);
}

std::string piece(journal_kind kind, byte_span body) {
  return std::string{static_cast<char>(kind), static_cast<char>(body.size())} + fuzz::text_of(body);
}

std::vector<std::string> seeds() {
  const shared_bytes by = wire::pack(journal_program{"/usr/bin/app", "node1", 1});
  const shared_bytes batch = wire::pack(journal_batch{0, 1, "name", "int f(int)", {}});
  const shared_bytes host = wire::pack(journal_host{0, "node1"});
  journal_result result;
  result.index = 5;
  std::string value = fuzz::text_of(bytes_of(result)) + "value";
  const byte_span body = std::as_bytes(std::span(value));
  const std::string pieces = piece(journal_kind::program, by) + piece(journal_kind::batch, batch) +
                             piece(journal_kind::host, host) + piece(journal_kind::result, body);
  const std::string records = framed(journal_kind::program, fuzz::text_of(by)) +
                              framed(journal_kind::batch, fuzz::text_of(batch)) +
                              framed(journal_kind::host, fuzz::text_of(host)) + framed(journal_kind::result, value);
  return {"b" + pieces,       "b" + pieces + piece(journal_kind::result, body),
          "h" + records,      "f" + header() + records,
          "f" + header(),     "f",
          "fcorolith journal"};
}

}  // namespace

const fuzz::target fuzz::journal{"journal", run, seeds};
