// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/bytes.hpp>
#include <corolith/core/detail/decl.hpp>
#include <corolith/coro/generator.hpp>
#include <corolith/coro/task.hpp>
#include <corolith/storage/backend.hpp>
#include <corolith/storage/object_ref.hpp>
#include <corolith/storage/source.hpp>
#include <corolith/storage/types.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace corolith {
inline namespace v0 {

struct object_slice;

/// How objects are cut into slices: by size or by number; neither: one slice an object.
struct slicing {
  std::uint64_t bytes = 0;        ///< of a slice; the last one of an object has the rest
  std::uint32_t count = 0;        ///< slices of each object, which are empty where it has fewer bytes
  std::optional<char> newline{};  ///< slices end behind this byte, so that no record is cut
};

/// Objects by name, in a directory or a bucket; the verbs are those of S3. A cheap handle: copies share what is behind
/// them. All functions may be called from any thread; what they return starts when it is awaited, resumes at home, and is given up
/// when the awaiting task is asked to stop (`cancelled`).
///
/// Keys are plain strings of at most 1024 bytes. In a directory each is the path of a file below it; there a key cannot also be a folder of
/// others, and keys that would leave the directory are refused. Errors are store_error; their `code()` is errc::not_found
/// for what is not there, errc::access_denied, errc::precondition_failed, errc::misuse for a bad key.
class store {
 public:
  /// "posix:///folder", a path or "s3://bucket/prefix"; docs/storage.md lists the options. Nothing is looked at here: a folder is made by
  /// the first put, and a bucket has to be there. Throws config_error.
  COROLITH_DECL static store open(std::string_view url);
  /// Over a backend of one's own. `url` is what names it; processes that cannot `open` it cannot read its slices and references.
  COROLITH_DECL store(std::shared_ptr<storage::backend> where, std::string url);

  const std::string& url() const noexcept { return url_; }

  // Each verb with options also comes without, not with a default argument: g++ 12 miscompiles braces inside a co_await expression, default
  // arguments included. Give options a name first.

  /// Makes the object, or replaces it as a whole: readers see the old content or the new, never a part, and a put that fails leaves
  /// nothing. With `how.when.if_none_match = "*"` only if there is none (else errc::precondition_failed).
  task<storage::put_result> put(std::string key, object_source source, storage::put_options how) const {
    return backend_->put(std::move(key), std::move(source), std::move(how));
  }
  task<storage::put_result> put(std::string key, object_source source) const {
    return backend_->put(std::move(key), std::move(source), storage::put_options());
  }

  /// The whole object, or the range `how.range` of it, whose ends are both included.
  task<std::vector<std::byte>> get(std::string key, storage::get_options how) const {
    return backend_->get(std::move(key), std::move(how));
  }
  task<std::vector<std::byte>> get(std::string key) const { return get(std::move(key), storage::get_options()); }
  /// Bytes `first` to `last`, both included; fewer where the object ends before.
  COROLITH_DECL task<std::vector<std::byte>> get_range(std::string key, std::uint64_t first, std::uint64_t last) const;
  COROLITH_DECL task<std::string> get_text(std::string key, storage::get_options how) const;
  task<std::string> get_text(std::string key) const { return get_text(std::move(key), storage::get_options()); }
  /// Into memory that the caller has, which must live until the get has ended; returns how many bytes came. An object or range that does
  /// not fit is an error (errc::misuse).
  task<std::size_t> get_into(std::string key, mutable_byte_span place, storage::get_options how) const {
    return backend_->get_into(std::move(key), place, std::move(how));
  }
  task<std::size_t> get_into(std::string key, mutable_byte_span place) const {
    return get_into(std::move(key), place, storage::get_options());
  }
  /// Into a file, which is there as a whole or not at all.
  task<storage::object_info> get_to_file(std::string key, std::string path, storage::get_options how) const {
    return backend_->get_to_file(std::move(key), std::move(path), std::move(how));
  }
  task<storage::object_info> get_to_file(std::string key, std::string path) const {
    return get_to_file(std::move(key), std::move(path), storage::get_options());
  }
  /// The content in pieces, one after the other, while the next ones are being read: bounded memory for an object of any size. An object
  /// that is replaced meanwhile is read to its end as it was, or is an error (errc::precondition_failed), never a mixture.
  generator<std::vector<std::byte>> stream(std::string key, storage::get_options how) const {
    return backend_->stream(std::move(key), std::move(how));
  }
  generator<std::vector<std::byte>> stream(std::string key) const {
    return stream(std::move(key), storage::get_options());
  }

  /// Size, ETag, time and metadata. Throws errc::not_found.
  task<storage::object_info> head(std::string key) const { return backend_->head(std::move(key)); }
  COROLITH_DECL task<bool> exists(std::string key) const;

  /// No error when it is not there.
  task<void> remove(std::string key) const { return backend_->remove(std::move(key)); }
  /// In few requests; returns those that could not be removed, with the reason.
  task<std::vector<storage::remove_result>> remove_many(std::vector<std::string> keys) const {
    return backend_->remove_many(std::move(keys));
  }
  /// Removes all objects with that prefix, which must not be empty; returns how many. Throws for the first that cannot be removed.
  COROLITH_DECL task<std::size_t> remove_all(std::string prefix) const;

  /// Within the store, without moving the bytes to here where the store can do that.
  task<storage::put_result> copy(std::string from, std::string to, storage::copy_options how) const {
    return backend_->copy(std::move(from), std::move(to), std::move(how));
  }
  task<storage::put_result> copy(std::string from, std::string to) const {
    return copy(std::move(from), std::move(to), storage::copy_options());
  }

  /// Objects whose keys begin with `prefix`, a plain string ("foo" finds "foo_bar/x"), in the order of the bytes of their keys. With a
  /// delimiter ("/"), what lies below the next one is given as one entry with `is_prefix`.
  generator<storage::list_entry> list(storage::list_options what) const { return backend_->list(std::move(what)); }
  COROLITH_DECL generator<storage::list_entry> list(std::string prefix, std::string delimiter) const;
  generator<storage::list_entry> list(std::string prefix) const { return list(std::move(prefix), std::string()); }

  /// Slices of all objects with that prefix, for a map: `auto parts = store.objects("corpus/", {.bytes = 1 << 26, .newline = '\n'})`,
  /// `co_await ex.map<count_words>(std::move(parts))`. Listed as they are asked for. Every object gives a slice, also one without bytes.
  /// Needs <corolith/storage/slice.hpp>, and so does the next.
  COROLITH_DECL generator<object_slice> objects(std::string prefix, slicing how) const;
  COROLITH_DECL generator<object_slice> objects(std::string prefix) const;
  /// Of the objects with these keys, in their order.
  COROLITH_DECL generator<object_slice> objects(std::vector<std::string> keys, slicing how) const;
  COROLITH_DECL generator<object_slice> objects(std::vector<std::string> keys) const;

  /// Makes an object under a name of its own, that lasts as long as the run (or until `remove_temporary`), and gives a reference to it.
  COROLITH_DECL task<object_ref> put_temporary(object_source source) const;
  /// A reference to an object that is there.
  COROLITH_DECL task<object_ref> refer(std::string key) const;
  /// What a reference stands for, be it of this store or of another.
  COROLITH_DECL task<std::vector<std::byte>> get(object_ref what) const;
  COROLITH_DECL task<std::string> get_text(object_ref what) const;
  COROLITH_DECL generator<std::vector<std::byte>> stream(object_ref what) const;
  COROLITH_DECL task<void> remove(object_ref what) const;
  /// Removes what `put_temporary` made through this handle and its copies, in whatever process of the run; returns how many.
  COROLITH_DECL task<std::size_t> remove_temporary() const;

  /// Throws when the directory or the bucket is not there (errc::not_found) or may not be read.
  task<void> check() const { return backend_->check(); }

  /// Bytes that came and went so far through this store, by whatever handle of this process: for who shows progress.
  storage::traffic moved() const noexcept { return backend_->moved(); }

  /// What keys of temporary objects begin with. And: another handle, whose temporary objects have names that begin like that.
  const std::string& temporary_prefix() const noexcept { return temporary_prefix_; }
  COROLITH_DECL store with_temporary_prefix(std::string prefix) const;

 private:
  COROLITH_DECL store home_of(const object_ref& what) const;

  std::shared_ptr<storage::backend> backend_;
  std::string url_;
  std::string temporary_prefix_;
};

}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/storage/impl/store.ipp>
#endif
