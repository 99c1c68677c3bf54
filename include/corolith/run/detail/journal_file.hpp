// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/bytes.hpp>
#include <corolith/core/detail/decl.hpp>
#include <corolith/core/unique_fd.hpp>
#include <corolith/run/detail/index_set.hpp>
#include <corolith/run/detail/journal_format.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace corolith {
inline namespace v0 {
namespace detail {

/// What a journal has of one batch.
struct journaled_batch {
  journal_batch known;
  std::shared_ptr<index_set> done = std::make_shared<index_set>();
  std::uint64_t begin = 0;  ///< of its first result's frame
  std::uint64_t end = 0;    ///< of its last result; 0: it has none
};

/// The file of a journal, locked against other programs. Reading is thread-safe; the rest is for one thread at a time.
class journal_file {
 public:
  /// Opens it, or makes it when it is not there (or holds no more than the beginning of a header). Reads it once and cuts what a crash has left
  /// at its end. Throws error{misuse} for a file that is no journal, is of another program, of another version, or in use.
  COROLITH_DECL journal_file(std::string path, const wire::sha256_bytes& program, journal_program description);

  const std::string& path() const noexcept { return path_; }
  const std::vector<journaled_batch>& batches() const noexcept { return batches_; }
  const std::vector<std::shared_ptr<const std::string>>& hosts() const noexcept { return hosts_; }
  /// Bytes that were cut when it was opened.
  std::uint64_t cut() const noexcept { return cut_; }
  std::uint64_t size() const noexcept { return end_; }

  /// The records between two offsets. The file has to outlive the reader.
  COROLITH_DECL journal_reader read_records(std::uint64_t begin = 0, std::uint64_t end = ~std::uint64_t{0}) const;

  /// Adds a record to the group that `commit` makes part of the journal. Both throw std::system_error when there is no room, or for
  /// another failure of the file; the journal then ends where the last group did.
  COROLITH_DECL void add(journal_kind kind, byte_span head, byte_span rest = {});
  COROLITH_DECL void commit();
  /// What was committed is on the disk when it returns. Throws std::system_error.
  COROLITH_DECL void sync();
  /// Makes it what it was when it was opened.
  COROLITH_DECL void roll_back();

 private:
  COROLITH_DECL std::size_t read(std::uint64_t offset, mutable_byte_span into) const;
  COROLITH_DECL void lock();
  COROLITH_DECL void begin(const wire::sha256_bytes& program, const journal_program& description);
  COROLITH_DECL void check(const journal_header& header, const wire::sha256_bytes& program);
  COROLITH_DECL void scan();
  COROLITH_DECL bool learn(const journal_record& record, std::uint64_t begin, journal_reader& from);
  COROLITH_DECL void write(byte_span bytes);
  COROLITH_DECL void give_up_group() noexcept;

  const std::string path_;
  unique_fd file_;
  std::vector<journaled_batch> batches_;
  std::vector<std::shared_ptr<const std::string>> hosts_;
  std::uint64_t cut_ = 0;
  std::uint64_t opened_at_ = 0;  // how long it was when it was opened
  std::uint64_t end_ = 0;        // of the last group
  std::uint64_t written_ = 0;    // of the present group
  byte_buffer group_;
};

}  // namespace detail
}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/run/impl/journal_file.ipp>
#endif
