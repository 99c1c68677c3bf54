// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/log.hpp>
#include <corolith/coro/run_on.hpp>
#include <corolith/coro/this_task.hpp>
#include <corolith/coro/when_all.hpp>
#include <corolith/coro/when_any.hpp>
#include <corolith/s3/checksum.hpp>
#include <corolith/s3/detail/download.hpp>
#include <corolith/s3/detail/md5.hpp>
#include <corolith/s3/detail/object_headers.hpp>
#include <corolith/s3/detail/part_size.hpp>
#include <corolith/s3/detail/perform.hpp>
#include <corolith/s3/detail/reserved.hpp>
#include <corolith/s3/detail/shield.hpp>
#include <corolith/s3/detail/upload.hpp>
#include <corolith/s3/detail/xml.hpp>
#include <corolith/uring/files.hpp>

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <system_error>

namespace corolith::inline v0::s3::detail {

inline constexpr std::chrono::seconds time_to_take_back{10};  // an upload

inline void add_put_headers(request& what, const put_options& how) {
  add_object_headers(what.headers, how.headers);
  if (!how.storage_class.empty()) what.headers.add("x-amz-storage-class", how.storage_class);
}

inline void add_put_conditions(request& what, const conditions& when) {
  conditions sent;
  sent.if_match = when.if_match;
  sent.if_none_match = when.if_none_match;
  add_conditions(what.headers, sent);
}

inline put_result result_of(const http_response& head) {
  put_result made;
  made.etag = unquoted_etag(head.headers.value("etag"));
  made.version_id = head.headers.value("x-amz-version-id");
  return made;
}

/// The ETag that a server gives to what was put in parts, if it takes those of the parts for MD5s; else empty.
inline std::string etag_of_parts(const std::vector<part_info>& parts) {
  std::vector<std::byte> sums;
  for (const part_info& part : parts)
    if (!append_digest(sums, part.etag)) return {};
  return md5_hexadecimal(std::vector<byte_span>(1, sums)) + '-' + std::to_string(parts.size());
}

/// After a failure that may be of a request whose first try had worked, without our knowing: whether what is there is what was put.
inline task<std::optional<put_result>> made_before(lane* at, const put_target* target, std::string etag,
                                                   std::uint64_t size) {
  std::optional<put_result> made;
  try {
    get_options how;
    const object_info there = co_await head_object(at, target->bucket, target->key, std::move(how));
    if (there.size != size || etag.empty() || there.etag != etag) co_return made;
    made.emplace();
    made->etag = there.etag;
    made->version_id = there.version_id;
  } catch (const s3_error&) {  // the failure before is the one to tell of
  }
  co_return made;
}

COROLITH_DECL task<put_result> put_whole(lane* at, const put_target* target, std::vector<byte_span> content) {
  request what("put", "PUT", target->bucket, target->key);
  add_put_headers(what, target->how);
  add_put_conditions(what, target->how.when);
  what.body = std::move(content);
  what.is_object_data = true;
  what.checksum = target->how.checksum;
  attempts tries(*at, what);
  std::exception_ptr failed;
  try {
    const text_answer got = co_await perform_text(at, &what, &tries);
    co_return result_of(got.head);
  } catch (const s3_error& refused) {
    if (refused.code() != errc::precondition_failed || !tries.may_be_done()) throw;
    failed = std::current_exception();
  }
  std::optional<put_result> made = co_await made_before(at, target, md5_hexadecimal(what.body), what.body_size());
  if (!made) std::rethrow_exception(failed);
  co_return std::move(*made);
}

COROLITH_DECL task<std::string> begin_upload(lane* at, const put_target* target) {
  request what("begin upload", "POST", target->bucket, target->key);
  what.query.emplace_back("uploads", "");
  add_put_headers(what, target->how);
  if (target->how.checksum != checksum_kind::none)
    what.headers.add("x-amz-checksum-algorithm", std::string(checksum_name(target->how.checksum)));
  const text_answer got = co_await perform_text(at, &what);
  co_return parse_upload_id(got.body);
}

COROLITH_DECL task<part_info> put_part(lane* at, const upload* of, std::uint32_t number,
                                       std::vector<byte_span> content) {
  request what("put part " + std::to_string(number), "PUT", of->target->bucket, of->target->key);
  what.query.emplace_back("partNumber", std::to_string(number));
  what.query.emplace_back("uploadId", of->id);
  what.body = std::move(content);
  what.is_object_data = true;
  what.checksum = of->target->how.checksum;
  const text_answer got = co_await perform_text(at, &what);
  part_info made;
  made.number = number;
  made.etag = unquoted_etag(got.head.headers.value("etag"));
  made.size = what.body_size();
  made.checksums = checksums_of(got.head.headers);
  if (const std::string* sent = what.headers.find(checksum_header(what.checksum));
      sent && what.checksum != checksum_kind::none)
    made.checksums[what.checksum] = *sent;
  co_return made;
}

COROLITH_DECL task<put_result> end_upload(lane* at, const upload* of, std::vector<part_info> parts,
                                          std::uint64_t size) {
  request what("complete upload", "POST", of->target->bucket, of->target->key);
  what.query.emplace_back("uploadId", of->id);
  what.headers.add("content-type", "application/xml");
  add_put_conditions(what, of->target->how.when);
  const std::string document = compose_complete(parts);
  what.body.push_back(std::as_bytes(std::span(document)));
  attempts tries(*at, what);
  std::exception_ptr failed;
  put_result made;
  try {
    const text_answer got = co_await perform_text(at, &what, &tries);
    made = result_of(got.head);
    made.etag = parse_copy(got.body).etag;
  } catch (const s3_error& refused) {
    const bool may_be_made = refused.name() == "NoSuchUpload" || refused.code() == errc::precondition_failed;
    if (!may_be_made || !tries.may_be_done()) throw;
    failed = std::current_exception();
  }
  if (failed) {
    std::optional<put_result> before = co_await made_before(at, of->target, etag_of_parts(parts), size);
    if (!before) std::rethrow_exception(failed);
    made = std::move(*before);
  }
  if (made.etag.empty()) {
    get_options none;
    const object_info there = co_await head_object(at, of->target->bucket, of->target->key, std::move(none));
    made.etag = there.etag;
  }
  co_return made;
}

inline task<void> abort_now(lane* at, const upload* of) {
  request what("abort upload", "DELETE", of->target->bucket, of->target->key);
  what.query.emplace_back("uploadId", of->id);
  try {
    co_await perform_text(at, &what);
  } catch (const s3_error& refused) {
    if (refused.name() != "NoSuchUpload") throw;
  }
}

COROLITH_DECL task<void> take_back(lane* at, const upload* of) {
  co_await from_now_on(std::stop_token());
  std::string problem = "there was no answer in time";
  try {
    task<void> work = abort_now(at, of);
    const auto first = co_await when_any(std::move(work), sleep_for(time_to_take_back));
    if (first.index == 0) co_return;
  } catch (const std::exception& failure) {
    problem = failure.what();
  }
  log::warning("an upload in parts that failed could not be taken back, and costs money until it is: s3://" +
               of->target->bucket + '/' + of->target->key + ", upload " + of->id + ": " + problem);
}

// --- from memory and from files --------------------------------------------------------------------------------------

/// What is put in parts: memory, or a file of which parts are read when they are due.
struct part_source {
  byte_span bytes;
  int fd = -1;
  std::uint64_t size = 0;
  std::uint64_t part = 0;
};

[[noreturn]] inline void fail_put(const put_target& target, errc code, const std::string& message) {
  throw error_of(request("put", "PUT", target.bucket, target.key), code, message);
}

inline task<void> read_part(const put_target* target, lane* at, int fd, std::uint64_t offset, mutable_byte_span into) {
  const std::size_t got = co_await uring::read_all(at->loop, fd, into, offset);
  if (got != into.size()) fail_put(*target, errc::corrupted, "the file has become shorter while it was put");
}

inline task<void> put_parts(lane* at, const upload* of, const part_source* from, part_counter* next,
                            std::vector<part_info>* made) {
  while (const std::optional<std::uint64_t> index = next->take()) {
    const std::uint64_t begin = *index * from->part;
    const auto size = static_cast<std::size_t>(std::min(from->part, from->size - begin));
    reserved_buffer buffer;
    std::vector<byte_span> content;
    if (from->fd < 0) {
      content.push_back(from->bytes.subspan(static_cast<std::size_t>(begin), size));
    } else {
      buffer = co_await reserve_buffer(&at->core, size);
      const mutable_byte_span place = buffer.memory.span().first(size);
      co_await read_part(of->target, at, from->fd, begin, place);
      content.push_back(place);
    }
    part_info part = co_await put_part(at, of, static_cast<std::uint32_t>(*index + 1), std::move(content));
    (*made)[static_cast<std::size_t>(*index)] = std::move(part);
  }
}

inline task<put_result> put_all_parts(lane* at, const upload* of, const part_source* from) {
  const std::uint64_t count = (from->size + from->part - 1) / from->part;
  std::vector<part_info> made(static_cast<std::size_t>(count));
  part_counter next(0, count);
  std::vector<task<void>> all;
  const std::uint64_t workers = std::min<std::uint64_t>(count, at->core.breadth());
  for (std::uint64_t i = 0; i < workers; ++i) {
    lane& other = at->core.behind(*at, i);
    all.push_back(on_lane(&other, at, put_parts(&other, of, from, &next, &made)));
  }
  co_await when_all(std::move(all));
  co_return co_await end_upload(at, of, std::move(made), from->size);
}

inline task<put_result> put_in_parts(lane* at, const put_target* target, const part_source* from) {
  upload of{target, {}};
  of.id = co_await with_grace(begin_upload(at, target), time_to_begin);
  std::exception_ptr failed;
  try {
    co_return co_await put_all_parts(at, &of, from);
  } catch (...) {
    failed = std::current_exception();
  }
  co_await take_back(at, &of);
  std::rethrow_exception(failed);
}

inline std::uint64_t wanted_part(const client_core& core) {
  return std::max<std::uint64_t>(core.part_size(), smallest_part);
}

inline task<put_result> put_bytes(lane* at, const put_target* target, byte_span bytes) {
  if (bytes.size() <= wanted_part(at->core)) {
    std::vector<byte_span> content;
    if (!bytes.empty()) content.push_back(bytes);
    co_return co_await put_whole(at, target, std::move(content));
  }
  part_source from;
  from.bytes = bytes;
  from.size = bytes.size();
  from.part = part_size_for(from.size, wanted_part(at->core));
  co_return co_await put_in_parts(at, target, &from);
}

inline task<put_result> put_open_file(lane* at, const put_target* target, int fd, std::uint64_t size) {
  if (size <= wanted_part(at->core)) {
    const reserved_buffer buffer = co_await reserve_buffer(&at->core, static_cast<std::size_t>(size));
    const mutable_byte_span place = buffer.memory.span().first(static_cast<std::size_t>(size));
    co_await read_part(target, at, fd, 0, place);
    std::vector<byte_span> content;
    if (size != 0) content.push_back(place);
    co_return co_await put_whole(at, target, std::move(content));
  }
  part_source from;
  from.fd = fd;
  from.size = size;
  from.part = part_size_for(size, wanted_part(at->core));
  co_return co_await put_in_parts(at, target, &from);
}

/// What a pipe or a device gives.
inline object_source::byte_stream read_pipe(lane* at, unique_fd from) {
  constexpr std::size_t piece_size = std::size_t{1} << 20;
  for (;;) {
    std::vector<std::byte> piece(piece_size);
    const std::size_t got = co_await uring::read(at->loop, from.get(), piece, uring::current_position);
    if (got == 0) co_return;
    piece.resize(got);
    co_yield std::move(piece);
  }
}

COROLITH_DECL task<put_result> put_stream(core_ptr core, put_target target, object_source::byte_stream pieces);

inline task<put_result> put_named_file(core_ptr core, put_target target, std::string path) {
  lane& at = core->choose();
  unique_fd file = co_await uring::openat(at.loop, AT_FDCWD, path, O_RDONLY);
  const struct ::statx found =
      co_await uring::statx(at.loop, file.get(), std::string(), AT_EMPTY_PATH, STATX_SIZE | STATX_TYPE);
  if (S_ISDIR(found.stx_mode)) fail_put(target, errc::misuse, "cannot put " + path + ", which is a folder");
  if (!S_ISREG(found.stx_mode))
    co_return co_await put_stream(std::move(core), std::move(target), read_pipe(&at, std::move(file)));
  co_return co_await run_on(at.loop, put_open_file(&at, &target, file.get(), found.stx_size));
}

inline task<put_result> put_file(core_ptr core, put_target target, std::string path) {
  std::string problem;
  try {
    co_return co_await put_named_file(std::move(core), target, path);
  } catch (const std::system_error& failure) {
    problem = failure.what();
  }
  fail_put(target, errc::storage, "cannot read the file " + path + ": " + problem);
}

COROLITH_DECL task<put_result> put_object(core_ptr core, put_target target, object_source source) {
  if (source.stream() != nullptr)
    co_return co_await put_stream(std::move(core), std::move(target), std::move(*source.stream()));
  if (const from_file* file = source.file())
    co_return co_await put_file(std::move(core), std::move(target), file->path());
  const loop& home = co_await this_loop();
  lane* own = core->lane_of(home);
  lane* at = own != nullptr ? own : &core->choose();
  task<put_result> work = put_bytes(at, &target, *source.bytes());
  if (own != nullptr) co_return co_await std::move(work);
  co_return co_await run_on(at->loop, std::move(work));
}

}  // namespace corolith::inline v0::s3::detail
