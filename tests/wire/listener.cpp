// SPDX-License-Identifier: Apache-2.0
#include <corolith/wire/listener.hpp>

#include <corolith/wire/transport.hpp>

#include "support.hpp"

#include <asio/connect.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read.hpp>
#include <asio/write.hpp>

#include <fstream>
#include <list>
#include <optional>
#include <string>

#include <sys/stat.h>

using namespace wire_test;

namespace {

program_id program(int of) {
  program_id made{};
  made[5] = static_cast<std::byte>(of);
  return made;
}

/// A listener, and one peer that tries to connect to it.
struct meeting {
  asio::io_context io{1};
  temporary_folder folder;
  std::optional<secret> server_secret, client_secret;
  hello driver{role::driver, program(1), protocol_version};
  hello agent{role::agent, program(1), protocol_version};
  role server_expects = role::agent, client_expects = role::driver;

  std::shared_ptr<listener> listening;
  std::shared_ptr<channel> accepted, connected;
  hello said;
  std::exception_ptr refused, failed;
  int calls = 0;

  void listen(const address& where, listener_limits limits = {}) {
    listener::events events;
    events.on_accept = [this](std::shared_ptr<channel> peer, hello theirs) {
      accepted = std::move(peer);
      said = theirs;
    };
    events.on_refused = [this](std::exception_ptr why) { refused = std::move(why); };
    listening = listener::listen(io, where, server_secret, driver, server_expects, std::move(events), limits);
  }
  void listen_local() { listen(address::unix_path(folder / "run/driver")); }
  void listen_tcp(listener_limits limits = {}) {
    if (!server_secret) server_secret = client_secret = secret::make();
    listen(address::tcp("127.0.0.1", 0), limits);
  }
  void connect() {
    async_connect(io, listening->local_address(), client_secret, agent, client_expects,
                  [this](std::exception_ptr error, std::shared_ptr<channel> made) {
                    ++calls;
                    failed = std::move(error);
                    connected = std::move(made);
                  });
  }
  void meet() {
    connect();
    run_until(io, [&] { return calls == 1 && (accepted || refused); });
  }
  void check_refused(const std::string& server_says, const std::string& client_says) {
    meet();
    CHECK_FALSE(accepted);
    CHECK_FALSE(connected);
    CHECK(code_of(refused) == errc::refused);
    CHECK(code_of(failed) == errc::refused);
    CHECK_THAT(what_of(refused), Catch::Contains(server_says));
    CHECK_THAT(what_of(failed), Catch::Contains(client_says));
    CHECK(listening->unauthenticated() == 0);
  }
};

void check_talk(meeting& m) {
  REQUIRE(m.accepted);
  REQUIRE(m.connected);
  CHECK(m.said.role == role::agent);
  CHECK(m.said.program == program(1));
  end server, client;
  server.wire = m.accepted;
  client.wire = m.connected;
  server.wire->start(server.recording());
  client.wire->start(client.recording());
  client.wire->send(message_type::agent_hello, shared("here I am"));
  server.wire->send(message_type::welcome, shared("welcome"));
  run_until(m.io, [&] { return server.got.size() == 1 && client.got.size() == 1; });
  CHECK(text(server.got[0].body) == "here I am");
  CHECK(text(client.got[0].body) == "welcome");
}

/// Connects a bare socket to a TCP listener.
asio::ip::tcp::socket raw_tcp(meeting& m) {
  asio::ip::tcp::socket raw(m.io);
  raw.connect({asio::ip::make_address("127.0.0.1"), m.listening->local_address().port});
  return raw;
}

}  // namespace

TEST_CASE("peers meet over a unix socket in a folder made for it") {
  meeting m;
  m.listen_local();
  struct stat facts{};
  REQUIRE(::stat((m.folder / "run").c_str(), &facts) == 0);
  CHECK((facts.st_mode & 0777) == 0700);
  m.meet();
  check_talk(m);
  m.listening->close();
  CHECK(::stat((m.folder / "run/driver").c_str(), &facts) != 0);
}

TEST_CASE("peers meet over TCP with the same secret") {
  meeting m;
  m.listen_tcp();
  CHECK(m.listening->local_address().port != 0);
  m.meet();
  check_talk(m);
}

TEST_CASE("any program will do for who says none") {
  meeting m;
  SECTION("the server") { m.driver.program = {}; }
  SECTION("the client") {
    m.agent.program = {};
    m.said.program = program(1);
  }
  m.listen_local();
  m.meet();
  CHECK(m.accepted);
  CHECK(m.connected);
}

