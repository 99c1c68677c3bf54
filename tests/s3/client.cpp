// SPDX-License-Identifier: Apache-2.0
// What the client asks for, and what it makes of the answers, when nothing goes wrong.
#include "client_support.hpp"

#include <corolith/coro/when_all.hpp>
#include <corolith/s3/multipart.hpp>

#include <filesystem>

#include <sys/stat.h>

using namespace s3_test;

TEST_CASE("a small object is got by one request") {
  fake_s3 server;
  server.set("/b/k", "hello");
  const s3::client client(options_for(server));
  CHECK(sync_wait(client.get_text("b", "k")) == "hello");
  CHECK(server.requests().size() == 1);
  CHECK(server.requests().at(0).header("range") == "bytes=0-65535");
  CHECK(to_text(sync_wait(client.get("b", "k"))) == "hello");
  CHECK(server.connections() == 1);
  CHECK(client.counters().connections_reused == 1);
  CHECK(client.counters().requests == 2);
  CHECK(client.counters().bytes_received == 10);
}

TEST_CASE("an empty object is got") {
  fake_s3 server;
  server.set("/b/k", "");
  const s3::client client(options_for(server));
  CHECK(sync_wait(client.get("b", "k")).empty());
  CHECK(sync_wait(client.get_into("b", "k", {})) == 0);
  CHECK(sync_wait(gather(client.stream("b", "k"))).empty());
  const scratch folder;
  CHECK(sync_wait(client.get_to_file("b", "k", folder / "k")).size == 0);
  CHECK(std::filesystem::file_size(folder / "k") == 0);
}

TEST_CASE("a large object comes in parts, of one object, into each place") {
  fake_s3 server;
  const std::string content = noise(10 * 65536 + 123, 1);
  server.set("/b/k", content);
  const unsigned threads = GENERATE(1U, 2U);
  s3::client_options options = options_for(server);
  options.io_threads = threads;
  const s3::client client(options);

  CHECK(to_text(sync_wait(client.get("b", "k"))) == content);
  CHECK(server.requests().size() == 11);
  for (std::size_t i = 1; i < 11; ++i)
    CHECK(server.requests().at(i).header("if-match") == '"' + fake_s3::etag_of(content) + '"');

  std::vector<std::byte> place(content.size() + 10);
  CHECK(sync_wait(client.get_into("b", "k", place)) == content.size());
  CHECK(to_text(place).substr(0, content.size()) == content);

  const scratch folder;
  const s3::object_info info = sync_wait(client.get_to_file("b", "k", folder / "file"));
  CHECK(info.size == content.size());
  CHECK(info.etag == fake_s3::etag_of(content));
  CHECK(read_file(folder / "file") == content);

  CHECK(sync_wait(gather(client.stream("b", "k"))) == content);
  CHECK(client.counters().memory_in_use == 0);
}

