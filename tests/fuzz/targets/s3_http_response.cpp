// SPDX-License-Identifier: Apache-2.0
// What a server of S3 answers. The first byte says what was asked, the second how the rest arrives.
#include "../fuzz.hpp"

#include <corolith/core/error.hpp>
#include <corolith/s3/detail/response_reader.hpp>
#include <corolith/s3/transport_error.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

namespace {

using corolith::errc;
using corolith::s3::transport_error;
using corolith::s3::detail::http_response;
using corolith::s3::detail::response_reader;

struct outcome {
  errc code{};  // zero: a whole answer
  int status = 0;
  std::string headers;
  std::string body;

  bool operator==(const outcome& other) const {
    if (code != errc() || other.code != errc())  // what breaks and then ends may be taken for either
      return code != errc() && other.code != errc();
    return status == other.status && headers == other.headers && body == other.body;
  }
};

/// A server, and the client's side of a connection to it as an exchange has it.
class scene {
 public:
  scene(corolith::byte_span sent, std::uint64_t seed, std::size_t piece) : sent_(sent), random_(seed), piece_(piece) {}

  outcome play(bool head_only) {
    outcome seen;
    try {
      reader_.expect(head_only);
      read_head(seen);
      read_body(seen);
    } catch (const transport_error& problem) {
      seen.code = problem.code();
      fuzz::require(seen.code == errc::protocol || seen.code == errc::unreachable, "broken answers are of two kinds");
      fuzz::require(!reader_.reusable(), "a connection that broke is not used again");
    }
    return seen;
  }

 private:
  std::size_t below(std::size_t limit) { return piece_ == 0 ? limit : std::min(limit, 1 + random_.below(piece_)); }

  std::size_t arrive(corolith::mutable_byte_span into) {
    const std::size_t count = std::min(below(into.size()), sent_.size());
    if (count > 0) std::memcpy(into.data(), sent_.data(), count);
    sent_ = sent_.subspan(count);
    return count;
  }
  void fill() {
    const corolith::mutable_byte_span room = reader_.room();
    fuzz::require(!room.empty(), "there is room to receive to");
    const std::size_t count = arrive(room);
    count == 0 ? reader_.ended() : reader_.received(count);
  }
  void read_head(outcome& seen) {
    http_response head;
    for (;;) {
      if (!reader_.take_head(head)) {
        fill();
      } else if (head.status / 100 != 1 || head.status == 101) {
        break;
      } else {
        fuzz::require(!reader_.complete(), "another head follows one of 1xx");
        head = {};
      }
    }
    seen.status = head.status;
    fuzz::require(head.status >= 0 && head.status <= 999, "a status has three digits");
    for (const auto& field : head.headers) {
      fuzz::require(field.value.find_first_of("\r\n") == std::string::npos, "a value is one line");
      seen.headers += field.name + ": " + field.value + "\n";
    }
    fuzz::require(seen.headers.size() <= 2 * response_reader::longest_head, "a head has a limit");
    length_ = head.content_length;
  }
  void read_body(outcome& seen) {
    std::array<std::byte, 3000> place{};
    const bool has_body = !reader_.complete();
    while (!reader_.complete()) {
      const corolith::mutable_byte_span into(place.data(), below(place.size()));
      std::size_t got = reader_.take_body(into);
      fuzz::require(got <= into.size(), "no more is taken than there is room for");
      if (got == 0 && !reader_.complete()) {
        const std::uint64_t straight = std::min<std::uint64_t>(reader_.may_bypass(), into.size());
        if (straight == 0 || random_.below(2) == 0) {
          fill();
        } else {
          got = arrive(into.first(static_cast<std::size_t>(straight)));
          if (got == 0) reader_.ended();
          reader_.bypassed(got);
        }
      }
      seen.body.append(reinterpret_cast<const char*>(place.data()), got);
    }
    fuzz::require(reader_.body_taken() == seen.body.size(), "what was taken is counted");
    if (!has_body) return;
    fuzz::require(!length_ || seen.body.size() == *length_, "a whole body is as long as it says");
    if (!sent_.empty()) seen.code = errc::protocol;  // had it come together, it would have been seen to be too long
  }

  corolith::byte_span sent_;
  fuzz::generator random_;
  std::size_t piece_;
  response_reader reader_;
  std::optional<std::uint64_t> length_;
};

void run(corolith::byte_span input) {
  const bool head_only = (fuzz::take_byte(input) & 1U) != 0;
  const unsigned how = fuzz::take_byte(input);
  const outcome whole = scene(input, 1, 0).play(head_only);
  const outcome in_pieces = scene(input, how, 1 + how % 64).play(head_only);
  fuzz::require(whole == in_pieces, "an answer is the same in whatever pieces it comes");
}

std::vector<std::string> seeds() {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  const std::string usual =
      "x-amz-request-id: tx00000\r\nETag: \"5d41402abc4b2a76b9719d911017c592\"\r\ncontent-type: text/plain\r\n";
  std::vector<std::string> all{
      ok + usual + "Content-Length: 5\r\n\r\nhello",
      ok + usual + "transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n1;name=\"value\"\r\n!\r\n0\r\n\r\n",
      ok + "Transfer-Encoding: chunked\r\n\r\n0\r\nx-amz-checksum-crc32c: AAAAAA==\r\nx: y\r\n\r\n",
      ok + "connection: close\r\n\r\nuntil the end",
      "HTTP/1.0 200 OK\r\ncontent-length: 0\r\nconnection: keep-alive\r\n\r\n",
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" + ok + "content-length: 2\r\n\r\nhi",
      "HTTP/1.1 204 No Content\r\ndate: Sat, 28 Nov 2026 12:00:00 GMT\r\n\r\n",
      "HTTP/1.1 304 Not Modified\r\ncontent-length: 10\r\netag: \"a\"\r\n\r\n",
      "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-9/100\r\nContent-Length: 10\r\n\r\n0123456789",
      "HTTP/1.1 404 Not Found\r\ncontent-length: 68\r\ncontent-type: application/xml\r\n\r\n"
      "<?xml version=\"1.0\"?><Error><Code>NoSuchKey</Code><Key>k</Key></Error>",
      "HTTP/1.1 503 Slow Down\r\nretry-after: 1\r\ntransfer-encoding: chunked\r\n\r\n4\r\nslow\r\n0\r\n\r\n",
      ok + "x-folded: one\r\n two\r\ncontent-length: 1,1\r\n\r\nx",
      ok + "content-length: 5\r\ncontent-length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\n\r\n",
      ok + "x: " + std::string(9000, 'y') + "\r\ncontent-length: 20000\r\n\r\n" + std::string(20'000, 'z'),
      ok + "transfer-encoding: gzip, chunked\r\n\r\n" + "4e20\r\n" + std::string(20'000, 'z') + "\r\n0\r\n\r\n",
  };
  std::vector<std::string> made;
  for (const std::string& each : all)
    for (const char* first : {"\x00\x05", "\x01\xf7"}) made.push_back(std::string(first, 2) + each);
  return made;
}

}  // namespace

const fuzz::target fuzz::s3_http_response{"s3_http_response", &run, &seeds};
