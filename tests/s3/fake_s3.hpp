// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "scripted_server.hpp"

#include <corolith/core/bytes.hpp>
#include <corolith/s3/client.hpp>
#include <corolith/s3/detail/md5.hpp>
#include <corolith/s3/endpoint.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace s3_test {

/// A request as the server got it.
struct seen_request {
  std::string method;
  std::string path;                            ///< decoded: "/bucket/key"
  std::string query;                           ///< as it came
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;

  std::string header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string() : found->second;
  }
  /// "PUT ?partNumber": the method, and which operation of it.
  std::string kind() const {
    return query.empty() ? method : method + " ?" + query.substr(0, query.find_first_of("=&"));
  }
  std::string query_value(const std::string& name) const {
    const std::string all = '&' + query;
    const std::size_t at = all.find('&' + name + '=');
    if (at == std::string::npos) return {};
    const std::size_t from = at + name.size() + 2;
    return corolith::s3::uri_decode(std::string_view(all).substr(from, all.find('&', from) - from), true);
  }
};

/// As much of S3 as the client's logic needs, in memory: objects with ranges and conditions, uploads in parts, listings. A test may answer a
/// request in another way, or break it, by `on`. Everything that came is kept.
class fake_s3 {
 public:
  /// True: it has answered, or ended the connection. Called without the server's lock.
  using hook = std::function<bool(peer& client, const seen_request& request)>;

  explicit fake_s3(SSL_CTX* tls = nullptr)
      : server_([this](peer& client, int) { serve(client); }, tls), tls_(tls != nullptr) {}

  /// Ends the server before what the hook refers to: attempts that were given up may still be in it.
  struct [[nodiscard]] hooked {
    explicit hooked(fake_s3& owner) : server(owner) {}
    ~hooked() { server.server_.stop(); }
    hooked(const hooked&) = delete;
    hooked& operator=(const hooked&) = delete;
    fake_s3& server;
  };
  /// Until the result's scope ends, and with it the server.
  hooked on(hook does) {
    std::lock_guard lock(mutex_);
    hook_ = std::move(does);
    return hooked(*this);
  }
  void answer_as_usual() {
    std::lock_guard lock(mutex_);
    hook_ = nullptr;
  }
  std::string url() const {
    return (tls_ ? "https://localhost:" : "http://127.0.0.1:") + std::to_string(server_.port());
  }
  std::uint16_t port() const { return server_.port(); }
  int connections() const { return server_.connections(); }

  void set(const std::string& path, std::string content) {
    object made;
    made.etag = etag_of(content);
    made.content = std::move(content);
    std::lock_guard lock(mutex_);
    objects_[path] = std::move(made);
  }
  std::optional<std::string> content(const std::string& path) {
    std::optional<object> found = find(path);
    return found ? std::optional(std::move(found->content)) : std::nullopt;
  }
  /// Uploads that have begun and not ended.
  std::size_t uploads() {
    std::lock_guard lock(mutex_);
    return uploads_.size();
  }
  std::vector<seen_request> requests() {
    std::lock_guard lock(mutex_);
    return seen_;
  }
  std::size_t count(const std::string& kind) {
    std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(
        std::count_if(seen_.begin(), seen_.end(), [&](const seen_request& one) { return one.kind() == kind; }));
  }

  /// Makes the object of the parts, without an answer. Its ETag; nothing when there is no such upload.
  std::optional<std::string> complete_quietly(const seen_request& request) {
    std::lock_guard lock(mutex_);
    const auto found = uploads_.find(request.query_value("uploadId"));
    if (found == uploads_.end()) return std::nullopt;
    std::vector<std::byte> digests;
    object made;
    for (const auto& [number, part] : found->second.parts) {
      made.content += part;
      corolith::s3::detail::append_digest(digests, etag_of(part));
    }
    made.etag = corolith::s3::detail::md5_hexadecimal({corolith::byte_span(digests)}) + '-' +
                std::to_string(found->second.parts.size());
    const std::string etag = made.etag;
    objects_[request.path] = std::move(made);
    uploads_.erase(found);
    return etag;
  }

  static std::string etag_of(const std::string& content) {
    return corolith::s3::detail::md5_hexadecimal({std::as_bytes(std::span(content))});
  }
  static std::string error(const std::string& name, const std::string& more = "") {
    return "<?xml version=\"1.0\"?><Error><Code>" + name + "</Code><Message>a test</Message><RequestId>r1</RequestId>" +
           more + "</Error>";
  }

 private:
  struct object {
    std::string content;
    std::string etag;
  };
  std::optional<object> find(const std::string& path) {
    std::lock_guard lock(mutex_);
    const auto found = objects_.find(path);
    return found == objects_.end() ? std::nullopt : std::optional(found->second);
  }
  struct begun_upload {
    std::string path;
    std::map<int, std::string> parts;
  };

