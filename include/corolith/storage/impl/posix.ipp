// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/coro/spawn.hpp>
#include <corolith/coro/this_task.hpp>
#include <corolith/storage/detail/directory.hpp>
#include <corolith/storage/detail/file_threads.hpp>
#include <corolith/storage/detail/keys.hpp>
#include <corolith/storage/detail/posix_files.hpp>
#include <corolith/storage/detail/posix_list.hpp>
#include <corolith/storage/detail/traffic_counter.hpp>
#include <corolith/storage/error.hpp>
#include <corolith/storage/posix.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <optional>
#include <utility>

namespace corolith::inline v0::storage {
namespace detail {

inline constexpr std::size_t piece_size = std::size_t{4} << 20;  // of a stream
inline constexpr std::size_t pieces_ahead = 3;

inline void refuse_put_options(const put_options& how, const std::string& key) {
  const auto refuse = [&](const char* what) {
    throw store_error(errc::storage, "a directory store cannot put the object '" + key + "' with " + what, key);
  };
  if (!how.storage_class.empty()) refuse("a storage class");
  if (how.checksum != s3::checksum_kind::none) refuse("a checksum");
  if (!how.when.if_match.empty())
    refuse("the condition if_match: nothing replaces a file only if it is still the same");
  if (!how.when.if_none_match.empty() && how.when.if_none_match != "*") refuse("an if_none_match other than \"*\"");
}

/// What objects of one directory have in common.
struct posix_state {
  directory where;
  bool sync = false;
  std::unique_ptr<traffic_counter> moved = std::make_unique<traffic_counter>();
};
using posix_ptr = std::shared_ptr<const posix_state>;

inline std::shared_ptr<unfinished_file> begin_put(const posix_state& state, const std::string& key) {
  check_path_key(key);
  return std::make_shared<unfinished_file>(state.where.open_parent(key, true), name_of(key), key, state.moved->sent);
}

inline put_result end_put(const posix_state& state, unfinished_file& file, const put_options& how) {
  file.set_headers(how.headers);
  put_result made;
  made.etag = file.finish(how.when.if_none_match == "*", state.sync);
  return made;
}

inline task<put_result> put_stream(posix_ptr state, std::string key, object_source source, put_options how) {
  const auto file = co_await on_file_thread([&state, &key](const std::stop_token&) { return begin_put(*state, key); });
  object_source::byte_stream& pieces = *source.stream();
  while (std::optional<std::vector<std::byte>> piece = co_await pieces.next())
    co_await on_file_thread([&file, &piece](const std::stop_token& stop) { file->write(*piece, stop); });
  co_return co_await on_file_thread(
      [&state, &file, &how](const std::stop_token&) { return end_put(*state, *file, how); });
}

inline task<put_result> put_object(posix_ptr state, std::string key, object_source source, put_options how) {
  refuse_put_options(how, key);
  if (source.stream() != nullptr)
    co_return co_await put_stream(std::move(state), std::move(key), std::move(source), std::move(how));
  co_return co_await on_file_thread([&](const std::stop_token& stop) {
    if (const from_file* named = source.file()) {
      const unique_fd from = open_user_file(named->path());
      const auto file = begin_put(*state, key);
      file->append_all(from.get(), stop);
      return end_put(*state, *file, how);
    }
    const auto file = begin_put(*state, key);
    file->write(*source.bytes(), stop);
    return end_put(*state, *file, how);
  });
}

inline task<object_info> head_object(posix_ptr state, std::string key) {
  co_return co_await on_file_thread([&](const std::stop_token&) {
    const open_object found(state->where, key, get_options());
    object_info info = found.info();
    info.headers = headers_of(found.fd());
    return info;
  });
}

inline task<std::vector<std::byte>> get_object(posix_ptr state, std::string key, get_options how) {
  co_return co_await on_file_thread([&](const std::stop_token& stop) {
    const open_object found(state->where, key, how);
    std::vector<std::byte> bytes(found.size());
    found.read(bytes, found.begin(), state->moved->received, stop);
    return bytes;
  });
}

inline task<std::size_t> get_object_into(posix_ptr state, std::string key, mutable_byte_span place, get_options how) {
  co_return co_await on_file_thread([&](const std::stop_token& stop) {
    const open_object found(state->where, key, how);
    if (found.size() > place.size())
      throw store_error(errc::misuse,
                        "the object '" + key + "' gives " + std::to_string(found.size()) +
                            " bytes, and there is room for " + std::to_string(place.size()),
                        key);
    const auto size = static_cast<std::size_t>(found.size());
    found.read(place.first(size), found.begin(), state->moved->received, stop);
    return size;
  });
}

inline task<object_info> get_object_to_file(posix_ptr state, std::string key, std::string path, get_options how) {
  co_return co_await on_file_thread([&](const std::stop_token& stop) {
    const open_object found(state->where, key, how);
    const std::string folder = parent_of(path).empty() ? (path.starts_with('/') ? "/" : ".") : parent_of(path);
    unique_fd parent(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!parent)
      throw store_error(errc::storage, "cannot write to the folder " + folder + ": " + std::strerror(errno), key);
    unfinished_file file(std::move(parent), name_of(path), key, state->moved->received);
    file.append_file(found.fd(), found.begin(), found.size(), stop);
    file.finish(false, false);
    object_info info = found.info();
    info.headers = headers_of(found.fd());
    return info;
  });
}

inline task<std::vector<std::byte>> read_piece(posix_ptr state, std::shared_ptr<const open_object> from,
                                               std::uint64_t offset, std::size_t size) {
  co_return co_await on_file_thread([&](const std::stop_token& stop) {
    std::vector<std::byte> piece(size);
    from->read(piece, offset, state->moved->received, stop);
    return piece;
  });
}

// Pieces are read on the background loop, which outlives a consumer that goes away in the middle.
inline backend::byte_stream stream_object(posix_ptr state, std::string key, get_options how) {
  const std::shared_ptr<const open_object> from = co_await on_file_thread(
      [&](const std::stop_token&) { return std::make_shared<const open_object>(state->where, key, how); });
  std::uint64_t next = from->begin();
  const std::uint64_t end = from->begin() + from->size();
  std::deque<future<std::vector<std::byte>>> ahead;
  while (next != end || !ahead.empty()) {
    while (next != end && ahead.size() < pieces_ahead) {
      const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(end - next, piece_size));
      ahead.push_back(start(background_loop(), read_piece(state, from, next, size)));
      next += size;
    }
    future<std::vector<std::byte>> first = std::move(ahead.front());
    ahead.pop_front();
    std::vector<std::byte> piece = co_await first;
    co_yield std::move(piece);
  }
}

/// Removes one; returns errno, 0 also when there is none.
inline int remove_file(const posix_state& state, const std::string& key) {
  check_path_key(key);
  const unique_fd parent = state.where.open_parent(key, false);
  if (::unlinkat(parent.get(), name_of(key).c_str(), 0) == 0) return 0;
  return errno == ENOENT || errno == EISDIR ? 0 : errno;
}

inline task<void> remove_object(posix_ptr state, std::string key) {
  co_await on_file_thread([&](const std::stop_token&) {
    try {
      if (const int problem = remove_file(*state, key); problem != 0) fail_file(problem, "remove", key);
    } catch (const store_error& failure) {
      if (failure.code() != errc::not_found) throw;
    }
  });
}

inline task<std::vector<remove_result>> remove_objects(posix_ptr state, std::vector<std::string> keys) {
  co_return co_await on_file_thread([&](const std::stop_token& stop) {
    std::vector<remove_result> left;
    for (const std::string& key : keys) {
      check_stop(stop);
      try {
        if (const int problem = remove_file(*state, key); problem != 0) fail_file(problem, "remove", key);
      } catch (const store_error& failure) {
        if (failure.code() == errc::not_found) continue;
        remove_result bad;
        bad.key = key;
        bad.code = failure.code() == errc::access_denied ? "AccessDenied" : "InternalError";
        bad.message = failure.what();
        left.push_back(std::move(bad));
      }
    }
    return left;
  });
}

inline task<put_result> copy_object(posix_ptr state, std::string from, std::string to, copy_options how) {
  co_return co_await on_file_thread([&](const std::stop_token& stop) {
    get_options source;
    source.when = how.source_when;
    source.version_id = how.source_version_id;
    put_options target;
    target.storage_class = how.storage_class;
    refuse_put_options(target, to);
    const open_object found(state->where, from, source);
    target.headers = how.replace_headers ? how.headers : headers_of(found.fd());
    const auto file = begin_put(*state, to);
    file->append_file(found.fd(), 0, found.size(), stop);
    return end_put(*state, *file, target);
  });
}

inline task<void> check_directory(posix_ptr state) {
  co_await on_file_thread([&](const std::stop_token&) {
    state->where.open_root();
    if (::access(state->where.folder().c_str(), R_OK | X_OK) != 0)
      throw store_error(errc::access_denied, "the directory " + state->where.folder() + " of the store may not be read",
                        {});
  });
}

class posix_backend final : public backend {
 public:
  explicit posix_backend(posix_state state) : state_(std::make_shared<const posix_state>(std::move(state))) {}

