// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/bytes.hpp>
#include <corolith/core/detail/decl.hpp>
#include <corolith/coro/generator.hpp>
#include <corolith/coro/task.hpp>
#include <corolith/s3/checksum.hpp>
#include <corolith/s3/detail/client_core.hpp>
#include <corolith/s3/detail/perform.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// Objects come in ranges, each by a GET. The first one asks for as much as a part has, so that small objects take one request; its answer says
// how long the object is and which ETag all other answers must have.
namespace corolith::inline v0::s3::detail {

/// The body of an answer, and which bytes of the object are still to come in it.
struct open_body {
  answer got;
  std::uint64_t next = 0;
  std::uint64_t end = 0;  ///< behind the last
};

/// A GET of one object, or of a range of it, as far as it is known.
class download {
 public:
  download(lane* at, std::string bucket, std::string key, get_options how)
      : home_(at), bucket_(std::move(bucket)), key_(std::move(key)), how_(std::move(how)) {}
  download(const download&) = delete;
  download& operator=(const download&) = delete;

  /// Sends the first request; what was asked for is known then. `most`: bytes that this request asks for. Nothing is given for no bytes.
  COROLITH_DECL task<std::optional<open_body>> begin(std::uint64_t most);

  /// The bytes that were asked for, in the object.
  std::uint64_t first() const noexcept { return first_; }
  std::uint64_t size() const noexcept { return size_; }
  const object_info& info() const noexcept { return info_; }
  lane& home() const noexcept { return *home_; }
  /// Whether the server gives parts of the object. If not, the first answer is the only one.
  bool in_parts() const noexcept { return in_parts_; }

  /// Fills `place` with what is in the object from `offset` on. `body` may have an answer that comes to that; what it has behind it is
  /// left in there. A broken connection costs only what was not received yet. Any lane; several at once.
  COROLITH_DECL task<void> receive(lane* at, std::uint64_t offset, mutable_byte_span place,
                                   std::optional<open_body>* body) const;
  /// The same for all that was asked for, many parts at once. `place` is as large.
  COROLITH_DECL task<void> receive_all(std::optional<open_body> body, mutable_byte_span place) const;
  /// With `verify_checksum`: whether the whole object is in `place`, as far as the server has a checksum of the whole. Throws errc::corrupted.
  COROLITH_DECL void verify(byte_span place) const;
  COROLITH_DECL void verify(const std::vector<checksum>& found) const;
  COROLITH_DECL bool to_be_verified() const noexcept;
  [[noreturn]] COROLITH_DECL void fail(errc code, const std::string& message) const;

 private:
  request ranged(std::uint64_t from, std::uint64_t last) const;
  request plain() const;
  task<std::optional<open_body>> begin_without_range();
  std::optional<open_body> understand(answer got, std::optional<std::uint64_t> asked_first);
  open_body check(answer got, std::uint64_t from) const;
  task<void> find_size();

  lane* home_;
  std::string bucket_, key_;
  get_options how_;
  object_info info_;
  std::uint64_t first_ = 0;
  std::uint64_t size_ = 0;
  bool in_parts_ = true;
};

/// "bytes=10-19"
inline std::string range_text(std::uint64_t from, std::uint64_t last) {
  return "bytes=" + std::to_string(from) + '-' + std::to_string(last);
}

/// Which part of `many` comes next; shared by those who move them.
class part_counter {
 public:
  part_counter(std::uint64_t from, std::uint64_t many) noexcept : next_(from), end_(many) {}
  std::optional<std::uint64_t> take() noexcept {
    const std::uint64_t mine = next_.fetch_add(1, std::memory_order_relaxed);
    if (mine >= end_) return std::nullopt;
    return mine;
  }

 private:
  std::atomic<std::uint64_t> next_;
  const std::uint64_t end_;
};

// The verbs.
COROLITH_DECL task<std::vector<std::byte>> get_object(lane* at, std::string bucket, std::string key, get_options how);
COROLITH_DECL task<std::size_t> get_object_into(lane* at, std::string bucket, std::string key, mutable_byte_span place,
                                                get_options how);
COROLITH_DECL task<object_info> get_object_to_file(lane* at, std::string bucket, std::string key, std::string path,
                                                   get_options how);
/// On the loop of whoever asks for the pieces.
COROLITH_DECL generator<std::vector<std::byte>> stream_object(core_ptr core, std::string bucket, std::string key,
                                                              get_options how);
COROLITH_DECL task<object_info> head_object(lane* at, std::string bucket, std::string key, get_options how);

}  // namespace corolith::inline v0::s3::detail

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/s3/impl/download.ipp>
#include <corolith/s3/impl/download_file.ipp>
#include <corolith/s3/impl/download_stream.ipp>
#endif
