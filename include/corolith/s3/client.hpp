// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/bytes.hpp>
#include <corolith/core/detail/decl.hpp>
#include <corolith/coro/generator.hpp>
#include <corolith/coro/loop.hpp>
#include <corolith/coro/object_source.hpp>
#include <corolith/coro/task.hpp>
#include <corolith/s3/client_counters.hpp>
#include <corolith/s3/client_options.hpp>
#include <corolith/s3/error.hpp>
#include <corolith/s3/types.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace corolith::inline v0::s3 {
namespace detail {

class client_core;

}  // namespace detail

/// A URL that lets others do one thing with one object for some time.
struct presign_options {
  std::string method = "GET";        ///< or "PUT", "HEAD", "DELETE"
  std::chrono::seconds valid{3600};  ///< at most seven days
  std::string version_id;
  std::string content_type;  ///< of a PUT: whoever uses the URL must send the same
};

/// Objects of an S3 service, with the verbs of `store`. A cheap handle: copies share connections, threads and what was learnt of buckets and
/// clocks. All functions may be called from any thread; what they return starts when it is awaited, keeps the client alive, resumes at home,
/// and is given up when the awaiting task is asked to stop (`cancelled`). Bytes move on threads of the client's own.
///
/// Errors are s3_error when the server answered with one, whose `code()` is errc::not_found, errc::access_denied, errc::already_exists,
/// errc::precondition_failed, errc::storage ...; errc::unreachable when there was no answer that counts, errc::corrupted when the bytes are not
/// those that were put, errc::misuse for what cannot be asked. All of it after as many attempts as `retry` allows where another one may help.
/// What fails leaves nothing behind: no part on the server, no part of a file.
class client {
 public:
  /// Reads the environment and the profile files; asks nobody. Throws config_error that says what is wrong.
  COROLITH_DECL explicit client(client_options options);
  COROLITH_DECL client();

  // Each verb with options also comes without, not with a default argument: g++ 12 miscompiles braces inside a co_await expression, default
  // arguments included. Give options a name first.

  /// Makes the object, or replaces it as a whole: readers see the old content or the new. What is longer than a part, and a stream of unknown
  /// length when it turns out to be, goes in parts, many at once. A stream's generator runs on the loop of whoever awaits the put.
  COROLITH_DECL task<put_result> put(std::string bucket, std::string key, object_source source, put_options how) const;
  task<put_result> put(std::string bucket, std::string key, object_source source) const {
    return put(std::move(bucket), std::move(key), std::move(source), put_options());
  }

  /// The whole object, or the range `how.range` of it. Ranges that begin behind the end are an error, errc::storage (InvalidRange).
  COROLITH_DECL task<std::vector<std::byte>> get(std::string bucket, std::string key, get_options how) const;
  task<std::vector<std::byte>> get(std::string bucket, std::string key) const {
    return get(std::move(bucket), std::move(key), get_options());
  }
  /// Bytes `first` to `last`, both included; fewer where the object ends before.
  COROLITH_DECL task<std::vector<std::byte>> get_range(std::string bucket, std::string key, std::uint64_t first,
                                                       std::uint64_t last) const;
  COROLITH_DECL task<std::string> get_text(std::string bucket, std::string key, get_options how) const;
  task<std::string> get_text(std::string bucket, std::string key) const {
    return get_text(std::move(bucket), std::move(key), get_options());
  }
  /// Into memory that the caller has, which must live until the get has ended; returns how many bytes came. They are received right there. An
  /// object or range that does not fit is an error (errc::misuse).
  COROLITH_DECL task<std::size_t> get_into(std::string bucket, std::string key, mutable_byte_span place,
                                           get_options how) const;
  task<std::size_t> get_into(std::string bucket, std::string key, mutable_byte_span place) const {
    return get_into(std::move(bucket), std::move(key), place, get_options());
  }
  /// Into a file, which is there as a whole or not at all: until then it is called `.corolith-unfinished-...` in the same folder.
  COROLITH_DECL task<object_info> get_to_file(std::string bucket, std::string key, std::string path,
                                              get_options how) const;
  task<object_info> get_to_file(std::string bucket, std::string key, std::string path) const {
    return get_to_file(std::move(bucket), std::move(key), std::move(path), get_options());
  }
  /// The content in pieces, one after the other, while the next ones are on their way, as many as the memory budget allows. An object that is
  /// replaced meanwhile is an error (errc::precondition_failed), never a mixture; that holds for all gets.
  COROLITH_DECL generator<std::vector<std::byte>> stream(std::string bucket, std::string key, get_options how) const;
  generator<std::vector<std::byte>> stream(std::string bucket, std::string key) const {
    return stream(std::move(bucket), std::move(key), get_options());
  }

