// SPDX-License-Identifier: Apache-2.0
#include "scripted_driver.hpp"

#include <corolith/agent/agent.hpp>
#include <corolith/agent/detail/driver_search.hpp>

#include <asio/ip/tcp.hpp>

#include <catch2/catch.hpp>

#include <list>
#include <optional>

using namespace agent_tests;
namespace agent = corolith::agent;

namespace {

/// Drivers to be found, and one search for them.
struct search {
  asio::io_context io{1};
  temporary_folder folder;
  std::vector<std::shared_ptr<wire::listener>> drivers;
  std::list<std::shared_ptr<wire::channel>> accepted;
  std::vector<wire::address> places;
  std::optional<wire::secret> secret = wire::secret::make();
  agent::detail::search_settings settings{};

  bool done = false;
  std::string why;
  std::shared_ptr<wire::channel> found;
  std::size_t place = 0;

  void add_driver(wire::hello hello = {wire::role::driver, {}, wire::protocol_version},
                  std::optional<wire::secret> its_secret = std::nullopt) {
    wire::listener::events events;
    events.on_accept = [this](std::shared_ptr<wire::channel> peer, const wire::hello&) {
      accepted.push_back(std::move(peer));
    };
    drivers.push_back(wire::listener::listen(io, wire::address::tcp("127.0.0.1", 0), its_secret ? its_secret : secret,
                                             hello, wire::role::agent, std::move(events)));
    places.push_back(drivers.back()->local_address());
  }
  // A port where nobody listens any more.
  void add_nobody() {
    const asio::ip::tcp::acceptor once(io, {asio::ip::address_v4::loopback(), 0});
    places.push_back(wire::address::tcp("127.0.0.1", once.local_endpoint().port()));
  }

  void run() {
    const auto searching = std::make_shared<agent::detail::driver_search>(
        io, places, secret, settings,
        [this](const std::exception_ptr& problem, std::shared_ptr<wire::channel> channel, std::size_t at) {
          done = true;
          found = std::move(channel);
          place = at;
          try {
            if (problem) std::rethrow_exception(problem);
          } catch (const std::exception& e) {
            why = e.what();
          }
        });
    searching->run();
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!done && std::chrono::steady_clock::now() < until) io.run_one_for(std::chrono::milliseconds(20));
    REQUIRE(done);
  }
};

}  // namespace

TEST_CASE("a list of addresses is parted where an address starts", "[agent]") {
  const auto places = agent::detail::parse_addresses("tcp:10.0.0.5:4000,tcp:[fe80::1]:4000,unix:/a,b/c,unix:/d");
  REQUIRE(places.size() == 4);
  CHECK(places[0] == wire::address::tcp("10.0.0.5", 4000));
  CHECK(places[1] == wire::address::tcp("fe80::1", 4000));
  CHECK(places[2] == wire::address::unix_path("/a,b/c"));
  CHECK(places[3] == wire::address::unix_path("/d"));
  CHECK_THROWS_AS(agent::detail::parse_addresses(""), cl::config_error);
  CHECK_THROWS_AS(agent::detail::parse_addresses("tcp:a:1,"), cl::config_error);
  CHECK_THROWS_AS(agent::detail::parse_addresses("tcp:a:1,,tcp:b:2"), cl::config_error);
}

TEST_CASE("the driver is found behind addresses where nobody is", "[agent]") {
  search s;
  s.add_nobody();
  s.places.push_back(wire::address::unix_path("/no/such/socket"));
  s.add_driver();
  s.run();
  CHECK(s.found);
  CHECK(s.place == 2);
}

TEST_CASE("another service, or a driver with another secret, at one address does not end the search", "[agent]") {
  search s;
  s.add_driver({wire::role::driver, {}, wire::protocol_version}, wire::secret::make());
  asio::ip::tcp::acceptor service(s.io, {asio::ip::address_v4::loopback(), 0});
  std::optional<asio::ip::tcp::socket> client;
  service.async_accept([&](std::error_code error, asio::ip::tcp::socket socket) {
    if (error) return;
    client.emplace(std::move(socket));
    client->write_some(asio::buffer("220 mail.example.org ready for you\r\n", 36), error);
  });
  s.places.push_back(wire::address::tcp("127.0.0.1", service.local_endpoint().port()));
  s.add_driver();
  s.run();
  CHECK(s.found);
  CHECK(s.place == 2);
}

TEST_CASE("an address that says nothing does not keep the search from the next", "[agent]") {
  search s;
  asio::ip::tcp::acceptor silent(s.io, {asio::ip::address_v4::loopback(), 0});
  s.places.push_back(wire::address::tcp("127.0.0.1", silent.local_endpoint().port()));
  s.add_driver();
  s.run();
  CHECK(s.found);
  CHECK(s.place == 1);
}

TEST_CASE("a driver that shows who it is and refuses ends the search", "[agent]") {
  search s;
  s.add_nobody();
  s.add_driver({wire::role::driver, {}, static_cast<std::uint16_t>(wire::protocol_version + 1)});
  s.settings.total = std::chrono::hours(1);
  s.run();
  CHECK_FALSE(s.found);
  CHECK_THAT(s.why, Catch::Contains("version"));
  CHECK_THAT(s.why, Catch::Contains(s.places[0].to_string()));
}

TEST_CASE("when all addresses are another's, nothing is waited for", "[agent]") {
  search s;
  s.add_driver({wire::role::driver, {}, wire::protocol_version}, wire::secret::make());
  s.places.push_back(wire::address::unix_path("/no/such/socket"));
  s.settings.total = std::chrono::hours(1);
  s.run();
  CHECK_FALSE(s.found);
  CHECK_THAT(s.why, Catch::Contains("fingerprint"));
  CHECK_THAT(s.why, Catch::Contains("unix:/no/such/socket"));
}

TEST_CASE("a search ends in time and tells of every address", "[agent]") {
  search s;
  s.add_nobody();
  s.add_nobody();
  asio::ip::tcp::acceptor silent(s.io, {asio::ip::address_v4::loopback(), 0});
  s.places.push_back(wire::address::tcp("127.0.0.1", silent.local_endpoint().port()));
  s.settings.total = std::chrono::milliseconds(400);
  s.run();
  CHECK_FALSE(s.found);
  for (const wire::address& each : s.places) CHECK_THAT(s.why, Catch::Contains(each.to_string()));
  CHECK_THAT(s.why, Catch::Contains("refused"));
}

TEST_CASE("where the driver was and nobody listens any more, it has ended", "[agent]") {
  search s;
  asio::ip::tcp::acceptor silent(s.io, {asio::ip::address_v4::loopback(), 0});
  s.places.push_back(wire::address::tcp("127.0.0.1", silent.local_endpoint().port()));
  s.add_nobody();
  s.settings.total = std::chrono::hours(1);
  s.settings.was_at = 1;
  s.run();
  CHECK_FALSE(s.found);
}

TEST_CASE("options for finding the driver", "[agent]") {
  const auto options = agent::parse_agent_options(
      {"connect=unix:/a,unix:/b", "connect_timeout=5", "rejoin=0", "environment=slurm", "secret_file=-"});
  CHECK(options.connect == "unix:/a,unix:/b");
  CHECK(options.connect_timeout == 5);
  CHECK(options.rejoin == 0);
  CHECK(options.environment == "slurm");
  CHECK(options.secret_file == "-");
  CHECK_THROWS_WITH(agent::parse_agent_options({"environment=pbs"}), Catch::Contains("pbs"));
  CHECK_THROWS_WITH(agent::parse_agent_options({"rejoin=18446744073709551615"}), Catch::Contains("rejoin"));
}