TEST_CASE("a peer that does not fit is refused on both ends with the reason") {
  meeting m;
  bool over_tcp = GENERATE(false, true);
  std::string server_says, client_says;
  SECTION("version") {
    m.agent.version = 77;
    const std::string ours = std::to_string(protocol_version);
    server_says = "speaks protocol version 77 and this end version " + ours;
    client_says = "speaks protocol version " + ours + " and this end version 77";
  }
  SECTION("program") {
    m.agent.program = program(2);
    server_says = client_says = "start both ends from the same executable";
  }
  SECTION("role") {
    m.agent.role = role::worker;
    server_says = "it came as worker where a peer as agent was expected";
    client_says = "it refuses a peer as worker; it is a driver";
  }
  over_tcp ? m.listen_tcp() : m.listen_local();
  m.check_refused(server_says, client_says);
}

TEST_CASE("a client checks the role of the server") {
  meeting m;
  m.client_expects = role::agent;
  m.listen_local();
  m.connect();
  run_until(m.io, [&] { return m.calls == 1; });
  CHECK(code_of(m.failed) == errc::refused);
  CHECK_THAT(what_of(m.failed), Catch::Contains("driver, not as agent"));
}

TEST_CASE("another secret is refused on both ends, and both say which to compare") {
  meeting m;
  secret server = secret::make(), client = secret::make();
  server.save(m.folder / "server.secret");
  client.save(m.folder / "client.secret");
  m.server_secret = server;
  m.client_secret = client;
  m.listen_tcp();
  m.meet();
  m.check_refused(m.folder / "server.secret", m.folder / "client.secret");
  CHECK_THAT(what_of(m.refused), Catch::Contains(client.fingerprint()) && Catch::Contains(server.fingerprint()));
  CHECK_THAT(what_of(m.failed), Catch::Contains(client.fingerprint()));
}

TEST_CASE("TCP without a secret is refused before anything is sent") {
  meeting m;
  CHECK_THROWS_WITH(m.listen(address::tcp("127.0.0.1", 0)), Catch::Contains("needs a shared secret"));
  m.listen_tcp();
  m.client_secret.reset();
  m.connect();
  run_until(m.io, [&] { return m.calls == 1; });
  CHECK_THAT(what_of(m.failed), Catch::Contains("needs a shared secret"));
}