  void serve(peer& client) {
    for (;;) {
      seen_request request = receive(client);
      hook does;
      {
        std::lock_guard lock(mutex_);
        seen_.push_back(request);
        seen_.back().body.resize(std::min<std::size_t>(seen_.back().body.size(), 4096));
        does = hook_;
      }
      if (does && does(client, request)) continue;
      answer(client, request);
    }
  }

  static seen_request receive(peer& client) {
    seen_request request;
    const std::string head = client.head();
    std::size_t at = head.find("\r\n");
    const std::string line = head.substr(0, at);
    const std::size_t first = line.find(' ');
    const std::string target = line.substr(first + 1, line.rfind(' ') - first - 1);
    request.method = line.substr(0, first);
    request.path = corolith::s3::uri_decode(target.substr(0, target.find('?')));
    if (target.find('?') != std::string::npos) request.query = target.substr(target.find('?') + 1);
    for (at += 2; at + 2 < head.size();) {
      const std::size_t end = head.find("\r\n", at);
      const std::size_t colon = head.find(':', at);
      std::string name = head.substr(at, colon - at);
      std::transform(name.begin(), name.end(), name.begin(), [](char c) { return static_cast<char>(std::tolower(c)); });
      request.headers[name] = head.substr(colon + 2, end - colon - 2);
      at = end + 2;
    }
    if (request.header("expect") == "100-continue") client.write("HTTP/1.1 100 Continue\r\n\r\n");
    if (const std::string length = request.header("content-length"); !length.empty())
      request.body = client.body(std::stoul(length));
    return request;
  }

  void answer(peer& client, const seen_request& request) {
    const std::string kind = request.kind();
    if (kind == "POST ?uploads") return begin(client, request);
    if (kind == "PUT ?partNumber") return put_part(client, request);
    if (kind == "POST ?uploadId") return complete(client, request);
    if (kind == "DELETE ?uploadId") return abort(client, request);
    if (kind == "GET ?list-type") return list(client, request);
    if (kind == "POST ?delete") return client.answer("<DeleteResult/>");
    if (request.method == "PUT") return put(client, request);
    if (request.method == "DELETE") return remove(client, request);
    get(client, request);
  }

  void get(peer& client, const seen_request& request) {
    const std::optional<object> made = find(request.path);
    const bool head = request.method == "HEAD";
    const auto refuse = [&](const std::string& status, const std::string& name) {
      const std::string text = head ? std::string() : error(name);
      client.answer(text, "", status);
    };
    if (!made) return refuse("404 Not Found", "NoSuchKey");
    const std::string* found = &made->content;
    const std::string etag = '"' + made->etag + '"';
    if (const std::string wanted = request.header("if-match"); !wanted.empty() && wanted != etag)
      return refuse("412 Precondition Failed", "PreconditionFailed");
    if (request.header("if-none-match") == etag) return client.answer("", "etag: " + etag + "\r\n", "304 Not Modified");
    std::string headers = "etag: " + etag + "\r\nlast-modified: Fri, 24 May 2013 00:00:00 GMT\r\n";
    const std::string range = request.header("range");
    if (range.empty() || head) {
      if (!head) return client.answer(*found, headers);
      return client.write("HTTP/1.1 200 OK\r\ncontent-length: " + std::to_string(found->size()) + "\r\n" + headers +
                          "\r\n");
    }
    const std::size_t dash = range.find('-');
    std::size_t from = 0, last = found->size() - 1;
    if (dash == 6) {
      from = found->size() - std::min<std::size_t>(found->size(), std::stoul(range.substr(7)));
    } else {
      from = std::stoul(range.substr(6, dash - 6));
      if (dash + 1 < range.size()) last = std::min<std::size_t>(last, std::stoul(range.substr(dash + 1)));
    }
    if (from >= found->size()) return refuse("416 Range Not Satisfiable", "InvalidRange");
    headers += "content-range: bytes " + std::to_string(from) + '-' + std::to_string(last) + '/' +
               std::to_string(found->size()) + "\r\n";
    client.answer(found->substr(from, last - from + 1), headers, "206 Partial Content");
  }

  void put(peer& client, const seen_request& request) {
    if (const std::string source = request.header("x-amz-copy-source"); !source.empty())
      return copy(client, request, source);
    if (request.header("if-none-match") == "*" && content(request.path))
      return client.answer(error("PreconditionFailed"), "", "412 Precondition Failed");
    set(request.path, request.body);
    client.answer("", "etag: \"" + etag_of(request.body) + "\"\r\n");
  }

  void copy(peer& client, const seen_request& request, const std::string& source) {
    const std::optional<std::string> found = content(corolith::s3::uri_decode(source));
    if (!found) return client.answer(error("NoSuchKey"), "", "404 Not Found");
    set(request.path, *found);
    client.answer("<CopyObjectResult><ETag>&quot;" + etag_of(*found) + "&quot;</ETag></CopyObjectResult>");
  }

