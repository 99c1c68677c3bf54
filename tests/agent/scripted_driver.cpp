// SPDX-License-Identifier: Apache-2.0
#include "scripted_driver.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

namespace agent_tests {

std::string own_path() {
  std::string path(4096, '\0');
  path.resize(static_cast<std::size_t>(::readlink("/proc/self/exe", path.data(), path.size())));
  return path;
}

bool process_exists(pid_t pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  if (!std::getline(stat, text)) return false;
  const std::size_t paren = text.rfind(')');
  return paren != std::string::npos && paren + 2 < text.size() && text[paren + 2] != 'Z';
}

pid_t spawn(const std::vector<std::string>& words, const std::string& error_file) {
  std::vector<char*> argv;
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  if (!error_file.empty())
    posix_spawn_file_actions_addopen(&actions, 2, error_file.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  pid_t pid = 0;
  const int problem = ::posix_spawn(&pid, words.front().c_str(), &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (problem != 0) throw std::runtime_error("posix_spawn failed");
  return pid;
}

wire::failure ended_call::failure() const { return wire::unpack<wire::failure>(payload); }

std::string agent_view::output_text(int stream) const {
  std::string text;
  for (const auto& line : output)
    if (stream == 0 || line.stream == stream) text += line.text + "\n";
  return text;
}

scripted_driver::scripted_driver() {
  welcome.modules.push_back(module_of(own_path(), true));
  welcome.heartbeat_ms = 500;
  welcome.silence_ms = 30000;
  welcome.grace_ms = 300;
  wire::hello mine;
  mine.role = wire::role::driver;
  wire::listener::events events;
  events.on_accept = [this](std::shared_ptr<wire::channel> peer, const wire::hello&) { accept(std::move(peer)); };
  listener_ = wire::listener::listen(io_, wire::address::unix_path(folder.path() + "/driver.sock"), std::nullopt, mine,
                                     wire::role::agent, std::move(events));
}

scripted_driver::~scripted_driver() {
  for (const pid_t pid : pids_) {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }
}

wire::module_file scripted_driver::module_of(const std::string& path, bool executable) {
  struct stat info{};
  ::stat(path.c_str(), &info);
  return {path, path.substr(path.rfind('/') + 1), cl::agent::sha256_of_file(path).value(),
          static_cast<std::uint64_t>(info.st_size), executable};
}

std::vector<std::string> scripted_driver::agent_words(const std::vector<std::string>& more) const {
  std::vector<std::string> words{own_path(), "--corolith-agent", "connect=unix:" + folder.path() + "/driver.sock",
                                 "node_name=node", "cache_folder=" + folder.path() + "/cache"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

pid_t scripted_driver::start_agent(const std::vector<std::string>& more) {
  const pid_t pid = spawn(agent_words(more), folder.path() + "/agent.log");
  pids_.push_back(pid);
  return pid;
}

agent_view& scripted_driver::ready_agent(const std::vector<std::string>& more) {
  const std::size_t index = agents.size();
  start_agent(more);
  wait([&] { return agents.size() > index && (agents[index]->ready || !agents[index]->failed.empty()); });
  return *agents[index];
}

void scripted_driver::wait(const std::function<bool()>& done, std::chrono::seconds most) {
  const auto until = clock::now() + most;
  while (!done()) {
    if (clock::now() > until) throw std::runtime_error("nothing happened; the agent says: " + agent_log());
    io_.restart();
    io_.run_one_for(std::chrono::milliseconds(20));
  }
}

void scripted_driver::pump(std::chrono::milliseconds time) {
  io_.restart();
  io_.run_for(time);
}

int scripted_driver::wait_exit(pid_t pid) {
  int status = 0;
  wait([&] { return ::waitpid(pid, &status, WNOHANG) == pid; });
  std::erase(pids_, pid);
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

std::string scripted_driver::agent_log() const {
  std::ifstream file(folder.path() + "/agent.log");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::uint64_t scripted_driver::open_key(agent_view& agent, cl::codec::function_key key,
                                        const wire::call_limits& limits) {
  wire::batch_open open;
  open.batch = next_batch_++;
  open.function = key;
  open.limits = limits;
  agent.channel->send(message_type::batch_open, wire::pack(open));
  return open.batch;
}

void scripted_driver::say(agent_view& agent, message_type type, const call_id& id) {
  agent.channel->send(type, cl::bytes_of(id));
}

const ended_call& scripted_driver::result(agent_view& agent, const call_id& id) {
  wait([&] { return agent.results.contains(id) || agent.closed; });
  if (!agent.results.contains(id)) throw std::runtime_error("the agent is gone: " + agent_log());
  return agent.results.at(id);
}

void scripted_driver::accept(std::shared_ptr<wire::channel> peer) {
  auto& view = *agents.emplace_back(std::make_unique<agent_view>());
  view.channel = std::move(peer);
  wire::channel::events events;
  events.on_message = [this, &view](wire::message&& got) { on_message(view, std::move(got)); };
  events.on_close = [&view](const std::exception_ptr&) { view.closed = true; };
  view.channel->start(std::move(events));
  view.channel->keep_alive(std::chrono::milliseconds(500), std::chrono::seconds(60));
}

void scripted_driver::on_message(agent_view& view, wire::message&& got) {
  const auto id = [&] { return wire::read_head<call_id>(got.body); };
  switch (got.type) {
    case message_type::agent_hello:
      view.hello = wire::unpack<wire::agent_hello>(got.body);
      view.channel->send(message_type::welcome, wire::pack(welcome));
      return;
    case message_type::agent_ready: view.ready = true; return;
    case message_type::agent_failed: view.failed = wire::unpack<wire::agent_failed>(got.body).reason; return;
    case message_type::program_request: return send_file(view, wire::unpack<wire::program_request>(got.body).sha256);
    case message_type::result: {
      const auto head = wire::read_head<wire::result_head>(got.body);
      view.results[head.id] = {head, cl::shared_bytes::copy(wire::after_head<wire::result_head>(got.body))};
      ++view.result_counts[head.id];
      return;
    }
    case message_type::returned: view.returned.push_back(id()); return;
    case message_type::started: view.started.push_back(id()); return;
    case message_type::blocked: view.blocked.push_back(id()); return;
    case message_type::unblocked: view.unblocked.push_back(id()); return;
    case message_type::output: view.output.push_back(wire::unpack<wire::output_line>(got.body)); return;
    case message_type::nested_up: view.nested.emplace_back(got.type, cl::shared_bytes::copy(got.body)); return;
    case message_type::nested_gone: view.nested_gone.push_back(wire::read_head<std::uint64_t>(got.body)); return;
    default: return;
  }
}

void scripted_driver::send_file(agent_view& view, const wire::sha256_bytes& hash) {
  ++view.files_sent;
  cl::byte_buffer body;
  body.append(cl::bytes_of(hash));
  for (const wire::module_file& file : welcome.modules) {
    if (file.sha256 != hash) continue;
    std::ifstream in(source_of.contains(file.name) ? source_of[file.name] : file.path, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    body.append(std::as_bytes(std::span(text.view())));
  }
  view.channel->send(message_type::program_file, body.release());
}

}  // namespace agent_tests
