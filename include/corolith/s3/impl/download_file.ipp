// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/coro/when_all.hpp>
#include <corolith/s3/checksum.hpp>
#include <corolith/s3/detail/download.hpp>
#include <corolith/s3/detail/reserved.hpp>
#include <corolith/s3/detail/unfinished_file.hpp>
#include <corolith/uring/files.hpp>

#include <algorithm>
#include <system_error>

namespace corolith::inline v0::s3::detail {

/// A download into a file: what those who move its parts share.
struct file_download {
  const download* of;
  int fd;
  std::uint64_t from;  ///< where the parts of `parts` begin
  part_counter* parts;
};

/// Receives `size` bytes from `offset` on into the buffer, and writes them where they belong.
inline task<void> receive_to_file(const file_download* into, lane* at, std::uint64_t offset, std::size_t size,
                                  mutable_byte_span buffer, std::optional<open_body>* body) {
  const mutable_byte_span used = buffer.first(size);
  co_await into->of->receive(at, offset, used, body);
  co_await uring::write_all(at->loop, into->fd, used, offset - into->of->first());
}

inline task<void> file_parts(const file_download* into, lane* at) {
  const std::uint64_t part = at->core.part_size();
  const std::uint64_t end = into->of->first() + into->of->size();
  while (const std::optional<std::uint64_t> index = into->parts->take()) {
    const reserved_buffer buffer = co_await reserve_buffer(&at->core, at->core.part_size());
    const std::uint64_t begin = into->from + *index * part;
    const auto size = static_cast<std::size_t>(std::min(part, end - begin));
    std::optional<open_body> none;
    co_await receive_to_file(into, at, begin, size, buffer.memory.span(), &none);
  }
}

/// What the first answer has, a buffer at a time.
inline task<void> file_begun(const file_download* into, lane* at, std::optional<open_body> body,
                             reserved_buffer buffer) {
  const std::uint64_t end = into->of->in_parts() ? into->from : into->of->first() + into->of->size();
  for (std::uint64_t next = into->of->first(); next < end;) {
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.memory.span().size(), end - next));
    co_await receive_to_file(into, at, next, size, buffer.memory.span(), &body);
    next += size;
  }
}

/// Reads the file again.
inline task<void> verify_file(const download* of, lane* at, int fd) {
  const reserved_buffer buffer = co_await reserve_buffer(&at->core, at->core.part_size());
  std::vector<checksum> sums;
  for (const auto& [kind, expected] : of->info().checksums) sums.emplace_back(kind);
  for (std::uint64_t next = 0; next < of->size();) {
    const std::size_t got = co_await uring::read_all(at->loop, fd, buffer.memory.span(), next);
    if (got == 0) of->fail(errc::corrupted, "the file has become shorter while it was written");
    for (checksum& sum : sums) sum.update(buffer.memory.span().first(got));
    next += got;
  }
  of->verify(sums);
}

inline task<void> fill_file(download* of, lane* at, int fd, std::optional<open_body> body, reserved_buffer buffer) {
  const std::uint64_t end = of->first() + of->size();
  const std::uint64_t begun = !of->in_parts() ? end : body ? std::min(body->end, end) : of->first();
  const std::uint64_t part = at->core.part_size();
  const std::uint64_t count = (end - begun + part - 1) / part;
  part_counter parts(0, count);
  const file_download into{of, fd, begun, &parts};
  std::vector<task<void>> all;
  all.push_back(file_begun(&into, at, std::move(body), std::move(buffer)));
  const std::uint64_t workers = std::min<std::uint64_t>(count, at->core.breadth());
  for (std::uint64_t i = 0; i < workers; ++i) {
    lane& other = at->core.behind(*at, i);
    all.push_back(on_lane(&other, at, file_parts(&into, &other)));
  }
  co_await when_all(std::move(all));
  if (of->to_be_verified()) co_await verify_file(of, at, fd);
}

inline task<object_info> download_to_file(download* of, lane* at, std::string path) {
  reserved_buffer buffer = co_await reserve_buffer(&at->core, at->core.part_size());
  std::optional<open_body> body = co_await of->begin(at->core.part_size());
  unfinished_file file = co_await unfinished_file::create(&at->loop, std::move(path));
  co_await fill_file(of, at, file.fd(), std::move(body), std::move(buffer));
  co_await file.finish(&at->loop);
  co_return of->info();
}

COROLITH_DECL task<object_info> get_object_to_file(lane* at, std::string bucket, std::string key, std::string path,
                                                   get_options how) {
  download of(at, std::move(bucket), std::move(key), std::move(how));
  std::string problem;
  try {
    co_return co_await download_to_file(&of, at, path);
  } catch (const std::system_error& failure) {
    problem = failure.what();
  }
  of.fail(errc::storage, "cannot write the file " + path + ": " + problem);
}

}  // namespace corolith::inline v0::s3::detail
