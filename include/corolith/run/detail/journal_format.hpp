// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/bytes.hpp>
#include <corolith/core/detail/decl.hpp>
#include <corolith/wire/messages.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

// A journal is a header and then records, one behind the other, each a frame and a body:
//
//     header   magic 16 | version 4 | size of the header 4 | program 32 | 0 4 | crc 4
//     frame    crc 4 | kind 4 | size of the body 8         the CRC32C is of all that follows it, frame and body
//
// It only grows. What a crash leaves at its end is known by its checksum, and everything from there on is cut.

namespace corolith {
inline namespace v0 {
namespace detail {

struct journal_header {
  static constexpr std::array<char, 16> right_magic{'c', 'o', 'r', 'o', 'l', 'i', 't', 'h',
                                                    ' ', 'j', 'o', 'u', 'r', 'n', 'a', 'l'};
  static constexpr std::uint32_t right_version = 1;

  std::array<char, 16> magic = right_magic;
  std::uint32_t version = right_version;
  std::uint32_t size = 64;
  wire::sha256_bytes program{};  ///< the program whose results these are
  std::uint32_t zero = 0;
  std::uint32_t crc = 0;  ///< CRC32C of what comes before it
};
static_assert(sizeof(journal_header) == 64);

enum class journal_kind : std::uint32_t { program = 1, batch = 2, host = 3, result = 4 };

struct journal_frame {
  std::uint32_t crc = 0;
  journal_kind kind{};
  std::uint64_t size = 0;
};
static_assert(sizeof(journal_frame) == 16);

/// The body of a `program` record: for people.
struct journal_program {
  std::string path;
  std::string host;
  std::int64_t created_ns = 0;  ///< system_clock
};

/// The body of a `batch` record: which batch the number is for.
struct journal_batch {
  std::uint32_t number = 0;     ///< in this file, from 0
  std::uint32_t ordinal = 0;    ///< among those of the same name, from 1
  std::string name;             ///< empty: the program gave none
  std::string function;         ///< for people
  wire::sha256_bytes digest{};  ///< of function and shared arguments
};

/// The body of a `host` record: which node the number is for.
struct journal_host {
  std::uint32_t number = 0;
  std::string name;
};

/// The first bytes of the body of a `result` record; the encoded value follows.
struct journal_result {
  std::uint32_t batch = 0;
  std::uint32_t index = 0;
  std::uint64_t element = 0;  ///< `element_hash` of the element whose result it is
  std::int32_t pid = 0;
  std::uint32_t attempt = 0;
  std::uint32_t host = 0;
  std::uint32_t zero = 0;
  std::int64_t submitted_ns = 0, sent_ns = 0, started_ns = 0, ended_ns = 0, received_ns = 0;
};
static_assert(sizeof(journal_result) == 72);

/// Tells the elements of a batch apart. No defence against who wants two to look the same.
COROLITH_DECL std::uint64_t element_hash(byte_span element) noexcept;

COROLITH_DECL journal_header make_journal_header(const wire::sha256_bytes& program) noexcept;
enum class header_state { right, torn, foreign };
/// What the first bytes of a file are: a header, the beginning of one (or nothing), or something else.
COROLITH_DECL header_state check_journal_header(byte_span bytes) noexcept;
/// The frame of a record whose body is `head` and then `rest`.
COROLITH_DECL journal_frame make_journal_frame(journal_kind kind, byte_span head, byte_span rest) noexcept;

/// Reads bytes at an offset and returns how many: fewer than asked for only at the end.
using journal_source = std::function<std::size_t(std::uint64_t offset, mutable_byte_span into)>;

/// A record that was found.
struct journal_record {
  journal_kind kind{};
  std::uint64_t offset = 0;  ///< of its body
  std::uint64_t size = 0;    ///< of its body
  journal_result result;     ///< of kind `result`

  std::uint64_t end() const noexcept { return offset + size; }
};

/// Goes from record to record in bounded memory.
class journal_reader {
 public:
  journal_reader(journal_source from, std::uint64_t begin, std::uint64_t end)
      : from_(std::move(from)), at_(begin), end_(end) {}

  /// The next record, if its checksum holds; nothing at the end and where there is no record. `at` then is where it would begin.
  COROLITH_DECL std::optional<journal_record> next();
  std::uint64_t at() const noexcept { return at_; }
  /// The body of a record; of a result, what comes after its head. Throws error{corrupted} when it cannot be read any more.
  COROLITH_DECL shared_bytes body(const journal_record& of);

 private:
  COROLITH_DECL byte_span look(std::uint64_t offset, std::uint64_t size);

  journal_source from_;
  std::uint64_t at_;
  std::uint64_t end_;
  byte_buffer buffer_;
  std::uint64_t buffered_ = 0;  // offset of what is in it
};

}  // namespace detail
}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/run/impl/journal_format.ipp>
#endif
