// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/s3_server.hpp"

#include <corolith/core/error.hpp>
#include <corolith/s3/client_counters.hpp>
#include <corolith/s3/client_options.hpp>
#include <corolith/s3/types.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What the cases share that need a real server. Only server_support.cpp sees the client itself, so that the cases are quick to compile.
namespace s3_live {

namespace s3 = corolith::s3;
using corolith::errc;
using names = std::vector<std::string>;

/// The server that the script has started.
const s3_server& server();
/// Its endpoints: plain, and TLS where it has that.
names endpoints();
/// Options of a client of the server, at another endpoint when one is given.
s3::client_options options_for(const std::string& endpoint = {});
/// The same with that key.
s3::client_options options_with_key(const std::string& access_key, const std::string& secret_key);

/// A client each of whose verbs waits for the end of the operation. Texts are bytes.
class waiting_client {
 public:
  explicit waiting_client(const s3::client_options& options = options_for());
  ~waiting_client();
  waiting_client(const waiting_client&) = delete;
  waiting_client& operator=(const waiting_client&) = delete;

  s3::put_result put(const std::string& bucket, const std::string& key, std::string_view body,
                     s3::put_options options = {});
  s3::put_result put_file(const std::string& bucket, const std::string& key, const std::string& path,
                          s3::put_options options = {});
  /// As pieces of a generator, so that the client does not know how many will come.
  s3::put_result put_pieces(const std::string& bucket, const std::string& key, std::vector<std::string> pieces,
                            s3::put_options options = {});
  /// Pieces of a generator that throws std::runtime_error("no more") at the end.
  s3::put_result put_broken(const std::string& bucket, const std::string& key, std::vector<std::string> pieces);

  std::string get(const std::string& bucket, const std::string& key, s3::get_options options = {});
  std::size_t get_into(const std::string& bucket, const std::string& key, std::span<char> room,
                       s3::get_options options = {});
  s3::object_info get_to_file(const std::string& bucket, const std::string& key, const std::string& path,
                              s3::get_options options = {});
  /// All pieces of a stream, or only so many: then the stream is dropped.
  names stream(const std::string& bucket, const std::string& key, s3::get_options options = {},
               std::size_t most = SIZE_MAX);

  s3::object_info head(const std::string& bucket, const std::string& key);
  void remove(const std::string& bucket, const std::string& key);
  /// Those that are not gone.
  std::vector<s3::remove_result> remove_many(const std::string& bucket, names keys);
  s3::put_result copy(const std::string& from_bucket, const std::string& from, const std::string& bucket,
                      const std::string& key, s3::copy_options options = {});

  std::vector<s3::list_entry> list(const std::string& bucket, s3::list_options options = {},
                                   std::size_t most = SIZE_MAX);
  /// Only the keys (and common prefixes).
  names keys(const std::string& bucket, s3::list_options options = {});

  void create_bucket(const std::string& bucket);
  void head_bucket(const std::string& bucket);
  void remove_bucket(const std::string& bucket);
  names buckets();

  std::string presign(const std::string& method, const std::string& bucket, const std::string& key,
                      std::chrono::seconds valid = std::chrono::seconds(60));

  std::string create_upload(const std::string& bucket, const std::string& key, s3::put_options options = {});
  s3::part_info upload_part(const std::string& bucket, const std::string& key, const std::string& upload_id,
                            std::uint32_t number, std::string_view body);
  s3::part_info copy_part(const std::string& from_bucket, const std::string& from, const std::string& bucket,
                          const std::string& key, const std::string& upload_id, std::uint32_t number,
                          s3::byte_range range);
  s3::put_result complete_upload(const std::string& bucket, const std::string& key, const std::string& upload_id,
                                 std::vector<s3::part_info> parts);
  void abort_upload(const std::string& bucket, const std::string& key, const std::string& upload_id);
  std::vector<s3::upload_info> uploads(const std::string& bucket, const std::string& prefix = {});
  std::vector<s3::part_info> parts(const std::string& bucket, const std::string& key, const std::string& upload_id);

  s3::client_counters counters() const;

  /// What the verbs see from now on.
  std::stop_token stop;

 private:
  struct inside;
  std::unique_ptr<inside> inside_;
};

/// A bucket of one case, emptied and removed at its end.
class own_bucket {
 public:
  own_bucket();
  ~own_bucket();
  own_bucket(const own_bucket&) = delete;
  own_bucket& operator=(const own_bucket&) = delete;
  operator const std::string&() const noexcept { return name_; }
  const std::string& name() const noexcept { return name_; }
  waiting_client& direct() noexcept { return client_; }  ///< a client that nothing stands before
  /// The multipart uploads that have begun and not ended, as "key (n parts)".
  names unfinished();

 private:
  waiting_client client_;
  std::string name_;
};

/// How an action ended that should fail.
struct failure {
  bool happened = false;
  bool from_s3 = false;  ///< an s3_error, else one of the connection or of another kind
  errc code{};
  int status = 0;
  std::string name, message, request_id, bucket, key, operation;
  std::string text = "nothing was thrown";
};
failure failure_of(const std::function<void()>& action);

/// Bytes that nothing compresses and no two seeds share.
std::string noise(std::size_t size, std::uint64_t seed);
std::string sha256(std::string_view bytes);
std::string read_file(const std::string& path);
void write_file(const std::string& path, std::string_view bytes);
names files_in(const std::string& folder);  ///< their names, those of hidden ones too
std::string joined(const names& pieces);
std::vector<std::string> cut(std::string_view bytes, std::size_t size);  ///< into pieces of that size
bool has(std::string_view text, std::string_view part);
std::size_t open_descriptors();

/// What curl gets from a URL: the status, and the body. `arguments` go to the command as they are.
std::pair<int, std::string> curl(const std::string& url, const std::string& arguments = {});

/// Moves the clock of this process while it lives.
class wrong_clock {
 public:
  explicit wrong_clock(std::chrono::seconds ahead);
  ~wrong_clock();
  wrong_clock(const wrong_clock&) = delete;
  wrong_clock& operator=(const wrong_clock&) = delete;
};

/// Ends the process with a message when what it guards takes far too long: a hang is to be a failure with a name.
class watchdog {
 public:
  explicit watchdog(std::string what, std::chrono::seconds most = std::chrono::seconds(120));
  ~watchdog();
  watchdog(const watchdog&) = delete;
  watchdog& operator=(const watchdog&) = delete;

 private:
  struct inside;
  std::unique_ptr<inside> inside_;
};

inline constexpr std::size_t mib = std::size_t(1) << 20;

}  // namespace s3_live
