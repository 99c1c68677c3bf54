// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/agent/program_cache.hpp>
#include <corolith/core/error.hpp>
#include <corolith/core/log.hpp>
#include <corolith/run/detail/journal_file.hpp>

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace corolith {
inline namespace v0 {
namespace detail {

[[noreturn]] inline void refuse_journal(const std::string& path, const std::string& why) {
  throw error(errc::misuse, fmt::format("journal {}: {}", path, why));
}

COROLITH_DECL journal_file::journal_file(std::string path, const wire::sha256_bytes& program,
                                         journal_program description)
    : path_(std::move(path)), file_(::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600)) {
  if (!file_) refuse_journal(path_, fmt::format("cannot open it: {}", std::strerror(errno)));
  struct stat status{};
  if (::fstat(file_.get(), &status) != 0 || !S_ISREG(status.st_mode)) refuse_journal(path_, "it is no regular file");
  lock();
  end_ = static_cast<std::uint64_t>(status.st_size);
  std::array<std::byte, sizeof(journal_header) + 1> first{};
  const byte_span there = byte_span(first).first(read(0, first));
  switch (check_journal_header(there)) {
    case header_state::foreign:
      refuse_journal(path_, "this file is no journal, and is left as it is; name another one");
    case header_state::torn: begin(program, description); break;
    case header_state::right: {
      journal_header header;
      std::memcpy(&header, there.data(), sizeof header);
      check(header, program);
      scan();
    }
  }
  if (cut_ != 0)
    log::warning(fmt::format("journal {}: {} bytes at its end are incomplete, as a crash leaves them, and were cut",
                             path_, cut_));
  written_ = opened_at_ = end_;
}

// On NFS a lock of flock is one of fcntl, which other machines see.
COROLITH_DECL void journal_file::lock() {
  if (::flock(file_.get(), LOCK_EX | LOCK_NB) == 0) return;
  if (errno == EWOULDBLOCK)
    refuse_journal(path_, "another run writes to it at this moment; wait for its end, or name another file");
  log::warning(fmt::format("journal {}: cannot lock it ({}); take care that no two runs use it at once", path_,
                           std::strerror(errno)));
}

COROLITH_DECL void journal_file::begin(const wire::sha256_bytes& program, const journal_program& description) {
  const journal_header header = make_journal_header(program);
  written_ = end_ = 0;
  try {
    if (::ftruncate(file_.get(), 0) != 0) throw std::system_error(errno, std::generic_category());
    write(bytes_of(header));
    add(journal_kind::program, wire::pack(description));
    commit();
    sync();
    // So that the name is there after a crash, too. Not every file system can.
    const std::string folder = std::filesystem::absolute(path_).parent_path().string();
    if (const unique_fd open{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)}) ::fsync(open.get());
  } catch (const std::system_error& failure) {
    refuse_journal(path_, fmt::format("cannot write to it: {}", failure.code().message()));
  }
}

COROLITH_DECL void journal_file::check(const journal_header& header, const wire::sha256_bytes& program) {
  if (header.version != journal_header::right_version)
    refuse_journal(path_,
                   fmt::format("it has version {} of the format, and this program knows version {}; name another "
                               "file, or go on with the program that wrote it",
                               header.version, journal_header::right_version));
  if (header.program == program) return;
  journal_reader reader = read_records();
  std::string by = "a program of unknown path";
  if (const std::optional<journal_record> first = reader.next(); first && first->kind == journal_kind::program)
    by = wire::unpack<journal_program>(reader.body(*first)).path;
  refuse_journal(path_,
                 fmt::format("it holds results of another program, or of another build of this one ({}, SHA-256 "
                             "{:.12}...; this is {:.12}...). Go on with that one, or name another file, or remove "
                             "this one to compute all anew",
                             by, agent::to_hex(header.program), agent::to_hex(program)));
}

COROLITH_DECL journal_reader journal_file::read_records(std::uint64_t begin, std::uint64_t end) const {
  return {[this](std::uint64_t offset, mutable_byte_span into) { return read(offset, into); },
          std::max<std::uint64_t>(begin, sizeof(journal_header)), std::min(end, end_)};
}

COROLITH_DECL void journal_file::scan() {
  journal_reader reader = read_records();
  std::uint64_t good = reader.at();
  while (const std::optional<journal_record> record = reader.next()) {
    if (!learn(*record, good, reader)) break;
    good = reader.at();
  }
  cut_ = end_ - good;
  if (cut_ != 0 && ::ftruncate(file_.get(), static_cast<off_t>(good)) != 0)
    refuse_journal(path_, fmt::format("cannot cut its incomplete end: {}", std::strerror(errno)));
  end_ = good;
}

/// False for a record that no journal has at this place.
COROLITH_DECL bool journal_file::learn(const journal_record& record, std::uint64_t begin, journal_reader& from) {
  try {
    switch (record.kind) {
      case journal_kind::program: wire::unpack<journal_program>(from.body(record)); return true;
      case journal_kind::batch: {
        journaled_batch batch;
        batch.known = wire::unpack<journal_batch>(from.body(record));
        if (batch.known.number != batches_.size()) return false;
        batches_.push_back(std::move(batch));
        return true;
      }
      case journal_kind::host: {
        auto host = wire::unpack<journal_host>(from.body(record));
        if (host.number != hosts_.size()) return false;
        hosts_.push_back(std::make_shared<const std::string>(std::move(host.name)));
        return true;
      }
      case journal_kind::result: {
        const journal_result& result = record.result;
        if (result.batch >= batches_.size() || result.host >= hosts_.size()) return false;
        journaled_batch& batch = batches_[result.batch];
        if (!batch.done->insert(result.index)) return true;  // the first one counts
        if (batch.end == 0) batch.begin = begin;
        batch.end = record.end();
        return true;
      }
    }
  } catch (const codec_error&) {
  }
  return false;
}

COROLITH_DECL std::size_t journal_file::read(std::uint64_t offset, mutable_byte_span into) const {
  std::size_t count = 0;
  while (count < into.size()) {
    const ssize_t got =
        ::pread(file_.get(), into.data() + count, into.size() - count, static_cast<off_t>(offset + count));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) refuse_journal(path_, fmt::format("cannot read it: {}", std::strerror(errno)));
    if (got == 0) break;
    count += static_cast<std::size_t>(got);
  }
  return count;
}

