// SPDX-License-Identifier: Apache-2.0
// HTTP by libcurl: one thread, its multi interface, easy handles that are used again, the largest buffers that it takes.
//   s3_curl HOST PORT PATH      and lines as s3_peer.hpp says
#include "s3_peer.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <deque>
#include <stdexcept>
#include <string>
#include <utility>

using namespace bench::s3_peer;

namespace {

struct transfer {
  CURL* handle = nullptr;
  std::byte* at = nullptr;
  std::size_t left = 0;
};

std::size_t take(char* data, std::size_t, std::size_t count, void* of) {
  auto& one = *static_cast<transfer*>(of);
  if (count > one.left) return 0;  // which is a failure
  std::memcpy(one.at, data, count);
  one.at += count;
  one.left -= count;
  return count;
}
std::size_t drop(char*, std::size_t, std::size_t count, void*) { return count; }
std::size_t give(char* data, std::size_t, std::size_t room, void* of) {
  auto& one = *static_cast<transfer*>(of);
  const std::size_t count = std::min(room, one.left);
  std::memcpy(data, one.at, count);
  one.at += count;
  one.left -= count;
  return count;
}

class client {
 public:
  explicit client(std::string url) : url_(std::move(url)) {
    curl_global_init(CURL_GLOBAL_DEFAULT);
    multi_ = curl_multi_init();
    headers_ = curl_slist_append(nullptr, "Expect:");
  }
  ~client() {
    for (const transfer& each : transfers_) curl_easy_cleanup(each.handle);
    curl_multi_cleanup(multi_);
    curl_slist_free_all(headers_);
  }
  client(const client&) = delete;
  client& operator=(const client&) = delete;

  void prepare(const work& what) {
    memory_.prepare(what);
    curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, static_cast<long>(what.connections));
    while (transfers_.size() < what.connections) transfers_.emplace_back().handle = curl_easy_init();
    for (std::size_t i = 0; i < what.connections; ++i) set_up(transfers_[i], what);
  }

  void run(const work& what) {
    begun_ = 0;
    std::size_t active = std::min(what.connections, what.requests);
    for (std::size_t i = 0; i < active; ++i) begin(i, what);
    while (active > 0) {
      int running = 0;
      check(curl_multi_perform(multi_, &running));
      int left = 0;
      while (const CURLMsg* const message = curl_multi_info_read(multi_, &left)) {
        const std::size_t index = ended(*message);
        if (begun_ < what.requests)
          begin(index, what);
        else
          --active;
      }
      if (active > 0 && running > 0) check(curl_multi_poll(multi_, nullptr, 0, 1000, nullptr));
    }
  }

 private:
  void set_up(transfer& one, const work& what) const {
    CURL* const handle = one.handle;
    curl_easy_reset(handle);
    curl_easy_setopt(handle, CURLOPT_PRIVATE, &one);
    curl_easy_setopt(handle, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    curl_easy_setopt(handle, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers_);
    curl_easy_setopt(handle, CURLOPT_BUFFERSIZE, 512L * 1024);
    curl_easy_setopt(handle, CURLOPT_UPLOAD_BUFFERSIZE, 2L * 1024 * 1024);
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, what.put ? drop : take);
    curl_easy_setopt(handle, CURLOPT_WRITEDATA, &one);
    if (!what.put) return;
    curl_easy_setopt(handle, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(handle, CURLOPT_READFUNCTION, give);
    curl_easy_setopt(handle, CURLOPT_READDATA, &one);
    curl_easy_setopt(handle, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(what.bytes));
  }
  void begin(std::size_t index, const work& what) {
    transfer& one = transfers_[index];
    one.at = what.put ? memory_.source(what.bytes) : memory_.target(index, what.bytes);
    one.left = what.bytes;
    curl_easy_setopt(one.handle, CURLOPT_URL, (url_ + what.key(begun_++)).c_str());
    check(curl_multi_add_handle(multi_, one.handle));
  }
  std::size_t ended(const CURLMsg& message) {
    if (message.msg != CURLMSG_DONE) throw std::runtime_error("an unknown message of libcurl");
    if (message.data.result != CURLE_OK) throw std::runtime_error(curl_easy_strerror(message.data.result));
    CURL* const handle = message.easy_handle;
    check(curl_multi_remove_handle(multi_, handle));
    const auto found =
        std::find_if(transfers_.begin(), transfers_.end(), [&](const transfer& each) { return each.handle == handle; });
    if (found->left != 0) throw std::runtime_error("a body is shorter than was asked for");
    return static_cast<std::size_t>(found - transfers_.begin());
  }
  static void check(CURLMcode code) {
    if (code != CURLM_OK) throw std::runtime_error(curl_multi_strerror(code));
  }

  std::string url_;
  CURLM* multi_ = nullptr;
  curl_slist* headers_ = nullptr;
  memory memory_;
  std::deque<transfer> transfers_;
  std::size_t begun_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: s3_curl HOST PORT PATH\n");
    return 2;
  }
  try {
    client one("http://" + std::string(argv[1]) + ":" + argv[2] + argv[3]);
    return serve([&](const work& what) { one.prepare(what); }, [&](const work& what) { one.run(what); });
  } catch (const std::exception& failed) {
    std::fprintf(stderr, "s3_curl: %s\n", failed.what());
    return 1;
  }
}
