// SPDX-License-Identifier: Apache-2.0
// Calls that sleep and say where they ran; the program checks that each gave its result exactly once, and counts.
//   census [--calls N] [--least MS] [--most MS] [--trace FOLDER] [--throw-after N] [--variable NAME] [--call-gpus N]
// --trace FOLDER: each execution leaves a line "INDEX ATTEMPT" in a file of its worker's, so that scripts see the work
// go on.
// --throw-after N: the driver's own exception after so many results.
// --variable NAME: also prints its values in the workers' environments.
// --call-gpus N: each call asks for so many.
#include <corolith/corolith.hpp>

#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace cl = corolith;

struct manner {
  std::uint32_t least = 10;
  std::uint32_t most = 50;
  std::string trace;
  std::string variable;
};

struct answer {
  std::uint64_t square = 0;  // of the element: nothing else will do
  std::string node;
  std::string job;
  std::uint32_t cpus = 0;  // of its node, for the job
  std::string variable;
};

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

answer visit(std::uint64_t element, const manner& how) {
  if (!how.trace.empty()) {
    std::ofstream file(how.trace + "/" + cl::this_call().host() + "." + std::to_string(::getpid()), std::ios::app);
    file << element << ' ' << cl::this_call().attempt() << std::endl;
  }
  const std::uint64_t spread = element * 0x9E3779B97F4A7C15U >> 33U;
  std::this_thread::sleep_for(std::chrono::milliseconds(how.least + spread % (how.most - how.least + 1)));
  const std::string cpus = variable("SLURM_CPUS_ON_NODE");
  return {element * element, variable("SLURMD_NODENAME"), variable("SLURM_JOB_ID"),
          cpus.empty() ? 0U : static_cast<std::uint32_t>(std::stoul(cpus)), variable(how.variable.c_str())};
}

class tally {
 public:
  explicit tally(std::size_t calls) : results_(calls, 0) {}

  void add(const cl::completed<answer>& done) {
    ++results_.at(done.index);
    ++count_;
    sum_ += done.value.square;
    again_ += done.stats.attempt > 1;
    ++nodes_[done.value.node];
    if (done.stats.host != done.value.node) misnamed_.insert(done.stats.host + " for " + done.value.node);
    jobs_.insert(done.value.job);
    if (!done.value.variable.empty()) values_.insert(done.value.variable);
    workers_[done.value.node].insert(done.stats.pid);
    cpus_[done.value.node] = done.value.cpus;
  }
  std::size_t count() const { return count_; }

  int report() const {
    std::uint64_t expected = 0;
    int status = 0;
    for (std::uint64_t i = 0; i < results_.size(); ++i) {
      expected += i * i;
      if (results_[i] == 1) continue;
      std::cout << "call " << i << " gave " << results_[i] << " results\n";
      status = 1;
    }
    if (sum_ != expected) status = 1;
    std::cout << count_ << " results, " << (status == 0 ? "each exactly once" : "WRONG") << ", sum " << sum_ << '\n';
    std::cout << again_ << " calls ran more than once\n";
    for (const auto& [node, calls] : nodes_)
      std::cout << "node " << node << ": " << calls << " calls, " << workers_.at(node).size() << " workers, "
                << cpus_.at(node) << " cpus\n";
    for (const std::string& each : misnamed_) std::cout << "a wrong host name: " << each << '\n';
    for (const std::string& job : jobs_) std::cout << "job " << job << '\n';
    for (const std::string& value : values_) std::cout << "value " << value << '\n';
    return status;
  }

 private:
  std::vector<std::uint32_t> results_;
  std::size_t count_ = 0;
  std::size_t again_ = 0;
  std::uint64_t sum_ = 0;
  std::map<std::string, std::size_t> nodes_;
  std::map<std::string, std::set<std::int32_t>> workers_;
  std::map<std::string, std::uint32_t> cpus_;
  std::set<std::string> jobs_;
  std::set<std::string> values_;
  std::set<std::string> misnamed_;
};

cl::task<int> run(cl::executor& ex, std::vector<std::string> arguments) {
  manner how;
  std::size_t calls = 100, throw_after = 0;
  cl::call_options options;
  for (std::size_t i = 0; i + 1 < arguments.size(); i += 2) {
    const std::string& name = arguments[i];
    const std::string& value = arguments[i + 1];
    if (name == "--calls") calls = std::stoul(value);
    if (name == "--least") how.least = static_cast<std::uint32_t>(std::stoul(value));
    if (name == "--most") how.most = static_cast<std::uint32_t>(std::stoul(value));
    if (name == "--trace") how.trace = value;
    if (name == "--variable") how.variable = value;
    if (name == "--call-gpus") options.gpus = static_cast<std::uint32_t>(std::stoul(value));
    if (name == "--throw-after") throw_after = std::stoul(value);
  }
  std::vector<std::uint64_t> elements(calls);
  for (std::uint64_t i = 0; i < calls; ++i) elements[i] = i;
  tally counted(calls);
  cl::batch<answer> visits = ex.with(options).map<visit>(elements, how);
  while (auto done = co_await visits.next()) {
    counted.add(*done);
    if (counted.count() == throw_after) throw std::runtime_error("the driver's own error");
  }
  co_return counted.report();
}

int main(int argc, char** argv) { return cl::main(argc, argv, run); }
