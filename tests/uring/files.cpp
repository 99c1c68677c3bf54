// SPDX-License-Identifier: Apache-2.0
#include "support.hpp"

#include <corolith/core/error.hpp>
#include <corolith/coro/spawn.hpp>
#include <corolith/coro/sync_wait.hpp>
#include <corolith/coro/task.hpp>
#include <corolith/uring/files.hpp>
#include <corolith/uring/io_thread.hpp>

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <stop_token>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace cl = corolith;
namespace ur = corolith::uring;
using namespace uring_test;

namespace {

cl::task<std::uint64_t> writes_file(ur::io_loop* io, std::string path, const std::vector<std::byte>* content) {
  const int flags = O_CREAT | O_TRUNC | O_WRONLY;
  cl::unique_fd file = co_await ur::openat(*io, AT_FDCWD, path, flags, 0644);
  std::span<const std::byte> all(*content);
  std::uint64_t at = co_await ur::write_all(*io, file.get(), all.first(all.size() / 2), 0);
  at += co_await ur::write_all(*io, file.get(), all.subspan(all.size() / 2), at);
  co_await ur::fsync(*io, file.get());
  co_await ur::fsync(*io, file.get(), true);
  co_await ur::close(*io, std::move(file));
  co_return at;
}

cl::task<std::vector<std::byte>> reads_file(ur::io_loop* io, std::string path) {
  cl::unique_fd file = co_await ur::openat(*io, AT_FDCWD, path, O_RDONLY);
  struct ::statx about = co_await ur::statx(*io, file.get(), "", AT_EMPTY_PATH, STATX_SIZE);
  std::vector<std::byte> content(about.stx_size + 100);
  const std::size_t got = co_await ur::read_all(*io, file.get(), std::span(content), 0);
  content.resize(got);
  std::byte beyond{};
  const std::size_t more = co_await ur::read(*io, file.get(), std::span(&beyond, 1), got);
  if (more != 0) throw std::runtime_error("there is more behind the end");
  co_return content;
}

cl::task<std::size_t> writes_pieces(ur::io_loop* io, std::string path, std::vector<std::string> pieces) {
  std::vector<::iovec> buffers;
  for (std::string& piece : pieces) buffers.push_back(::iovec{piece.data(), piece.size()});
  const int flags = O_CREAT | O_TRUNC | O_WRONLY;
  cl::unique_fd file = co_await ur::openat(*io, AT_FDCWD, path, flags, 0600);
  co_return co_await ur::write_all(*io, file.get(), std::span(buffers), 3);
}

cl::task<void> moves_about(ur::io_loop* io, std::string folder) {
  co_await ur::mkdirat(*io, AT_FDCWD, folder + "/a", 0755);
  cl::unique_fd inside = co_await ur::openat(*io, AT_FDCWD, folder + "/a", O_RDONLY | O_DIRECTORY);
  cl::unique_fd file = co_await ur::openat(*io, inside.get(), "one", O_CREAT | O_WRONLY, 0600);
  co_await ur::renameat(*io, inside.get(), "one", AT_FDCWD, folder + "/two");
  struct ::statx about = co_await ur::statx(*io, AT_FDCWD, folder + "/two", 0, STATX_MODE);
  if ((about.stx_mode & 0777) != 0600) throw std::runtime_error("another mode");
  co_await ur::unlinkat(*io, AT_FDCWD, folder + "/two");
  co_await ur::unlinkat(*io, AT_FDCWD, folder + "/a", AT_REMOVEDIR);
}

cl::task<std::error_code> opens_nothing(ur::io_loop* io, std::string path) {
  auto [failure, file] = co_await ur::openat(*io, AT_FDCWD, path, O_RDONLY).nothrow();
  co_return failure;
}

cl::task<std::error_code> removes_nothing(ur::io_loop* io, std::string path) {
  co_return co_await ur::unlinkat(*io, AT_FDCWD, path).nothrow();
}

cl::task<int> close_on_exec(ur::io_loop* io) {
  cl::unique_fd file = co_await ur::openat(*io, AT_FDCWD, "/dev/null", O_RDONLY);
  co_return ::fcntl(file.get(), F_GETFD);
}

cl::task<std::size_t> through_pipe(ur::io_loop* io, std::string from, std::string to) {
  two_ends pipe = pipe_ends();
  cl::unique_fd source = co_await ur::openat(*io, AT_FDCWD, from, O_RDONLY);
  const int flags = O_CREAT | O_TRUNC | O_WRONLY;
  cl::unique_fd target = co_await ur::openat(*io, AT_FDCWD, to, flags, 0600);
  std::uint64_t at = 0;
  for (;;) {
    const std::size_t in = co_await ur::splice(*io, source.get(), at, pipe.b.get(), ur::current_position, 60'000);
    if (in == 0) co_return at;
    for (std::size_t left = in; left > 0;) {
      const std::size_t out = co_await ur::splice(*io, pipe.a.get(), ur::current_position, target.get(), at, left);
      left -= out;
      at += out;
    }
  }
}

cl::task<std::string> over_pipe(ur::io_loop* io, int read_end, int write_end, std::string text) {
  co_await ur::write_all(*io, write_end, bytes_of(text), ur::current_position);
  std::string back(text.size(), '\0');
  co_await ur::read_all(*io, read_end, room_in(back), ur::current_position);
  co_return back;
}

cl::task<void> writes_to_pipe(ur::io_loop* io, int fd, const std::vector<std::byte>* content) {
  co_await ur::write_all(*io, fd, std::span<const std::byte>(*content), ur::current_position);
}

cl::task<std::vector<std::byte>> reads_from(ur::io_loop* io, int fd, std::size_t size) {
  std::vector<std::byte> content(size);
  content.resize(co_await ur::read_all(*io, fd, std::span(content), ur::current_position));
  co_return content;
}

cl::task<bool> closes(ur::io_loop* io, int fd) {
  cl::unique_fd owned(fd);
  co_await ur::close(*io, std::move(owned));
  co_return ::fcntl(fd, F_GETFD) < 0;
}

std::string content_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

}  // namespace

TEST_CASE("files are written and read") {
  ur::io_thread io;
  temporary_folder folder;
  for (std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{5'000'001}}) {
    const std::vector<std::byte> content = pattern(size);
    REQUIRE(cl::start(io.loop(), writes_file(&io.loop(), folder / "file", &content)).get() == size);
    REQUIRE(std::filesystem::file_size(folder / "file") == size);
    REQUIRE(cl::start(io.loop(), reads_file(&io.loop(), folder / "file")).get() == content);
    REQUIRE(cl::sync_wait(reads_file(&io.loop(), folder / "file")) == content);
  }
}