  task<put_result> put(std::string key, object_source source, put_options how) override {
    return put_object(state_, std::move(key), std::move(source), std::move(how));
  }
  task<object_info> head(std::string key) override { return head_object(state_, std::move(key)); }
  task<std::vector<std::byte>> get(std::string key, get_options how) override {
    return get_object(state_, std::move(key), std::move(how));
  }
  task<std::size_t> get_into(std::string key, mutable_byte_span place, get_options how) override {
    return get_object_into(state_, std::move(key), place, std::move(how));
  }
  task<object_info> get_to_file(std::string key, std::string path, get_options how) override {
    return get_object_to_file(state_, std::move(key), std::move(path), std::move(how));
  }
  byte_stream stream(std::string key, get_options how) override {
    return stream_object(state_, std::move(key), std::move(how));
  }
  task<void> remove(std::string key) override { return remove_object(state_, std::move(key)); }
  task<std::vector<remove_result>> remove_many(std::vector<std::string> keys) override {
    return remove_objects(state_, std::move(keys));
  }
  task<put_result> copy(std::string from, std::string to, copy_options how) override {
    return copy_object(state_, std::move(from), std::move(to), std::move(how));
  }
  generator<list_entry> list(list_options what) override {
    return list_directory(std::shared_ptr<const directory>(state_, &state_->where), std::move(what));
  }
  task<void> check() override { return check_directory(state_); }
  traffic moved() const noexcept override {
    return {state_->moved->received.load(std::memory_order_relaxed),
            state_->moved->sent.load(std::memory_order_relaxed)};
  }

 private:
  posix_ptr state_;
};

}  // namespace detail

COROLITH_DECL std::shared_ptr<backend> make_posix_backend(const location& where) {
  bool sync = false, closed = false;
  for (const auto& [name, value] : where.options) {
    if (name != "sync" && name != "private")
      throw config_error("store '" + where.folder + "': there is no option '" + name +
                         "'; a directory has sync and private");
    if (value != "yes" && value != "no")
      throw config_error("store '" + where.folder + "': " + name + " is yes or no, not '" + value + "'");
    (name == "sync" ? sync : closed) = value == "yes";
  }
  return std::make_shared<detail::posix_backend>(detail::posix_state{detail::directory(where.folder, closed), sync});
}

}  // namespace corolith::inline v0::storage