  void remove(peer& client, const seen_request& request) {
    std::lock_guard lock(mutex_);
    objects_.erase(request.path);
    client.answer("", "", "204 No Content");
  }

  void begin(peer& client, const seen_request& request) {
    std::string id;
    {
      std::lock_guard lock(mutex_);
      id = "upload-" + std::to_string(++last_upload_);
      uploads_[id].path = request.path;
    }
    client.answer("<InitiateMultipartUploadResult><UploadId>" + id + "</UploadId></InitiateMultipartUploadResult>");
  }
  void put_part(peer& client, const seen_request& request) {
    std::string body = request.body;
    const std::string source = request.header("x-amz-copy-source");
    if (!source.empty()) {
      const std::string range = request.header("x-amz-copy-source-range");
      const std::size_t from = std::stoul(range.substr(6));
      const std::size_t last = std::stoul(range.substr(range.find('-') + 1));
      body = content(corolith::s3::uri_decode(source)).value_or("").substr(from, last - from + 1);
    }
    {
      std::lock_guard lock(mutex_);
      const auto found = uploads_.find(request.query_value("uploadId"));
      if (found != uploads_.end()) {
        found->second.parts[std::stoi(request.query_value("partNumber"))] = body;
      }
      if (found == uploads_.end()) return client.answer(error("NoSuchUpload"), "", "404 Not Found");
    }
    if (source.empty()) return client.answer("", "etag: \"" + etag_of(body) + "\"\r\n");
    client.answer("<CopyPartResult><ETag>&quot;" + etag_of(body) + "&quot;</ETag></CopyPartResult>");
  }
  void complete(peer& client, const seen_request& request) {
    const std::optional<std::string> etag = complete_quietly(request);
    if (!etag) return client.answer(error("NoSuchUpload"), "", "404 Not Found");
    client.answer("<CompleteMultipartUploadResult><ETag>&quot;" + *etag +
                  "&quot;</ETag></CompleteMultipartUploadResult>");
  }
  void abort(peer& client, const seen_request& request) {
    std::size_t gone = 0;
    {
      std::lock_guard lock(mutex_);
      gone = uploads_.erase(request.query_value("uploadId"));
    }
    if (gone == 0) return client.answer(error("NoSuchUpload"), "", "404 Not Found");
    client.answer("", "", "204 No Content");
  }

  void list(peer& client, const seen_request& request) {
    const std::string bucket = request.path.ends_with('/') ? request.path : request.path + '/';
    const std::string prefix = bucket + request.query_value("prefix");
    const std::string token = request.query_value("continuation-token");
    const std::string most = request.query_value("max-keys");
    std::size_t left = most.empty() ? 1000 : std::stoul(most);
    std::string text, next;
    {
      std::lock_guard lock(mutex_);
      for (auto at = objects_.lower_bound(token.empty() ? prefix : bucket + token); at != objects_.end(); ++at) {
        if (!at->first.starts_with(prefix)) break;
        const std::string key = at->first.substr(bucket.size());
        if (left-- == 0) {
          next = key;
          break;
        }
        text += "<Contents><Key>" + corolith::s3::uri_encode(key, true) + "</Key><Size>" +
                std::to_string(at->second.content.size()) + "</Size><ETag>&quot;" + at->second.etag +
                "&quot;</ETag></Contents>";
      }
    }
    client.answer("<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>" +
                  std::string(next.empty() ? "false" : "true") + "</IsTruncated>" +
                  (next.empty() ? "" : "<NextContinuationToken>" + next + "</NextContinuationToken>") + text +
                  "</ListBucketResult>");
  }

  std::mutex mutex_;
  std::map<std::string, object> objects_;
  std::map<std::string, begun_upload> uploads_;
  std::vector<seen_request> seen_;
  hook hook_;
  int last_upload_ = 0;
  scripted_server server_;  // the first to go
  bool tls_;
};

/// Settings for such a server: quick retries, keys that nobody checks.
inline corolith::s3::client_options options_for(const fake_s3& server) {
  corolith::s3::client_options options;
  options.endpoint = server.url();
  options.region = "us-east-1";
  corolith::s3::credentials keys;
  keys.access_key = "access";
  keys.secret_key = "secret";
  options.credentials = corolith::s3::static_credentials(std::move(keys));
  options.retry.base = std::chrono::milliseconds(1);
  options.retry.cap = std::chrono::milliseconds(5);
  options.part_size = std::size_t{1} << 16;
  options.most_connections = 4;
  options.hedge = false;
  return options;
}

/// The same for the same seed, and like nothing else.
inline std::string noise(std::size_t size, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::string made(size, '\0');
  for (char& c : made) c = static_cast<char>(random() & 255U);
  return made;
}
inline std::vector<std::byte> to_bytes(const std::string& text) {
  const auto* data = reinterpret_cast<const std::byte*>(text.data());
  return {data, data + text.size()};
}
inline std::string to_text(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace s3_test
