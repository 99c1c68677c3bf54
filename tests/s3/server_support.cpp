// SPDX-License-Identifier: Apache-2.0
#include "server_support.hpp"

#include <corolith/coro/sync_wait.hpp>
#include <corolith/s3/client.hpp>
#include <corolith/s3/multipart.hpp>

#include <openssl/evp.h>
#include <stdio.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <mutex>
#include <thread>

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#include <sanitizer/common_interface_defs.h>
#define COROLITH_TEST_TSAN
#endif
#endif

namespace {
std::atomic<std::int64_t> seconds_ahead{0};
}

// The library's clock, for all of this program: a test cannot set the machine's.
std::chrono::system_clock::time_point std::chrono::system_clock::now() noexcept {
  ::timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return time_point(duration_cast<duration>(seconds(now.tv_sec + seconds_ahead.load()) + nanoseconds(now.tv_nsec)));
}

namespace s3_live {
namespace {

using corolith::generator;
using corolith::sync_wait;
using corolith::task;

std::string text_of(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
std::vector<std::byte> bytes_of(const std::string& text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

generator<std::vector<std::byte>> give(names pieces, bool fails) {
  for (const std::string& piece : pieces) co_yield bytes_of(piece);
  if (fails) throw std::runtime_error("no more");
}

template <class T>
task<std::vector<T>> gather(generator<T> values, std::size_t most) {
  std::vector<T> all;
  while (all.size() < most) {
    std::optional<T> next = co_await values.next();
    if (!next) break;
    all.push_back(std::move(*next));
  }
  co_return all;
}

}  // namespace

const s3_server& server() {
  static const s3_server it = s3_server::from_environment();
  return it;
}

names endpoints() {
  names all{server().endpoint};
  if (!server().tls_endpoint.empty()) all.push_back(server().tls_endpoint);
  return all;
}

s3::client_options options_for(const std::string& endpoint) {
  s3::client_options options = options_with_key(server().access_key, server().secret_key);
  if (!endpoint.empty()) options.endpoint = endpoint;
  return options;
}

s3::client_options options_with_key(const std::string& access_key, const std::string& secret_key) {
  s3::client_options options;
  options.endpoint = server().endpoint;
  options.region = server().region;
  s3::credentials key;
  key.access_key = access_key;
  key.secret_key = secret_key;
  options.credentials = s3::static_credentials(key);
  options.tls.ca_file = server().ca_file;
  return options;
}

// --- the client ------------------------------------------------------------------------------------------------------------------

struct waiting_client::inside {
  s3::client client;
};

waiting_client::waiting_client(const s3::client_options& options)
    : inside_(std::make_unique<inside>(inside{s3::client(options)})) {}
waiting_client::~waiting_client() = default;

s3::put_result waiting_client::put(const std::string& bucket, const std::string& key, std::string_view body,
                                   s3::put_options options) {
  return sync_wait(inside_->client.put(bucket, key, body, std::move(options)), stop);
}
s3::put_result waiting_client::put_file(const std::string& bucket, const std::string& key, const std::string& path,
                                        s3::put_options options) {
  return sync_wait(inside_->client.put(bucket, key, corolith::from_file(path), std::move(options)), stop);
}
s3::put_result waiting_client::put_pieces(const std::string& bucket, const std::string& key, names pieces,
                                          s3::put_options options) {
  return sync_wait(inside_->client.put(bucket, key, give(std::move(pieces), false), std::move(options)), stop);
}
s3::put_result waiting_client::put_broken(const std::string& bucket, const std::string& key, names pieces) {
  return sync_wait(inside_->client.put(bucket, key, give(std::move(pieces), true)), stop);
}

std::string waiting_client::get(const std::string& bucket, const std::string& key, s3::get_options options) {
  return text_of(sync_wait(inside_->client.get(bucket, key, std::move(options)), stop));
}
std::size_t waiting_client::get_into(const std::string& bucket, const std::string& key, std::span<char> room,
                                     s3::get_options options) {
  return sync_wait(inside_->client.get_into(bucket, key, std::as_writable_bytes(room), std::move(options)), stop);
}
s3::object_info waiting_client::get_to_file(const std::string& bucket, const std::string& key, const std::string& path,
                                            s3::get_options options) {
  return sync_wait(inside_->client.get_to_file(bucket, key, path, std::move(options)), stop);
}
names waiting_client::stream(const std::string& bucket, const std::string& key, s3::get_options options,
                             std::size_t most) {
  names pieces;
  for (const auto& piece : sync_wait(gather(inside_->client.stream(bucket, key, std::move(options)), most), stop))
    pieces.push_back(text_of(piece));
  return pieces;
}

s3::object_info waiting_client::head(const std::string& bucket, const std::string& key) {
  return sync_wait(inside_->client.head(bucket, key), stop);
}
void waiting_client::remove(const std::string& bucket, const std::string& key) {
  sync_wait(inside_->client.remove(bucket, key), stop);
}
std::vector<s3::remove_result> waiting_client::remove_many(const std::string& bucket, names keys) {
  return sync_wait(inside_->client.remove_many(bucket, std::move(keys)), stop);
}
s3::put_result waiting_client::copy(const std::string& from_bucket, const std::string& from, const std::string& bucket,
                                    const std::string& key, s3::copy_options options) {
  return sync_wait(inside_->client.copy(from_bucket, from, bucket, key, std::move(options)), stop);
}

std::vector<s3::list_entry> waiting_client::list(const std::string& bucket, s3::list_options options,
                                                 std::size_t most) {
  return sync_wait(gather(inside_->client.list(bucket, std::move(options)), most), stop);
}
names waiting_client::keys(const std::string& bucket, s3::list_options options) {
  names found;
  for (const s3::list_entry& each : list(bucket, std::move(options))) found.push_back(each.key);
  return found;
}

void waiting_client::create_bucket(const std::string& bucket) {
  sync_wait(inside_->client.create_bucket(bucket), stop);
}
void waiting_client::head_bucket(const std::string& bucket) { sync_wait(inside_->client.head_bucket(bucket), stop); }
void waiting_client::remove_bucket(const std::string& bucket) {
  sync_wait(inside_->client.remove_bucket(bucket), stop);
}
names waiting_client::buckets() {
  names found;
  for (const s3::bucket_info& each : sync_wait(inside_->client.list_buckets(), stop)) found.push_back(each.name);
  return found;
}

std::string waiting_client::presign(const std::string& method, const std::string& bucket, const std::string& key,
                                    std::chrono::seconds valid) {
  s3::presign_options options;
  options.method = method;
  options.valid = valid;
  return sync_wait(inside_->client.presign(bucket, key, options), stop);
}

std::string waiting_client::create_upload(const std::string& bucket, const std::string& key, s3::put_options options) {
  return sync_wait(s3::create_upload(inside_->client, bucket, key, std::move(options)), stop);
}
s3::part_info waiting_client::upload_part(const std::string& bucket, const std::string& key,
                                          const std::string& upload_id, std::uint32_t number, std::string_view body) {
  return sync_wait(s3::upload_part(inside_->client, bucket, key, upload_id, number, std::as_bytes(std::span(body))),
                   stop);
}
s3::part_info waiting_client::copy_part(const std::string& from_bucket, const std::string& from,
                                        const std::string& bucket, const std::string& key, const std::string& upload_id,
                                        std::uint32_t number, s3::byte_range range) {
  return sync_wait(s3::upload_part_copy(inside_->client, bucket, key, upload_id, number, from_bucket, from, range),
                   stop);
}
s3::put_result waiting_client::complete_upload(const std::string& bucket, const std::string& key,
                                               const std::string& upload_id, std::vector<s3::part_info> parts) {
  return sync_wait(s3::complete_upload(inside_->client, bucket, key, upload_id, std::move(parts)), stop);
}
void waiting_client::abort_upload(const std::string& bucket, const std::string& key, const std::string& upload_id) {
  sync_wait(s3::abort_upload(inside_->client, bucket, key, upload_id), stop);
}
std::vector<s3::upload_info> waiting_client::uploads(const std::string& bucket, const std::string& prefix) {
  return sync_wait(gather(s3::list_uploads(inside_->client, bucket, prefix), SIZE_MAX), stop);
}
std::vector<s3::part_info> waiting_client::parts(const std::string& bucket, const std::string& key,
                                                 const std::string& upload_id) {
  return sync_wait(gather(s3::list_parts(inside_->client, bucket, key, upload_id), SIZE_MAX), stop);
}
s3::client_counters waiting_client::counters() const { return inside_->client.counters(); }

// --- buckets ---------------------------------------------------------------------------------------------------------------------

own_bucket::own_bucket(std::string name) : name_(std::move(name)) { client_.create_bucket(name_); }

own_bucket::~own_bucket() {
  try {
    for (const s3::upload_info& each : client_.uploads(name_)) client_.abort_upload(name_, each.key, each.upload_id);
    client_.remove_many(name_, client_.keys(name_));
    client_.remove_bucket(name_);
  } catch (const std::exception& failed) {
    std::cerr << "cannot clean up " << name_ << ": " << failed.what() << '\n';
  }
}

names own_bucket::unfinished() {
  names found;
  for (const s3::upload_info& each : client_.uploads(name_))
    found.push_back(each.key + " (" + std::to_string(client_.parts(name_, each.key, each.upload_id).size()) +
                    " parts)");
  return found;
}

// --- failures --------------------------------------------------------------------------------------------------------------------

failure failure_of(const std::function<void()>& action) {
  failure seen;
  try {
    action();
    return seen;
  } catch (const s3::s3_error& failed) {
    seen = {true,
            true,
            failed.code(),
            failed.status(),
            failed.name(),
            failed.message(),
            failed.request_id(),
            failed.bucket(),
            failed.key(),
            failed.operation(),
            failed.what()};
  } catch (const corolith::error& failed) {
    seen.code = failed.code();
    seen.text = failed.what();
  } catch (const std::exception& failed) {
    seen.text = failed.what();
  }
  seen.happened = true;
  return seen;
}

// --- bytes and files -------------------------------------------------------------------------------------------------------------

std::string noise(std::size_t size, std::uint64_t seed) {
  std::string made(size, '\0');
  std::uint64_t state = seed * 0x9E3779B97F4A7C15U + 1;
  for (std::size_t at = 0; at < size; at += 8) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    std::memcpy(made.data() + at, &state, std::min<std::size_t>(8, size - at));
  }
  return made;
}

std::string sha256(std::string_view bytes) {
  std::array<unsigned char, 32> digest{};
  unsigned length = 0;
  if (::EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, ::EVP_sha256(), nullptr) != 1)
    throw std::runtime_error("no SHA-256");
  std::string text;
  for (const unsigned char each : digest) {
    text += "0123456789abcdef"[each >> 4];
    text += "0123456789abcdef"[each & 15];
  }
  return text;
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path);
  return {std::istreambuf_iterator<char>(file), {}};
}
void write_file(const std::string& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}
names files_in(const std::string& folder) {
  names found;
  for (const auto& each : std::filesystem::directory_iterator(folder)) found.push_back(each.path().filename());
  std::sort(found.begin(), found.end());
  return found;
}