TEST_CASE("many files at once") {
  ur::io_thread io;
  temporary_folder folder;
  std::vector<std::vector<std::byte>> contents;
  std::vector<cl::future<std::uint64_t>> written;
  for (std::uint32_t i = 0; i < 40; ++i) contents.push_back(pattern(100'000 + i, i));
  for (std::size_t i = 0; i < contents.size(); ++i)
    written.push_back(cl::start(io.loop(), writes_file(&io.loop(), folder / std::to_string(i), &contents[i])));
  for (std::size_t i = 0; i < contents.size(); ++i) REQUIRE(written[i].get() == contents[i].size());
  std::vector<cl::future<std::vector<std::byte>>> read;
  for (std::size_t i = 0; i < contents.size(); ++i)
    read.push_back(cl::start(io.loop(), reads_file(&io.loop(), folder / std::to_string(i))));
  for (std::size_t i = 0; i < contents.size(); ++i) REQUIRE(read[i].get() == contents[i]);
}

TEST_CASE("several buffers are written as one, from an offset on") {
  ur::io_thread io;
  temporary_folder folder;
  std::vector<std::string> pieces{"abc", "", std::string(100'000, 'x'), "z"};
  std::string expected(3, '\0');
  for (int i = 0; i < 2000; ++i) pieces.push_back(std::to_string(i));
  for (const std::string& piece : pieces) expected += piece;
  REQUIRE(cl::start(io.loop(), writes_pieces(&io.loop(), folder / "file", pieces)).get() == expected.size() - 3);
  REQUIRE(content_of(folder / "file") == expected);
}

TEST_CASE("folders are made, files renamed and removed") {
  ur::io_thread io;
  temporary_folder folder;
  cl::start(io.loop(), moves_about(&io.loop(), folder.path())).get();
  REQUIRE(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("errors of files") {
  ur::io_thread io;
  temporary_folder folder;
  REQUIRE(cl::sync_wait(opens_nothing(&io.loop(), folder / "nothing")) == std::errc::no_such_file_or_directory);
  REQUIRE(cl::sync_wait(removes_nothing(&io.loop(), folder / "nothing")) == std::errc::no_such_file_or_directory);
  REQUIRE_THROWS_AS(cl::sync_wait(reads_file(&io.loop(), folder / "nothing")), std::system_error);
  REQUIRE_THROWS_AS(cl::sync_wait(reads_file(&io.loop(), folder.path())), std::system_error);
}

TEST_CASE("what is opened is closed on exec, and closed when asked to") {
  ur::io_thread io;
  REQUIRE((cl::sync_wait(close_on_exec(&io.loop())) & FD_CLOEXEC) != 0);
  const std::size_t before = open_descriptors();
  REQUIRE(cl::sync_wait(closes(&io.loop(), ::open("/dev/null", O_RDONLY | O_CLOEXEC))));
  {
    auto never_awaited = ur::close(io.loop(), cl::unique_fd(::open("/dev/null", O_RDONLY | O_CLOEXEC)));
  }
  std::stop_source stop;
  stop.request_stop();
  const int left = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  REQUIRE_THROWS_AS(cl::sync_wait(closes(&io.loop(), left), stop.get_token()), cl::cancelled);
  // Threads of the fallback hold none of their own.
  REQUIRE(open_descriptors() == before);
}

TEST_CASE("bytes are spliced from a file through a pipe to a file") {
  ur::io_thread io;
  temporary_folder folder;
  const std::vector<std::byte> content = pattern(1'000'003);
  REQUIRE(cl::sync_wait(writes_file(&io.loop(), folder / "from", &content)) == content.size());
  REQUIRE(cl::start(io.loop(), through_pipe(&io.loop(), folder / "from", folder / "to")).get() == content.size());
  REQUIRE(cl::sync_wait(reads_file(&io.loop(), folder / "to")) == content);
}

TEST_CASE("pipes are read and written, more than they hold") {
  ur::io_thread io;
  two_ends pipe = pipe_ends();
  REQUIRE(cl::sync_wait(over_pipe(&io.loop(), pipe.a.get(), pipe.b.get(), "through a pipe")) == "through a pipe");
  const std::vector<std::byte> content = pattern(3'000'000);
  auto writing = cl::start(io.loop(), writes_to_pipe(&io.loop(), pipe.b.get(), &content));
  REQUIRE(cl::start(io.loop(), reads_from(&io.loop(), pipe.a.get(), content.size())).get() == content);
  writing.get();
  pipe.b = cl::unique_fd();
  REQUIRE(cl::start(io.loop(), reads_from(&io.loop(), pipe.a.get(), 10)).get().empty());
}