TEST_CASE("ranges are those of the object") {
  fake_s3 server;
  const std::string content = noise(300'000, 2);
  server.set("/b/k", content);
  const s3::client client(options_for(server));
  const auto range = [&](std::optional<std::uint64_t> first, std::optional<std::uint64_t> last) {
    s3::get_options how;
    how.range.first = first;
    how.range.last = last;
    const std::string got = sync_wait(client.get_text("b", "k", how));
    CHECK(sync_wait(gather(client.stream("b", "k", how))) == got);
    return got;
  };
  CHECK(range(10, 19) == content.substr(10, 10));
  CHECK(range(0, 0) == content.substr(0, 1));
  CHECK(range(100'000, {}) == content.substr(100'000));
  CHECK(range(100'000, 900'000) == content.substr(100'000));
  CHECK(range(1, 299'998) == content.substr(1, 299'998));
  CHECK(range({}, 7) == content.substr(content.size() - 7));
  CHECK(range({}, 200'000) == content.substr(content.size() - 200'000));
  CHECK(range({}, 900'000) == content);
  CHECK(to_text(sync_wait(client.get_range("b", "k", 5, 6))) == content.substr(5, 2));
  CHECK(code_of([&] { sync_wait(client.get_range("b", "k", 300'000, 300'001)); }) == errc::storage);
  CHECK(code_of([&] { sync_wait(client.get_range("b", "k", 6, 5)); }) == errc::misuse);
}

TEST_CASE("what does not fit is refused") {
  fake_s3 server;
  server.set("/b/k", noise(100'000, 3));
  const s3::client client(options_for(server));
  std::vector<std::byte> small(1000);
  CHECK(code_of([&] { sync_wait(client.get_into("b", "k", small)); }) == errc::misuse);
  CHECK(code_of([&] { sync_wait(client.get_into("b", "k", {})); }) == errc::misuse);
}

TEST_CASE("a server that knows no ranges is understood") {
  fake_s3 server;
  const std::string content = noise(300'000, 4);
  server.set("/b/k", content);
  const auto script = server.on([&](peer& to, const seen_request& request) {
    if (request.method != "GET") return false;
    to.answer(content, "etag: \"" + fake_s3::etag_of(content) + "\"\r\n");
    return true;
  });
  const s3::client client(options_for(server));
  CHECK(sync_wait(client.get_text("b", "k")) == content);
  CHECK(server.requests().size() == 1);
  CHECK(sync_wait(gather(client.stream("b", "k"))) == content);
  CHECK(to_text(sync_wait(client.get_range("b", "k", 70'000, 80'000))) == content.substr(70'000, 10'001));
  const scratch folder;
  sync_wait(client.get_to_file("b", "k", folder / "k"));
  CHECK(read_file(folder / "k") == content);
}

TEST_CASE("small objects are put by one request") {
  fake_s3 server;
  const s3::client client(options_for(server));
  s3::put_options how;
  how.headers.content_type = "text/plain";
  how.headers.metadata["color"] = "blue";
  how.storage_class = "STANDARD_IA";
  const s3::put_result made = sync_wait(client.put("b", "k", "hello", how));
  CHECK(made.etag == fake_s3::etag_of("hello"));
  CHECK(server.content("/b/k") == "hello");
  const seen_request seen = server.requests().at(0);
  CHECK(seen.header("content-type") == "text/plain");
  CHECK(seen.header("x-amz-meta-color") == "blue");
  CHECK(seen.header("x-amz-storage-class") == "STANDARD_IA");
  CHECK(seen.header("x-amz-content-sha256") == "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
  CHECK(seen.header("user-agent").starts_with("corolith/"));
  sync_wait(client.put("b", "empty", ""));
  CHECK(server.content("/b/empty") == "");
  CHECK(server.requests().at(1).header("content-length") == "0");
}

TEST_CASE("large objects are put in parts, from each source") {
  fake_s3 server;
  const std::string content = noise(12 * mib + 17, 5);
  const unsigned threads = GENERATE(1U, 2U);
  s3::client_options options = options_for(server);
  options.io_threads = threads;
  options.signing = s3::payload_signing::never;
  const s3::client client(options);
  const scratch folder;
  write_file(folder / "file", content);

  SECTION("memory") { sync_wait(client.put("b", "k", content)); }
  SECTION("a file") { sync_wait(client.put("b", "k", corolith::from_file(folder / "file"))); }
  SECTION("a stream of small pieces") { sync_wait(client.put("b", "k", pieces_of(content, 1000))); }
  SECTION("a stream of large pieces") { sync_wait(client.put("b", "k", pieces_of(content, 7 * mib))); }
  CHECK(server.content("/b/k") == content);
  CHECK(server.count("PUT ?partNumber") == 3);
  CHECK(server.uploads() == 0);
  CHECK(client.counters().bytes_sent == content.size());
  CHECK(client.counters().memory_in_use == 0);
}

TEST_CASE("short streams, files and pipes are put by one request") {
  fake_s3 server;
  const s3::client client(options_for(server));
  const scratch folder;
  sync_wait(client.put("b", "stream", pieces_of("a few words", 3)));
  CHECK(server.content("/b/stream") == "a few words");
  sync_wait(client.put("b", "nothing", pieces_of("", 3)));
  CHECK(server.content("/b/nothing") == "");
  write_file(folder / "file", "content of a file");
  sync_wait(client.put("b", "file", corolith::from_file(folder / "file")));
  CHECK(server.content("/b/file") == "content of a file");
  write_file(folder / "empty", "");
  sync_wait(client.put("b", "empty", corolith::from_file(folder / "empty")));
  CHECK(server.content("/b/empty") == "");

  const std::string pipe = folder / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  std::thread writer([&] { write_file(pipe, "through a pipe"); });
  sync_wait(client.put("b", "pipe", corolith::from_file(pipe)));
  writer.join();
  CHECK(server.content("/b/pipe") == "through a pipe");

  CHECK(code_of([&] { sync_wait(client.put("b", "k", corolith::from_file(folder / "missing"))); }) == errc::storage);
  CHECK(code_of([&] { sync_wait(client.put("b", "k", corolith::from_file(folder.path()))); }) == errc::misuse);
  CHECK(!server.content("/b/k"));
}

TEST_CASE("head, exists, remove") {
  fake_s3 server;
  server.set("/b/k", "hello");
  const s3::client client(options_for(server));
  const s3::object_info info = sync_wait(client.head("b", "k"));
  CHECK(info.size == 5);
  CHECK(info.etag == fake_s3::etag_of("hello"));
  CHECK(info.last_modified.has_value());
  CHECK(sync_wait(client.exists("b", "k")));
  CHECK(code_of([&] { sync_wait(client.head("b", "none")); }) == errc::not_found);
  CHECK(!sync_wait(client.exists("b", "none")));
  sync_wait(client.remove("b", "k"));
  sync_wait(client.remove("b", "k"));
  CHECK(!sync_wait(client.exists("b", "k")));
}

TEST_CASE("conditions are sent, and their failure has its error") {
  fake_s3 server;
  server.set("/b/k", "hello");
  const s3::client client(options_for(server));
  s3::put_options only_new;
  only_new.when.if_none_match = "*";
  CHECK(code_of([&] { sync_wait(client.put("b", "k", "other", only_new)); }) == errc::precondition_failed);
  CHECK(server.content("/b/k") == "hello");
  s3::get_options changed;
  changed.when.if_none_match = fake_s3::etag_of("hello");
  try {
    sync_wait(client.get("b", "k", changed));
    FAIL("nothing was thrown");
  } catch (const s3::s3_error& refused) {
    CHECK(refused.not_modified());
    CHECK(refused.code() == errc::precondition_failed);
    CHECK(refused.key() == "k");
  }
}

TEST_CASE("listings come page by page") {
  fake_s3 server;
  std::vector<std::string> all;
  for (int i = 0; i < 25; ++i) {
    all.push_back("p/" + std::to_string(100 + i) + " x");
    server.set("/b/" + all.back(), "x");
  }
  server.set("/b/other", "");
  const s3::client client(options_for(server));
  s3::list_options what;
  what.prefix = "p/";
  what.page_size = 10;
  CHECK(sync_wait(keys_of(client.list("b", what))) == all);
  CHECK(server.requests().size() == 3);
  CHECK(sync_wait(keys_of(client.list("b", "none"))).empty());
}

TEST_CASE("many keys are removed by few requests") {
  fake_s3 server;
  const auto script = server.on([](peer& to, const seen_request& request) {
    if (request.kind() != "POST ?delete") return false;
    to.answer(
        "<DeleteResult><Error><Key>k7</Key><Code>AccessDenied</Code><Message>no</Message></Error></DeleteResult>");
    return true;
  });
  const s3::client client(options_for(server));
  std::vector<std::string> keys;
  for (int i = 0; i < 2500; ++i) keys.push_back("k" + std::to_string(i));
  const auto left = sync_wait(client.remove_many("b", keys));
  CHECK(server.requests().size() == 3);
  REQUIRE(left.size() == 3);  // the same one in each answer
  CHECK(left[0].key == "k7");
  CHECK(left[0].code == "AccessDenied");
  CHECK(!server.requests().at(0).header("content-md5").empty());
  CHECK(sync_wait(client.remove_many("b", {})).empty());
}

TEST_CASE("copies stay within the service, large ones in parts") {
  fake_s3 server;
  const std::string content = noise(11 * mib, 6);
  server.set("/b/with space", content);
  s3::client_options options = options_for(server);
  SECTION("at once") {
    const s3::client client(options);
    CHECK(sync_wait(client.copy("b", "with space", "b", "to")).etag == fake_s3::etag_of(content));
    CHECK(server.count("PUT") == 1);
  }
  SECTION("in parts") {
    options.copy_in_parts_above = 5 * mib;
    const s3::client client(options);
    sync_wait(client.copy("b", "with space", "b", "to"));
    CHECK(server.count("PUT ?partNumber") == 3);
    CHECK(server.uploads() == 0);
  }
  CHECK(server.content("/b/to") == content);
}

TEST_CASE("uploads can be made by hand") {
  fake_s3 server;
  const s3::client client(options_for(server));
  const std::string id = sync_wait(s3::create_upload(client, "b", "k"));
  const std::vector<std::byte> one = to_bytes("one "), two = to_bytes("two");
  std::vector<s3::part_info> parts(2);
  parts[1] = sync_wait(s3::upload_part(client, "b", "k", id, 2, two));
  parts[0] = sync_wait(s3::upload_part(client, "b", "k", id, 1, one));
  CHECK(parts[0].etag == fake_s3::etag_of("one "));
  CHECK(sync_wait(s3::complete_upload(client, "b", "k", id, parts)).etag.ends_with("-2"));
  CHECK(server.content("/b/k") == "one two");
  const std::string dropped = sync_wait(s3::create_upload(client, "b", "k"));
  sync_wait(s3::abort_upload(client, "b", "k", dropped));
  CHECK(server.uploads() == 0);
  CHECK(code_of([&] { sync_wait(s3::abort_upload(client, "b", "k", dropped)); }) == errc::not_found);
}

TEST_CASE("URLs are signed for others") {
  fake_s3 server;
  const s3::client client(options_for(server));
  const std::string url = sync_wait(client.presign("b", "a key"));
  CHECK(url.starts_with(server.url() + "/b/a%20key?"));
  CHECK(url.find("X-Amz-Expires=3600") != std::string::npos);
  CHECK(url.find("X-Amz-Signature=") != std::string::npos);
  CHECK(server.requests().empty());
}

TEST_CASE("many small requests share few connections") {
  fake_s3 server;
  server.set("/b/k", "hello");
  const s3::client client(options_for(server));
  std::vector<task<std::string>> all;
  for (int i = 0; i < 200; ++i) all.push_back(client.get_text("b", "k"));
  for (const std::string& got : sync_wait(corolith::when_all(std::move(all)))) CHECK(got == "hello");
  CHECK(server.connections() <= 4);
}
