// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/unique_fd.hpp>
#include <corolith/uring/detail/operation.hpp>
#include <corolith/uring/detail/path_operations.hpp>
#include <corolith/uring/detail/transfer.hpp>
#include <corolith/uring/io_loop.hpp>
#include <corolith/uring/op_options.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

// Operations on files and pipes. All are awaited: `co_await read(io, fd, buffer, 0)`; see io_operation for what they
// share. What works on a file runs to its end once it has begun, whatever its timeout. A write to a pipe that nobody
// reads raises SIGPIPE, as the system's own does.
namespace corolith {
inline namespace v0 {
namespace uring {

/// An offset: where the descriptor stands, which then moves on; the only one for pipes.
inline constexpr std::uint64_t current_position = ~std::uint64_t{0};

/// Reads up to the size of `into` at an offset. Gives how many bytes; zero at the end of the file.
inline io_operation<detail::transfer<detail::op_kind::read, false>> read(io_loop& on, int fd, std::span<std::byte> into,
                                                                         std::uint64_t offset,
                                                                         op_options options = {}) {
  return {on, {fd, into.data(), into.size(), offset}, options};
}
/// Reads until `into` is full or the file ends. Gives how many bytes: fewer only at the end.
inline io_operation<detail::transfer<detail::op_kind::read, true>> read_all(io_loop& on, int fd,
                                                                            std::span<std::byte> into,
                                                                            std::uint64_t offset,
                                                                            op_options options = {}) {
  return {on, {fd, into.data(), into.size(), offset}, options};
}
/// Writes at least one byte of `from` at an offset. Gives how many.
inline io_operation<detail::transfer<detail::op_kind::write, false>> write(io_loop& on, int fd,
                                                                           std::span<const std::byte> from,
                                                                           std::uint64_t offset,
                                                                           op_options options = {}) {
  return {on, {fd, const_cast<std::byte*>(from.data()), from.size(), offset}, options};
}
/// Writes all of `from`. Gives its size.
inline io_operation<detail::transfer<detail::op_kind::write, true>> write_all(io_loop& on, int fd,
                                                                              std::span<const std::byte> from,
                                                                              std::uint64_t offset,
                                                                              op_options options = {}) {
  return {on, {fd, const_cast<std::byte*>(from.data()), from.size(), offset}, options};
}
/// Writes all of several buffers, one after the other. Gives their size together. The array is used up meanwhile.
inline io_operation<detail::gather<detail::op_kind::writev, true>> write_all(io_loop& on, int fd,
                                                                             std::span<::iovec> buffers,
                                                                             std::uint64_t offset,
                                                                             op_options options = {}) {
  return {on, {fd, buffers, offset}, options};
}

/// What is written to a file is on its medium afterwards; with `data_only` without what is not needed to read it again.
inline io_operation<detail::syncing> fsync(io_loop& on, int fd, bool data_only = false, op_options options = {}) {
  return {on, {fd, data_only}, options};
}
/// Closes a descriptor, in the background where that takes long. It is closed in any case, also when this throws or is
/// never awaited.
inline io_operation<detail::closing> close(io_loop& on, unique_fd fd, op_options options = {}) {
  return {on, detail::closing(std::move(fd)), options};
}
/// Moves bytes from one descriptor to another, one of which is a pipe, without copying them to this process. Gives how
/// many; zero at the end. `flags` are SPLICE_F_*.
inline io_operation<detail::splicing> splice(io_loop& on, int from, std::uint64_t from_offset, int to,
                                             std::uint64_t to_offset, std::size_t most, unsigned flags = 0,
                                             op_options options = {}) {
  return {on, {from, from_offset, to, to_offset, most, flags}, options};
}

/// Opens a file; `folder` may be AT_FDCWD. O_CLOEXEC is added to the flags.
inline io_operation<detail::opening> openat(io_loop& on, int folder, std::string path, int flags, ::mode_t mode = 0,
                                            op_options options = {}) {
  return {on, {folder, std::move(path), flags, mode}, options};
}
/// What is known of a file: `mask` of STATX_*. An empty path with AT_EMPTY_PATH means the descriptor `folder` itself.
inline io_operation<detail::looking_up> statx(io_loop& on, int folder, std::string path, int flags, unsigned mask,
                                              op_options options = {}) {
  return {on, {folder, std::move(path), flags, mask}, options};
}
/// Renames a file, replacing the one of that name unless `flags` (RENAME_*) say otherwise.
inline io_operation<detail::renaming> renameat(io_loop& on, int folder, std::string path, int to_folder,
                                               std::string to_path, unsigned flags = 0, op_options options = {}) {
  return {on, {folder, std::move(path), to_folder, std::move(to_path), flags}, options};
}
/// Removes a file, or with AT_REMOVEDIR an empty folder.
inline io_operation<detail::unlinking> unlinkat(io_loop& on, int folder, std::string path, int flags = 0,
                                                op_options options = {}) {
  return {on, {folder, std::move(path), flags}, options};
}
/// Makes a folder.
inline io_operation<detail::making_folder> mkdirat(io_loop& on, int folder, std::string path, ::mode_t mode,
                                                   op_options options = {}) {
  return {on, {folder, std::move(path), mode}, options};
}

}  // namespace uring
}  // namespace v0
}  // namespace corolith
