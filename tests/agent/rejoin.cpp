// SPDX-License-Identifier: Apache-2.0
#include "scripted_driver.hpp"

#include <catch2/catch.hpp>

#include <sys/socket.h>
#include <sys/un.h>

#include <thread>

using namespace agent_tests;

namespace {

int seven() { return 7; }
int worker_pid() { return ::getpid(); }
// Until the file is there: so that a test says when.
int pid_when_told(const std::string& file) {
  while (::access(file.c_str(), F_OK) != 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return ::getpid();
}

struct lost_and_found {
  scripted_driver driver;
  pid_t pid = 0;

  agent_view& first(const std::vector<std::string>& words = {"slots=1"}) {
    pid = driver.start_agent(words);
    return ready(0);
  }
  agent_view& ready(std::size_t index) {
    driver.wait([&] { return driver.agents.size() > index && driver.agents[index]->ready; });
    return *driver.agents[index];
  }
};

}  // namespace

TEST_CASE("an agent whose connection was cut comes back as a new one that knows nothing", "[agent]") {
  lost_and_found at;
  agent_view& old = at.first();
  const std::string file = at.driver.folder.path() + "/now";
  const int worker = at.driver.run<&worker_pid>(old, {}).value<int>();
  at.driver.call(old, at.driver.open<&pid_when_told, std::string>(old), 0, file);
  at.driver.wait([&] { return !old.started.empty(); });
  old.channel->close();
  agent_view& fresh = at.ready(1);
  CHECK(fresh.hello.pid == at.pid);
  CHECK(fresh.hello.host == "node");
  CHECK_FALSE(process_exists(worker));
  std::ofstream(file) << "now";
  CHECK(at.driver.run<&worker_pid>(fresh, {}).value<int>() != worker);
  at.driver.pump(std::chrono::milliseconds(50));
  CHECK(fresh.results.size() == 1);  // and none of the old session
  fresh.channel->send(message_type::shutdown);
  CHECK(at.driver.wait_exit(at.pid) == 0);
  CHECK(at.driver.agents.size() == 2);
}

TEST_CASE("an agent that was stopped for too long comes back, one stopped for a moment never left", "[agent]") {
  lost_and_found at;
  agent_view& old = at.first();
  ::kill(at.pid, SIGSTOP);
  at.driver.pump(std::chrono::milliseconds(300));
  ::kill(at.pid, SIGCONT);
  CHECK(at.driver.run<&seven>(old, {}).value<int>() == 7);
  CHECK(at.driver.agents.size() == 1);
  old.channel->keep_alive(std::chrono::milliseconds(100), std::chrono::milliseconds(300));
  ::kill(at.pid, SIGSTOP);
  at.driver.wait([&] { return old.closed; });
  ::kill(at.pid, SIGCONT);
  agent_view& fresh = at.ready(1);
  CHECK(fresh.hello.pid == at.pid);
  CHECK(at.driver.run<&seven>(fresh, {}).value<int>() == 7);
}

TEST_CASE("an agent that hears nothing for too long looks for the driver again", "[agent]") {
  lost_and_found at;
  at.driver.welcome.silence_ms = 300;
  at.first();
  // This driver does nothing now, as if it were stopped.
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (at.driver.agent_log().find("nothing was heard") == std::string::npos &&
         std::chrono::steady_clock::now() < until)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  at.driver.welcome.silence_ms = 30000;
  agent_view& fresh = at.ready(1);
  CHECK(at.driver.run<&seven>(fresh, {}).value<int>() == 7);
}

TEST_CASE("an agent ends when nobody listens where its driver was", "[agent]") {
  lost_and_found at;
  agent_view& old = at.first({"slots=1", "rejoin=3600000"});
  at.driver.stop_listening();
  SECTION("the socket is gone") {}
  SECTION("a socket is there that nobody listens on") {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    (at.driver.folder.path() + "/driver.sock").copy(name.sun_path, sizeof name.sun_path - 1);
    REQUIRE(::bind(fd, reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0);
    ::close(fd);
  }
  old.channel->close();
  CHECK(at.driver.wait_exit(at.pid) == 1);
}

TEST_CASE("an agent that said goodbye or was told to go does not come back", "[agent]") {
  lost_and_found at;
  agent_view& old = at.first();
  SECTION("shutdown") { old.channel->send(message_type::shutdown); }
  SECTION("goodbye") { old.channel->close_when_sent(); }
  CHECK(at.driver.wait_exit(at.pid) == 0);
  CHECK(at.driver.agents.size() == 1);
}

TEST_CASE("SIGTERM ends an agent that looks for its driver", "[agent]") {
  lost_and_found at;
  at.driver.welcome.silence_ms = 300;
  at.first({"slots=1", "rejoin=3600000"});
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (at.driver.agent_log().find("looks for the driver again") == std::string::npos &&
         std::chrono::steady_clock::now() < until)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  ::kill(at.pid, SIGTERM);
  CHECK(at.driver.wait_exit(at.pid) == 128 + SIGTERM);
}