COROLITH_DECL void journal_file::write(byte_span bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::pwrite(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(written_));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      const int reason = errno;
      give_up_group();
      throw std::system_error(reason, std::generic_category());
    }
    written_ += static_cast<std::uint64_t>(count);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
}

// What stays of it where this fails, too, is cut by whoever opens the journal next, or written over.
COROLITH_DECL void journal_file::give_up_group() noexcept {
  group_.clear();
  written_ = end_;
  if (::ftruncate(file_.get(), static_cast<off_t>(end_)) != 0) return;
}

COROLITH_DECL void journal_file::add(journal_kind kind, byte_span head, byte_span rest) {
  constexpr std::size_t large = std::size_t{64} << 10, most = std::size_t{1} << 20;
  const journal_frame frame = make_journal_frame(kind, head, rest);
  group_.append(bytes_of(frame));
  group_.append(head);
  if (rest.size() < large) {
    group_.append(rest);
    if (group_.size() < most) return;
    rest = {};
  }
  write(group_.span());
  group_.clear();
  write(rest);
}

COROLITH_DECL void journal_file::commit() {
  write(group_.span());
  group_.clear();
  end_ = written_;
}

COROLITH_DECL void journal_file::sync() {
  if (::fdatasync(file_.get()) != 0 && errno != EINVAL && errno != ENOSYS)
    throw std::system_error(errno, std::generic_category());
}

COROLITH_DECL void journal_file::roll_back() {
  end_ = opened_at_;
  give_up_group();
}

}  // namespace detail
}  // namespace v0
}  // namespace corolith