std::string joined(const names& pieces) {
  std::string all;
  for (const std::string& piece : pieces) all += piece;
  return all;
}
names cut(std::string_view bytes, std::size_t size) {
  names pieces;
  for (std::size_t at = 0; at < bytes.size(); at += size) pieces.emplace_back(bytes.substr(at, size));
  return pieces;
}
bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

std::size_t open_descriptors() {
#if defined(COROLITH_TEST_TSAN)
  // It starts a program that gives names to addresses when it first has to, be it for a race that is suppressed, and keeps two pipes to
  // it: they had better be there before anything is counted.
  static const bool named = [] {
    char text[256];
    __sanitizer_symbolize_pc(reinterpret_cast<void*>(&open_descriptors), "%f", text, sizeof text);
    return true;
  }();
  static_cast<void>(named);
#endif
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& each : std::filesystem::directory_iterator("/proc/self/fd")) ++count;
  return count;
}

std::pair<int, std::string> curl(const std::string& url, const std::string& arguments) {
  std::string command = "curl -sS -m 60 -w '\\n%{http_code}' ";
  if (url.starts_with("https:")) command += "--cacert '" + server().ca_file + "' ";
  command += arguments + " '" + url + "' 2>&1";
  std::FILE* const pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("cannot run curl");
  std::string output;
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) output += static_cast<char>(c);
  ::pclose(pipe);
  const std::size_t end = output.rfind('\n');
  if (end == std::string::npos) throw std::runtime_error("curl says '" + output + "'");
  return {std::atoi(output.c_str() + end + 1), output.substr(0, end)};
}

// --- clocks ----------------------------------------------------------------------------------------------------------------------

wrong_clock::wrong_clock(std::chrono::seconds ahead) { seconds_ahead = ahead.count(); }
wrong_clock::~wrong_clock() { seconds_ahead = 0; }

struct watchdog::inside {
  std::mutex mutex;
  std::condition_variable over;
  bool done = false;
  std::thread thread;
};

watchdog::watchdog(std::string what, std::chrono::seconds most) : inside_(std::make_unique<inside>()) {
  inside_->thread = std::thread([its = inside_.get(), what = std::move(what), most] {
    std::unique_lock lock(its->mutex);
    if (its->over.wait_for(lock, most, [its] { return its->done; })) return;
    std::cerr << "HANGS: " << what << ": not over after " << most.count() << " s" << std::endl;
    std::abort();
  });
}
watchdog::~watchdog() {
  {
    const std::lock_guard lock(inside_->mutex);
    inside_->done = true;
  }
  inside_->over.notify_all();
  inside_->thread.join();
}

}  // namespace s3_live