TEST_CASE("who speaks something else is refused over TCP") {
  meeting m;
  m.listen_tcp();
  auto raw = raw_tcp(m);
  std::string input;
  SECTION("a web client") { input = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"; }
  SECTION("a peer without TLS") { input = text(format_preamble(m.agent, verdict::none)); }
  SECTION("random bytes") { input = text(pattern(3000, 9)); }
  SECTION("a TLS record of impossible length") {
    input = std::string("\x16\x03\x01\xff\xff", 5) + std::string(100, 'x');
  }
  asio::write(raw, asio::buffer(input));
  run_until(m.io, [&] { return m.refused != nullptr; });
  CHECK(code_of(m.refused) == errc::refused);
  CHECK_THAT(what_of(m.refused), Catch::Contains("plain-text client") || Catch::Contains("TLS handshake failed"));
  CHECK(m.listening->unauthenticated() == 0);
  CHECK_FALSE(m.accepted);
}

TEST_CASE("who speaks something else is refused over a unix socket") {
  meeting m;
  m.listen_local();
  asio::local::stream_protocol::socket raw(m.io);
  raw.connect(asio::local::stream_protocol::endpoint(m.listening->local_address().path));
  std::string input, why = "does not speak corolith's protocol";
  SECTION("a short line") { input = "hi\n"; }
  SECTION("random bytes") { input = text(pattern(3000, 9)); }
  SECTION("half a preamble, then the end") {
    input = text(format_preamble(m.agent, verdict::none)).substr(0, 30);
    why = "before it introduced itself";
  }
  asio::write(raw, asio::buffer(input));
  raw.shutdown(asio::local::stream_protocol::socket::shutdown_send);
  run_until(m.io, [&] { return m.refused != nullptr; });
  CHECK(code_of(m.refused) == errc::refused);
  CHECK_THAT(what_of(m.refused), Catch::Contains(why));
  CHECK_FALSE(m.accepted);
}

TEST_CASE("a server that is something else is recognised") {
  asio::io_context io(1);
  temporary_folder folder;
  asio::local::stream_protocol::acceptor other(io, asio::local::stream_protocol::endpoint(folder / "other"));
  std::string greeting = "220 mail.example.org ESMTP, at your service since the dawn of time, please say hello";
  SECTION("talks first") {}
  SECTION("hangs up") { greeting.clear(); }
  other.async_accept(
      [&](std::error_code, asio::local::stream_protocol::socket peer) { asio::write(peer, asio::buffer(greeting)); });
  std::exception_ptr failed;
  async_connect(io, address::unix_path(folder / "other"), {}, hello{role::agent, {}, protocol_version}, role::driver,
                [&](std::exception_ptr error, std::shared_ptr<channel>) { failed = std::move(error); });
  run_until(io, [&] { return failed != nullptr; });
  CHECK((code_of(failed) == errc::refused || code_of(failed) == errc::peer_closed));
}

TEST_CASE("strangers are bounded, and do not keep friends out") {
  meeting m;
  bool over_tcp = GENERATE(false, true);
  listener_limits limits;
  limits.max_unauthenticated = 16;
  limits.patience_when_full = std::chrono::milliseconds(1);
  if (over_tcp)
    m.listen_tcp(limits);
  else
    m.listen(address::unix_path(m.folder / "run/driver"), limits);
  std::list<asio::ip::tcp::socket> tcp_strangers;
  std::list<asio::local::stream_protocol::socket> local_strangers;
  std::size_t most = 0;
  auto look = [&] { most = std::max(most, m.listening->unauthenticated()); };
  for (int i = 0; i < 200; ++i) {
    if (over_tcp) {
      tcp_strangers.push_back(raw_tcp(m));
    } else {
      local_strangers.emplace_back(m.io);
      local_strangers.back().connect(asio::local::stream_protocol::endpoint(m.listening->local_address().path));
    }
    m.io.poll();
    look();
  }
  m.connect();
  run_until(m.io, [&] {
    look();
    return m.accepted && m.connected;
  });
  CHECK(most <= 16);
  CHECK(most > 1);  // some of the full house may be sent away in the very turn in which the last came
  check_talk(m);
}

TEST_CASE("a stranger that says nothing is sent away after the deadline") {
  meeting m;
  listener_limits limits;
  limits.deadline = std::chrono::milliseconds(20);
  m.listen_tcp(limits);
  auto raw = raw_tcp(m);
  run_until(m.io, [&] { return m.refused != nullptr; });
  CHECK_THAT(what_of(m.refused), Catch::Contains("in time"));
  CHECK(m.listening->unauthenticated() == 0);
}

TEST_CASE("a server that says nothing is given up after the deadline") {
  asio::io_context io(1);
  temporary_folder folder;
  asio::local::stream_protocol::acceptor mute(io, asio::local::stream_protocol::endpoint(folder / "mute"));
  std::exception_ptr failed;
  async_connect(
      io, address::unix_path(folder / "mute"), {}, hello{role::agent, {}, protocol_version}, role::driver,
      [&](std::exception_ptr error, std::shared_ptr<channel>) { failed = std::move(error); },
      std::chrono::milliseconds(30));
  run_until(io, [&] { return failed != nullptr; });
  CHECK(failed);
}

TEST_CASE("nobody there is an error that names the address") {
  meeting m;
  m.listen_local();
  address where = m.listening->local_address();
  m.listening->close();
  m.listening.reset();
  async_connect(m.io, where, {}, m.agent, role::driver,
                [&](std::exception_ptr error, std::shared_ptr<channel>) { m.failed = error; });
  run_until(m.io, [&] { return m.failed != nullptr; });
  CHECK(code_of(m.failed) == errc::peer_closed);
  CHECK_THAT(what_of(m.failed), Catch::Contains(where.to_string()));
}

TEST_CASE("a unix socket is made only where others cannot reach it") {
  meeting m;
  SECTION("an open folder") {
    REQUIRE(::mkdir((m.folder / "open").c_str(), 0755) == 0);
    CHECK_THROWS_WITH(m.listen(address::unix_path(m.folder / "open/driver")), Catch::Contains("chmod 700"));
  }
  SECTION("a folder behind a link") {
    REQUIRE(::mkdir((m.folder / "real").c_str(), 0700) == 0);
    REQUIRE(::symlink((m.folder / "real").c_str(), (m.folder / "link").c_str()) == 0);
    CHECK_THROWS_WITH(m.listen(address::unix_path(m.folder / "link/driver")), Catch::Contains("is no folder"));
  }
  SECTION("a path that is too long") {
    CHECK_THROWS_WITH(m.listen(address::unix_path(m.folder / std::string(120, 'x'))),
                      Catch::Contains("longer than the 107 bytes"));
  }
  SECTION("a file that is no socket") {
    std::ofstream(m.folder / "file") << "precious";
    CHECK_THROWS_WITH(m.listen(address::unix_path(m.folder / "file")), Catch::Contains("no socket"));
  }
}

TEST_CASE("a socket that a dead process left is replaced, one in use is not") {
  meeting m;
  {
    asio::local::stream_protocol::acceptor dead(m.io, asio::local::stream_protocol::endpoint(m.folder / "driver"));
  }
  m.listen(address::unix_path(m.folder / "driver"));
  meeting second;
  CHECK_THROWS_WITH(second.listen(address::unix_path(m.folder / "driver")), Catch::Contains("another process listens"));
  m.meet();
  check_talk(m);
}