  /// Size, ETag, time and metadata. `how.range` does not count.
  COROLITH_DECL task<object_info> head(std::string bucket, std::string key, get_options how) const;
  task<object_info> head(std::string bucket, std::string key) const {
    return head(std::move(bucket), std::move(key), get_options());
  }
  COROLITH_DECL task<bool> exists(std::string bucket, std::string key) const;

  /// No error when it is not there.
  COROLITH_DECL task<void> remove(std::string bucket, std::string key, std::string version_id) const;
  task<void> remove(std::string bucket, std::string key) const {
    return remove(std::move(bucket), std::move(key), std::string());
  }
  /// A thousand in a request, several requests at once; returns those that could not be removed, with the reason.
  COROLITH_DECL task<std::vector<remove_result>> remove_many(std::string bucket, std::vector<std::string> keys) const;

  /// Within the service; the bytes do not come here. In parts where it is large (`copy_in_parts_above`).
  COROLITH_DECL task<put_result> copy(std::string from_bucket, std::string from_key, std::string to_bucket,
                                      std::string to_key, copy_options how) const;
  task<put_result> copy(std::string from_bucket, std::string from_key, std::string to_bucket,
                        std::string to_key) const {
    return copy(std::move(from_bucket), std::move(from_key), std::move(to_bucket), std::move(to_key), copy_options());
  }

  /// Objects whose keys begin with `what.prefix`, in the order of the bytes of their keys. A page is asked for when the one before is used up.
  COROLITH_DECL generator<list_entry> list(std::string bucket, list_options what) const;
  COROLITH_DECL generator<list_entry> list(std::string bucket, std::string prefix, std::string delimiter) const;
  generator<list_entry> list(std::string bucket, std::string prefix) const {
    return list(std::move(bucket), std::move(prefix), std::string());
  }

  /// In the client's region. Throws errc::already_exists when there is one of that name (AWS in us-east-1 does not say so of one's own).
  COROLITH_DECL task<void> create_bucket(std::string bucket) const;
  /// Throws errc::not_found when it is not there, errc::access_denied when it may not be used.
  COROLITH_DECL task<void> head_bucket(std::string bucket) const;
  /// It must be empty (else errc::storage, BucketNotEmpty).
  COROLITH_DECL task<void> remove_bucket(std::string bucket) const;
  COROLITH_DECL task<std::vector<bucket_info>> list_buckets() const;

  /// A URL for whoever has no credentials. Asks nobody but, where it has to, for credentials.
  COROLITH_DECL task<std::string> presign(std::string bucket, std::string key, presign_options how) const;
  task<std::string> presign(std::string bucket, std::string key) const {
    return presign(std::move(bucket), std::move(key), presign_options());
  }

  COROLITH_DECL client_counters counters() const;
  /// As they were given, with what the environment and the profile said where nothing was.
  COROLITH_DECL const client_options& options() const noexcept;

  /// The loop of one of its threads. A task that runs there (`co_await run_on(c.own_loop(), work)`) and awaits this client changes no threads
  /// for it, which is a large part of what a small request costs. It must not block, and the client must outlive it.
  COROLITH_DECL loop& own_loop() const noexcept;

  /// For the functions of <corolith/s3/multipart.hpp>.
  const std::shared_ptr<detail::client_core>& core() const noexcept { return core_; }

 private:
  std::shared_ptr<detail::client_core> core_;
};

}  // namespace corolith::inline v0::s3

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/s3/impl/client.ipp>
#endif
