// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/agent/program_cache.hpp>
#include <corolith/codec/function.hpp>
#include <corolith/wire/listener.hpp>
#include <corolith/wire/messages.hpp>

#include <asio/io_context.hpp>

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

/// A driver without a scheduler: starts agents of this test program, says what the test wants said and keeps what they answer.
namespace agent_tests {

namespace cl = corolith;
namespace wire = corolith::wire;
using corolith::call_id;
using wire::message_type;
using wire::outcome_kind;

std::string own_path();

class temporary_folder {
 public:
  temporary_folder() {
    path_ = "/tmp/corolith-test-XXXXXX";
    if (::mkdtemp(path_.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
  }
  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;
  ~temporary_folder() { [[maybe_unused]] const int status = std::system(("rm -rf '" + path_ + "'").c_str()); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

bool process_exists(pid_t pid);

pid_t spawn(const std::vector<std::string>& words, const std::string& error_file = {});

struct ended_call {
  wire::result_head head;
  cl::shared_bytes payload;

  wire::failure failure() const;
  template <class T>
  T value() const {
    if (head.kind != outcome_kind::value) throw std::runtime_error("no value but: " + failure().what);
    return cl::codec::decode_all<T>(payload.span());
  }
};

/// One agent as the driver sees it.
struct agent_view {
  std::shared_ptr<wire::channel> channel;
  wire::agent_hello hello;
  bool ready = false;
  bool closed = false;
  std::string failed;
  std::size_t files_sent = 0;
  std::map<call_id, ended_call> results;
  std::map<call_id, int> result_counts;
  std::vector<call_id> returned, started, blocked, unblocked;
  std::vector<wire::output_line> output;
  std::vector<std::pair<message_type, cl::shared_bytes>> nested;
  std::vector<std::uint64_t> nested_gone;

  std::string output_text(int stream = 0) const;
};

class scripted_driver {
 public:
  using clock = std::chrono::steady_clock;

  scripted_driver();
  ~scripted_driver();
  scripted_driver(const scripted_driver&) = delete;
  scripted_driver& operator=(const scripted_driver&) = delete;

  static wire::module_file module_of(const std::string& path, bool executable);

  std::vector<std::string> agent_words(const std::vector<std::string>& more = {}) const;

  /// Starts an agent; it is `agents[index]` once it said hello.
  pid_t start_agent(const std::vector<std::string>& more = {"slots=1"});
  agent_view& ready_agent(const std::vector<std::string>& more = {"slots=1"});

  /// Lets things happen until `done`; throws with the agent's log when that takes longer than a minute.
  void wait(const std::function<bool()>& done, std::chrono::seconds most = std::chrono::seconds(60));
  void pump(std::chrono::milliseconds time);

  void stop_listening() { listener_->close(); }

  /// The exit status of an agent that ends; -signal when killed.
  int wait_exit(pid_t pid);

  std::string agent_log() const;

  template <auto F, class... Args>
  std::uint64_t open(agent_view& agent, const wire::call_limits& limits = {}) {
    return open_key(agent, cl::codec::single_call<cl::codec::fixed<F>, Args...>::key(), limits);
  }
  std::uint64_t open_key(agent_view& agent, cl::codec::function_key key, const wire::call_limits& limits = {});

  template <class... Args>
  call_id call(agent_view& agent, std::uint64_t batch, std::uint32_t index, const Args&... args) {
    const call_id id{batch, index, 1};
    cl::byte_buffer body;
    body.append_value(id);
    cl::codec::encode(body, args...);
    agent.channel->send(message_type::call, body.release());
    return id;
  }
  void say(agent_view& agent, message_type type, const call_id& id);

  const ended_call& result(agent_view& agent, const call_id& id);
  /// Opens a batch for one call and waits for its end.
  template <auto F, class... Args>
  const ended_call& run(agent_view& agent, const wire::call_limits& limits, const Args&... args) {
    return result(agent, call(agent, open<F, Args...>(agent, limits), 0, args...));
  }

  temporary_folder folder;

 private:
  asio::io_context io_;  // outlives the channels

 public:
  wire::welcome welcome;
  std::vector<std::unique_ptr<agent_view>> agents;
  std::map<std::string, std::string> source_of;  ///< where files are really, by name

 private:
  void accept(std::shared_ptr<wire::channel> peer);

  void on_message(agent_view& view, wire::message&& got);

  void send_file(agent_view& view, const wire::sha256_bytes& hash);

  std::shared_ptr<wire::listener> listener_;
  std::vector<pid_t> pids_;
  std::uint64_t next_batch_ = 1;
};

}  // namespace agent_tests
