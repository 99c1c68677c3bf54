// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/random_name.hpp>
#include <corolith/coro/loop.hpp>
#include <corolith/s3/openssl.hpp>
#include <corolith/storage/detail/keys.hpp>
#include <corolith/storage/detail/text.hpp>
#include <corolith/storage/error.hpp>
#include <corolith/storage/location.hpp>
#include <corolith/storage/posix.hpp>
#include <corolith/storage/s3.hpp>
#include <corolith/storage/store.hpp>

#include <map>
#include <mutex>

namespace corolith {
inline namespace v0 {
namespace storage::detail {

inline std::shared_ptr<backend> make_backend(const location& where) {
  return where.scheme == location::kind::posix ? make_posix_backend(where) : make_s3_backend(where);
}

/// The backends of this process by URL, so that a thousand slices share one pool of connections.
class backend_table {
 public:
  std::shared_ptr<backend> find(const location& where, const std::string& url) {
    std::lock_guard lock(mutex_);
    if (const auto known = backends_.find(url); known != backends_.end()) return known->second;
    return backends_.emplace(url, make_backend(where)).first->second;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<backend>> backends_;
};

inline task<std::vector<std::byte>> read_ref(store from, object_ref what) {
  get_options how;
  how.when.if_match = what.etag;
  co_return co_await from.get(std::move(what.key), std::move(how));
}

inline task<bool> is_there(task<object_info> looked_up) {
  try {
    co_await std::move(looked_up);
    co_return true;
  } catch (const error& failure) {
    if (failure.code() != errc::not_found) throw;
  }
  co_return false;
}

inline task<std::size_t> remove_group(std::shared_ptr<backend> where, std::vector<std::string> keys) {
  const std::size_t count = keys.size();
  const std::vector<remove_result> left = co_await where->remove_many(std::move(keys));
  for (const remove_result& each : left)
    if (!each.removed())
      throw store_error(errc::storage, "cannot remove '" + each.key + "': " + each.code + " " + each.message, each.key);
  co_return count;
}

inline task<std::size_t> remove_listed(std::shared_ptr<backend> where, std::string prefix) {
  if (prefix.empty())
    throw store_error(errc::misuse, "remove_all needs a prefix: the whole store would be removed without one", prefix);
  constexpr std::size_t most = 1000;
  std::size_t removed = 0;
  for (;;) {  // a listing may not like that what it is about goes meanwhile
    std::vector<std::string> keys;
    {
      list_options what;
      what.prefix = prefix;
      generator<list_entry> listed = where->list(std::move(what));
      while (keys.size() < most) {
        std::optional<list_entry> entry = co_await listed.next();
        if (!entry) break;
        keys.push_back(std::move(entry->key));
      }
    }
    if (keys.empty()) co_return removed;
    removed += co_await remove_group(where, std::move(keys));
  }
}

inline task<object_ref> put_and_refer(store into, std::string key, object_source source) {
  co_await into.put(key, std::move(source));
  co_return co_await into.refer(std::move(key));
}

inline task<object_ref> look_up(store in, std::string key) {
  const object_info info = co_await in.head(key);
  object_ref made;
  made.url = in.url();
  made.key = std::move(key);
  made.size = info.size;
  made.etag = info.etag;
  co_return made;
}

}  // namespace storage::detail

COROLITH_DECL store store::open(std::string_view url) {
  s3::start_openssl();
  background_loop();  // the ends of both must come after that of the stores
  static storage::detail::backend_table table;
  const storage::location where = storage::location::parse(url);
  const std::string name = where.to_string();
  return store(table.find(where, name), name);
}

COROLITH_DECL store::store(std::shared_ptr<storage::backend> where, std::string url)
    : backend_(std::move(where)),
      url_(std::move(url)),
      temporary_prefix_(std::string(storage::detail::reserved_prefix) + random_name() + "/objects/") {
  if (!backend_) throw error(errc::misuse, "a store needs a backend");
}

COROLITH_DECL store store::with_temporary_prefix(std::string prefix) const {
  store other = *this;
  other.temporary_prefix_ = std::move(prefix);
  return other;
}

COROLITH_DECL task<std::vector<std::byte>> store::get_range(std::string key, std::uint64_t first,
                                                            std::uint64_t last) const {
  storage::get_options how;
  how.range.first = first;
  how.range.last = last;
  return backend_->get(std::move(key), std::move(how));
}

COROLITH_DECL task<std::string> store::get_text(std::string key, storage::get_options how) const {
  return storage::detail::as_text(backend_->get(std::move(key), std::move(how)));
}

COROLITH_DECL task<bool> store::exists(std::string key) const {
  return storage::detail::is_there(backend_->head(std::move(key)));
}

COROLITH_DECL task<std::size_t> store::remove_all(std::string prefix) const {
  return storage::detail::remove_listed(backend_, std::move(prefix));
}

COROLITH_DECL generator<storage::list_entry> store::list(std::string prefix, std::string delimiter) const {
  storage::list_options what;
  what.prefix = std::move(prefix);
  what.delimiter = std::move(delimiter);
  return backend_->list(std::move(what));
}

COROLITH_DECL task<object_ref> store::put_temporary(object_source source) const {
  return storage::detail::put_and_refer(*this, temporary_prefix_ + random_name(), std::move(source));
}

COROLITH_DECL task<object_ref> store::refer(std::string key) const {
  return storage::detail::look_up(*this, std::move(key));
}

COROLITH_DECL store store::home_of(const object_ref& what) const {
  if (what.url == url_) return *this;
  if (what.url.empty()) throw store_error(errc::misuse, "this object_ref refers to nothing", what.key);
  return open(what.url);
}

COROLITH_DECL task<std::vector<std::byte>> store::get(object_ref what) const {
  store from = home_of(what);
  return storage::detail::read_ref(std::move(from), std::move(what));
}

COROLITH_DECL task<std::string> store::get_text(object_ref what) const {
  return storage::detail::as_text(get(std::move(what)));
}

COROLITH_DECL generator<std::vector<std::byte>> store::stream(object_ref what) const {
  storage::get_options how;
  how.when.if_match = what.etag;
  return home_of(what).stream(std::move(what.key), std::move(how));
}

COROLITH_DECL task<void> store::remove(object_ref what) const { return home_of(what).remove(std::move(what.key)); }

COROLITH_DECL task<std::size_t> store::remove_temporary() const { return remove_all(temporary_prefix_); }

}  // namespace v0
}  // namespace corolith
