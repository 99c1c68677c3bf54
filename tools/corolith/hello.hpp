// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "commands.hpp"
#include "text.hpp"

#include <corolith/core/machine.hpp>
#include <corolith/corolith.hpp>
#include <corolith/launch/slurm.hpp>

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

/// `corolith hello`: from the flags to a call in every slot, and back.
namespace tool {

struct greeting {
  std::string host;
  std::uint32_t processors = 0;
};

/// Holds its slot for so long, so that the next call takes another one.
inline greeting greet(int milliseconds) {
  std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
  return {corolith::host_name(), static_cast<std::uint32_t>(corolith::usable_cpus().size())};
}

struct greeted {
  std::string host;
  std::set<std::int32_t> workers;
  std::uint32_t processors = 0;
  double first = 0;  ///< seconds until its first answer
};

struct hello_report {
  std::map<std::string, greeted> agents;
  double first = 0;   ///< seconds until the first answer
  double median = 0;  ///< seconds, of single calls
  std::size_t slots() const {
    std::size_t all = 0;
    for (const auto& [name, each] : agents) all += each.workers.size();
    return all;
  }
};

using hello_clock = std::chrono::steady_clock;
inline double seconds_since(hello_clock::time_point when) {
  return std::chrono::duration<double>(hello_clock::now() - when).count();
}

/// Calls that hold their slots, `count` of them. Returns how many workers were not known before.
inline corolith::task<std::size_t> greet_wave(corolith::executor ex, std::size_t count, hello_clock::time_point began,
                                              hello_report* report) {
  const std::size_t before = report->slots();
  constexpr int pause = 100;  // milliseconds
  const std::vector<int> pauses(count, pause);
  corolith::batch<greeting> calls = ex.map<greet>(pauses);
  while (auto done = co_await calls.next()) {
    greeted& agent = report->agents[done->stats.host];
    if (agent.workers.empty()) agent.first = std::max(0.0, seconds_since(began) - 1e-3 * pause);
    agent.workers.insert(done->stats.pid);
    agent.host = done->value.host;
    agent.processors = done->value.processors;
  }
  co_return report->slots() - before;
}

/// Until all agents are there and a wave meets no new worker.
inline corolith::task<hello_report> greet_all(corolith::executor ex, std::size_t agents,
                                              std::chrono::nanoseconds patience) {
  hello_report report;
  const hello_clock::time_point began = hello_clock::now();
  co_await ex.call<greet>(0);
  report.first = seconds_since(began);
  const hello_clock::time_point met = hello_clock::now();
  for (bool over = false; !over;) {
    const std::size_t fresh = co_await greet_wave(ex, std::max<std::size_t>(16, 3 * report.slots()), began, &report);
    const bool all = report.agents.size() >= agents;
    over = fresh == 0 && (all || hello_clock::now() - met > patience);
  }
  std::vector<double> times;
  for (int i = 0; i != 51; ++i) {
    const hello_clock::time_point start = hello_clock::now();
    co_await ex.call<greet>(0);
    times.push_back(seconds_since(start));
  }
  std::nth_element(times.begin(), times.begin() + 25, times.end());
  report.median = times[25];
  co_return report;
}

inline std::string hello_text(const hello_report& report, const corolith::options& how, std::size_t agents) {
  std::string text = fmt::format("hello from {} slot{} of {} agent{} (launcher {})\n\n{:<24} {:<20} {:>5} {:>10}  {}\n",
                                 report.slots(), report.slots() == 1 ? "" : "s", report.agents.size(),
                                 report.agents.size() == 1 ? "" : "s", how.launcher, "agent", "host", "slots",
                                 "processors", "first answer");
  for (const auto& [name, each] : report.agents)
    text += fmt::format("{:<24} {:<20} {:>5} {:>10}  {:.2f} s\n", printable(name), printable(each.host),
                        each.workers.size(), each.processors, each.first);
  text += fmt::format("\nthe first answer came after {:.2f} s; a call and its answer take {:.0f} us\n", report.first,
                      1e6 * report.median);
  if (report.agents.size() < agents)
    text += fmt::format("{} of {} agents did not answer\n", agents - report.agents.size(), agents);
  return text;
}

inline std::string hello_json(const hello_report& report, const corolith::options& how, std::size_t agents) {
  std::string hosts;
  for (const auto& [name, each] : report.agents)
    hosts += fmt::format(R"({}{{"agent":{},"host":{},"slots":{},"processors":{},"first_answer_s":{:.6f}}})",
                         hosts.empty() ? "" : ",", json_string(name), json_string(each.host), each.workers.size(),
                         each.processors, each.first);
  return fmt::format(
      R"({{"launcher":{},"agents_expected":{},"agents":[{}],"slots":{},"first_answer_s":{:.6f},"call_s":{:.9f}}})"
      "\n",
      json_string(how.launcher), agents, hosts, report.slots(), report.first, report.median);
}

struct hello_request {
  corolith::options how;
  bool json = false;
};
inline hello_request& asked_hello() {
  static hello_request asked;
  return asked;
}

inline corolith::task<int> hello_run(corolith::executor& ex) {
  const hello_request asked = asked_hello();
  std::size_t agents = asked.how.agents;
  if (agents == 0) agents = asked.how.launcher == "slurm" ? corolith::launch::slurm::allocated_nodes().value_or(1) : 1;
  const hello_report report = co_await greet_all(ex, agents, asked.how.launch_timeout);
  std::fputs((asked.json ? hello_json(report, asked.how, agents) : hello_text(report, asked.how, agents)).c_str(),
             stdout);
  co_return report.agents.size() < agents ? 1 : 0;
}

inline int hello(const invocation& call) {
  asked_hello() = {call.options(), call.has("json")};
  std::vector<std::string> words = call.settings;
  std::vector<char*> argv;
  for (std::string& each : words) argv.push_back(each.data());
  argv.push_back(nullptr);
  return corolith::main(static_cast<int>(words.size()), argv.data(), hello_run);
}

inline command hello_command() {
  return {
      "hello",
      "",
      "proves an installation: starts agents and calls a function in each slot",
      "Starts agents by the launcher that the flags name (local, or slurm), calls a function in each of their slots,\n"
      "and prints hosts and times. Where it says hello, programs with the same flags will run. Exit status 1: it could "
      "not\n"
      "be started, or agents are missing; the text says why. `corolith doctor` with the same flags looks for causes.",
      {{"json", 0, "", "the same as one JSON object"}},
      takes::settings,
      0,
      0,
      hello};
}

}  // namespace tool
