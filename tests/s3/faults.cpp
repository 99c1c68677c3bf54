// SPDX-License-Identifier: Apache-2.0
// A real server behind a proxy that breaks what passes: each fault ends in the right data or a clear error, and leaves nothing behind.
#include "server_support.hpp"
#include "support/fault_proxy.hpp"
#include "support/scratch.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <random>
#include <thread>

using namespace s3_live;
using std::chrono::milliseconds;

namespace {

/// For a server of our own, which answers at once unless `fault` keeps it from doing so.
s3::client_options hasty(const std::string& endpoint, const std::string& fault = {}) {
  s3::client_options options = options_for(endpoint);
  options.part_size = mib;  // puts have larger ones
  options.retry.base = milliseconds(1);
  options.retry.cap = milliseconds(20);
  options.retry.attempts = 5;
  options.idle_timeout = has(fault, "stall") ? milliseconds(700) : milliseconds(10'000);
  options.connect_timeout = milliseconds(2000);
  return options;
}

/// A bucket behind the proxy, and the means to see what is left there and here.
struct place {
  own_bucket bucket;
  fault_proxy proxy{server().endpoint};
  test_support::scratch folder;
  const std::string small = noise(100'000, 1), large = noise(5 * mib + 4321, 2);

  place() {
    bucket.direct().put(bucket, "small", small);
    bucket.direct().put(bucket, "large", large);
    write_file(folder / "source", large);
  }

  void nothing_left(const names& files = {"source"}) {
    CHECK(bucket.unfinished().empty());
    CHECK(files_in(folder.path()) == files);
    // The proxy closes its side when it notices that the client closed its own.
    for (int i = 0; i < 1000 && proxy.count("connections") != 0; ++i) std::this_thread::sleep_for(milliseconds(10));
    CHECK(proxy.count("connections") == 0);
  }
};

/// Something that a client does, and whether it came out right.
struct action {
  const char* name;
  std::function<void(place&, waiting_client&)> act;
};
using actions = std::vector<action>;

void same(const std::string& found, const std::string& wanted) {
  if (found != wanted) throw std::logic_error("WRONG DATA: " + std::to_string(found.size()) + " bytes");
}

const action get{"get", [](place& at, waiting_client& client) { same(client.get(at.bucket, "small"), at.small); }};
const action get_parts{"get in parts",
                       [](place& at, waiting_client& client) { same(client.get(at.bucket, "large"), at.large); }};
const action get_file{"get to file", [](place& at, waiting_client& client) {
                        client.get_to_file(at.bucket, "large", at.folder / "target");
                        const std::string found = read_file(at.folder / "target");
                        std::filesystem::remove(at.folder / "target");
                        same(found, at.large);
                      }};
const action stream{
    "stream", [](place& at, waiting_client& client) { same(joined(client.stream(at.bucket, "large")), at.large); }};
const action put{"put", [](place& at, waiting_client& client) {
                   client.put(at.bucket, "new", at.small);
                   same(at.bucket.direct().get(at.bucket, "new"), at.small);
                 }};
const action put_file{"put from file", [](place& at, waiting_client& client) {
                        client.put_file(at.bucket, "new", at.folder / "source");
                        same(at.bucket.direct().get(at.bucket, "new"), at.large);
                      }};
const action put_pieces{"put from generator", [](place& at, waiting_client& client) {
                          client.put_pieces(at.bucket, "new", cut(at.large, 1'000'000));
                          same(at.bucket.direct().get(at.bucket, "new"), at.large);
                        }};
const action list{"list", [](place& at, waiting_client& client) {
                    at.bucket.direct().remove(at.bucket, "new");
                    s3::list_options options;
                    options.page_size = 1;
                    same(joined(client.keys(at.bucket, options)), "largesmall");
                  }};
const action head{"head", [](place& at, waiting_client& client) {
                    same(std::to_string(client.head(at.bucket, "small").size), std::to_string(at.small.size()));
                  }};
const action remove_many{"remove many", [](place& at, waiting_client& client) {
                           at.bucket.direct().put(at.bucket, "new", "text");
                           if (!client.remove_many(at.bucket, {"new"}).empty()) throw std::logic_error("not removed");
                           same(joined(at.bucket.direct().keys(at.bucket)), "largesmall");
                         }};
const action copy{"copy", [](place& at, waiting_client& client) {
                    client.copy(at.bucket, "small", at.bucket, "new");
                    same(at.bucket.direct().get(at.bucket, "new"), at.small);
                  }};

const actions downloads{get, get_parts, get_file, stream}, uploads{put, put_file, put_pieces};

failure outcome(place& at, const action& each, const std::string& fault, const s3::client_options& options) {
  const std::size_t before = open_descriptors();
  failure seen;
  {
    watchdog dog(std::string(each.name) + " with '" + fault + "'");
    waiting_client client(options);
    seen = failure_of([&] { each.act(at, client); });
  }
  INFO(each.name << " with '" << fault << "': " << seen.text);
  CHECK(!has(seen.text, "WRONG DATA"));
  CHECK(open_descriptors() == before);
  at.proxy.tell("clear");
  at.nothing_left();
  return seen;
}

/// Once: it is done again, and ends well.
void overcome(place& at, const actions& all, const names& faults) {
  for (const std::string& fault : faults) {
    const std::string name = fault.substr(0, fault.find(' '));
    for (const action& each : all) {
      const long hits = at.proxy.count(name);
      at.proxy.tell("arm " + fault);
      const failure seen = outcome(at, each, fault, hasty(at.proxy.endpoint(), fault));
      INFO(each.name << " with one '" << fault << "': " << seen.text);
      CHECK(!seen.happened);
      CHECK(at.proxy.count(name) == hits + 1);
    }
  }
}

/// Always: it ends with one of these errors.
void told_of(place& at, const actions& all, const std::string& fault, const std::vector<errc>& expected) {
  for (const action& each : all) {
    s3::client_options options = hasty(at.proxy.endpoint(), fault);
    options.retry.attempts = 3;
    at.proxy.tell("arm " + fault + " times=-1");
    const failure seen = outcome(at, each, fault, options);
    INFO(each.name << " with '" << fault << "' for ever: " << static_cast<int>(seen.code) << ": " << seen.text);
    CHECK(seen.happened);
    CHECK(std::count(expected.begin(), expected.end(), seen.code) == 1);
    CHECK(has(seen.text, at.bucket.name()));
  }
}

const names of_the_connection = {"reset", "close", "stall", "garbage", "bad_head", "endless_head lines=100"};
const names of_the_server = {"answer", "answer status=500 code=InternalError", "answer retry_after=1",
                             "answer status=503 code=ServiceUnavailable", "early_answer"};
const names of_the_answer = {"lost_answer", "slow_first_byte seconds=0.3", "split", "informational", "close_after"};

names for_each(const std::string& rule, std::initializer_list<names> groups) {
  names all;
  for (const names& group : groups)
    for (const std::string& fault : group) all.push_back(fault + " " + rule);
  return all;
}

}  // namespace

TEST_CASE("downloads overcome faults", "[.faults]") {
  place at;
  overcome(at, downloads, for_each("method=GET", {of_the_connection, of_the_server, of_the_answer}));
  overcome(
      at, downloads,
      {"truncate at=0.5", "truncate at=0", "reset_body at=0.5", "stall_body at=0.5", "drip bytes=20000 pause=0.001",
       "long_length by=7", "short_length by=7", "chunked", "chunked_truncate at=0.5", "until_close"});
  overcome(at, {get_parts, get_file, stream},
           {"reset after=2", "truncate at=0.9 after=3", "stall_body at=0.1 after=2"});
}

TEST_CASE("uploads overcome faults", "[.faults]") {
  place at;
  overcome(at, uploads, for_each("method=PUT", {of_the_connection, of_the_server, of_the_answer}));
  overcome(at, uploads, for_each("method=PUT", {{"reset at=0.5", "close at=0.5", "stall_upload at=0.5"}}));
  const actions parts{put_file, put_pieces};
  overcome(at, parts, for_each("method=POST target=uploads", {of_the_connection, of_the_server}));
  overcome(at, parts,
           for_each("method=POST target=uploadId",
                    {of_the_connection,
                     of_the_server,
                     of_the_answer,
                     {"error_in_200", "truncate at=0.5", "reset_body", "stall_body", "garbage_xml"}}));
}

TEST_CASE("other requests overcome faults", "[.faults]") {
  place at;
  const actions all{list, head, remove_many, copy};
  overcome(at, all, of_the_connection);
  overcome(at, all, {"answer", "answer status=500 code=InternalError", "lost_answer", "split", "close_after"});
  overcome(at, {list, remove_many},
           {"garbage_xml", "truncate", "reset_body", "stall_body", "until_close", "long_length"});
  overcome(at, {remove_many, copy}, {"error_in_200"});
  overcome(at, {list}, {"corrupt at=0.99"});  // a letter of the last tag
}

TEST_CASE("faults that do not end are told of", "[.faults]") {
  place at;
  const actions some{get_file, stream, put_file, list};
  for (const char* fault : {"reset", "close", "stall", "lost_answer", "truncate method=GET", "stall_body method=GET"}) {
    if (has(fault, "method=GET")) {
      told_of(at, {get_file, stream, list}, fault, {errc::unreachable});
    } else if (has(fault, "lost_answer")) {  // of a request that begins an upload it would leave that upload
      told_of(at, {get_file, stream, put, list}, fault, {errc::unreachable});
    } else {
      told_of(at, some, fault, {errc::unreachable});
    }
  }
  for (const char* fault : {"garbage", "bad_head", "endless_head lines=100"})
    told_of(at, some, fault, {errc::unreachable, errc::protocol});
  told_of(at, some, "answer", {errc::storage, errc::unreachable});
  told_of(at, some, "answer status=500 code=InternalError", {errc::storage, errc::unreachable});
  told_of(at, some, "answer status=403 code=AccessDenied", {errc::access_denied});
  told_of(at, {put, put_file, put_pieces}, "early_answer method=PUT", {errc::storage, errc::unreachable});
  told_of(at, {put, put_file, put_pieces}, "answer method=PUT status=403 code=AccessDenied early=1",
          {errc::access_denied});
  told_of(at, {put, put_file, put_pieces}, "stall_upload method=PUT at=0.3", {errc::unreachable});
  told_of(at, {put_file, put_pieces}, "answer method=POST target=uploadId", {errc::storage, errc::unreachable});
  told_of(at, {put_file}, "error_in_200 method=POST target=uploadId", {errc::storage});
  told_of(at, {copy}, "error_in_200", {errc::storage});
  told_of(at, {list}, "garbage_xml", {errc::codec, errc::protocol, errc::corrupted, errc::storage});
  told_of(at, {get_file, stream, get_parts}, "long_length method=GET",
          {errc::unreachable, errc::protocol, errc::corrupted});
  told_of(at, {get_file, stream, get_parts}, "short_length method=GET",
          {errc::unreachable, errc::protocol, errc::corrupted});
  told_of(at, {get_file, stream, get_parts}, "header field=ETag value=other after=1",
          {errc::precondition_failed, errc::corrupted});
  at.proxy.tell("refuse");
  for (const action& each : some) {
    const failure seen = outcome(at, each, "refuse", hasty(at.proxy.endpoint()));
    CHECK(seen.code == errc::unreachable);
  }
}

TEST_CASE("a redirect that leads nowhere ends", "[.faults]") {
  place at;
  told_of(at, {get, list}, "answer status=307 code=TemporaryRedirect header=Location:" + at.proxy.endpoint() + "/loop",
          {errc::storage, errc::unreachable, errc::protocol});
  told_of(at, {get, list}, "answer status=301 code=PermanentRedirect header=x-amz-bucket-region:eu-west-1",
          {errc::storage, errc::unreachable, errc::protocol});
}

TEST_CASE("a checksum that does not fit is told of", "[.faults]") {
  place at;
  at.bucket.direct().put(at.bucket, "check", "123456789");
  waiting_client client(hasty(at.proxy.endpoint()));
  s3::get_options verifying;
  verifying.verify_checksum = true;
  at.proxy.tell("arm header field=x-amz-checksum-crc32c value=4waSgw==");  // of 123456789
  CHECK(client.get(at.bucket, "check", verifying) == "123456789");
  at.proxy.tell("arm header field=x-amz-checksum-crc32c value=4waSgQ== times=-1");
  const failure seen = failure_of([&] { client.get(at.bucket, "check", verifying); });
  INFO(seen.text);
  CHECK(seen.code == errc::corrupted);
  CHECK(failure_of([&] { joined(client.stream(at.bucket, "check", verifying)); }).code == errc::corrupted);
  CHECK(failure_of([&] { client.get_to_file(at.bucket, "check", at.folder / "target", verifying); }).code ==
        errc::corrupted);
  CHECK(files_in(at.folder.path()) == names{"source"});
  CHECK(client.get(at.bucket, "check") == "123456789");
}

TEST_CASE("an object that is replaced behind the first piece is an error", "[.faults]") {
  place at;
  for (const action& each : {get_parts, get_file, stream}) {
    at.bucket.direct().put(at.bucket, "large", at.large);
    watchdog dog(std::string(each.name) + " of an object that is replaced");
    waiting_client client(hasty(at.proxy.endpoint(), "stall"));
    const long before = at.proxy.count("stall");
    // The parts behind the first one do not get through until the object is another.
    at.proxy.tell("arm stall method=GET after=1 times=-1");
    failure seen;
    std::thread reader([&] { seen = failure_of([&] { each.act(at, client); }); });
    while (at.proxy.count("stall") == before) std::this_thread::sleep_for(milliseconds(5));
    at.bucket.direct().put(at.bucket, "large", noise(at.large.size(), 78));
    at.proxy.tell("clear");
    reader.join();
    INFO(each.name << ": " << seen.text);
    CHECK(seen.happened);
    CHECK((seen.code == errc::precondition_failed || seen.code == errc::corrupted));
  }
  at.nothing_left();
}

TEST_CASE("what is cancelled ends at once and leaves nothing", "[.faults]") {
  place at;
  const std::size_t before = open_descriptors();
  for (const action& each : {get, get_parts, get_file, stream, put, put_file, put_pieces, list, copy, remove_many}) {
    for (const std::string fault : {"hold", "stall_upload at=0.5 method=PUT"}) {
      if (has(fault, "PUT") != (each.name == std::string("put") || has(each.name, "put from"))) continue;
      INFO(each.name << " with '" << fault << "'");
      s3::client_options options = hasty(at.proxy.endpoint());
      options.idle_timeout = std::chrono::minutes(2);
      watchdog dog(std::string(each.name) + " cancelled with '" + fault + "'", std::chrono::seconds(60));
      {
        waiting_client client(options);
        std::stop_source stop;
        client.stop = stop.get_token();
        const std::string name = fault.substr(0, fault.find(' '));
        const long hits = at.proxy.count(name);
        at.proxy.tell("arm " + fault + " times=-1");
        std::thread canceller([&] {
          while (at.proxy.count(name) == hits) std::this_thread::sleep_for(milliseconds(5));
          stop.request_stop();
        });
        const failure seen = failure_of([&] { each.act(at, client); });
        canceller.join();
        INFO(seen.text);
        CHECK(seen.code == errc::cancelled);
      }
      at.proxy.tell("clear");
      at.nothing_left();
    }
  }
  CHECK(open_descriptors() == before);
}

TEST_CASE("a slow first byte is overtaken", "[.faults]") {
  place at;
  s3::client_options options = hasty(at.proxy.endpoint());
  options.idle_timeout = std::chrono::minutes(1);
  options.hedge_at_least = milliseconds(20);
  waiting_client client(options);
  watchdog dog("hedging", std::chrono::seconds(60));
  for (int i = 0; i < 200; ++i) client.get(at.bucket, "small");
  at.proxy.tell("arm hold method=GET");  // which is not let go on
  same(client.get(at.bucket, "small"), at.small);
  at.proxy.tell("clear");
}

TEST_CASE("random faults change no bytes", "[.faults]") {
  const char* const wanted = std::getenv("COROLITH_S3_FAULT_MIB");
  const char* const given = std::getenv("COROLITH_S3_FAULT_SEED");
  const std::size_t total = (wanted != nullptr ? std::stoull(wanted) : 256) * mib;
  const std::string seed = given != nullptr ? given : std::to_string(std::random_device{}());
  std::cout << "random faults: COROLITH_S3_FAULT_SEED=" << seed << ", " << total / mib << " MiB" << std::endl;
  INFO("COROLITH_S3_FAULT_SEED=" << seed);

  own_bucket bucket;
  test_support::scratch folder;
  fault_proxy proxy(server().endpoint, {"--seed", seed, "--share", "0.1"});
  std::mt19937_64 dice(std::stoull(seed));
  const std::size_t before = open_descriptors();
  std::size_t moved = 0, objects = 0;
  {
    s3::client_options options = hasty(proxy.endpoint(), "stall");
    options.part_size = 256 * 1024;
    options.retry.attempts = 15;
    waiting_client client(options);
    const std::size_t sizes[] = {0, 1, 5000, 300'000, 3 * mib, 5 * mib, 5 * mib + 1, 12 * mib, 24 * mib};
    while (moved < total) {
      watchdog dog("random faults, object " + std::to_string(objects), std::chrono::seconds(300));
      std::size_t size = sizes[dice() % std::size(sizes)];
      if (size > 5000 && dice() % 2 == 0) size -= dice() % 4000;
      const std::string body = noise(size, dice()), digest = sha256(body), key = "key-" + std::to_string(objects);
      INFO("object " << objects << " of " << size << " bytes");
      const auto way = dice() % 3, back = dice() % 4;
      const failure sent = failure_of([&] {
        if (way == 0) client.put(bucket, key, body);
        if (way == 1) client.put_pieces(bucket, key, cut(body, 1 + dice() % 2'000'000));
        if (way == 2) {
          write_file(folder / "source", body);
          client.put_file(bucket, key, folder / "source");
        }
      });
      INFO("put " << way << ": " << sent.text);
      REQUIRE(!sent.happened);
      std::string found;
      const failure received = failure_of([&] {
        if (back == 0) found = client.get(bucket, key);
        if (back == 1) found = joined(client.stream(bucket, key));
        if (back == 2) {
          found.resize(size);
          found.resize(client.get_into(bucket, key, found));
        }
        if (back == 3) {
          client.get_to_file(bucket, key, folder / "target");
          found = read_file(folder / "target");
        }
      });
      INFO("get " << back << ": " << received.text);
      REQUIRE(!received.happened);
      REQUIRE(sha256(found) == digest);
      bucket.direct().remove(bucket, key);
      std::filesystem::remove(folder / "source");
      std::filesystem::remove(folder / "target");
      CHECK(files_in(folder.path()).empty());
      moved += size;
      ++objects;
    }
  }
  const std::string report = proxy.tell("report");
  std::cout << "random faults: " << objects << " objects; " << report << std::endl;
  CHECK(proxy.count("faults") > 0);
  CHECK(bucket.unfinished().empty());
  CHECK(bucket.direct().keys(bucket).empty());
  CHECK(open_descriptors() == before);
}
