// SPDX-License-Identifier: Apache-2.0
#include <corolith/agent/detail/slurm_environment.hpp>

#include <catch2/catch.hpp>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace agent = corolith::agent;
using agent::detail::entry_of_node;

namespace {

struct node {
  std::map<std::string, std::string> variables;
  agent::detail::machine here{{0, 1, 2, 3}, 4, std::uint64_t{16} << 30U};
  agent::agent_options options = {};
  std::vector<std::string> warnings = {};

  const agent::agent_options& apply() {
    const auto get = [this](const char* name) -> std::optional<std::string> {
      const auto found = variables.find(name);
      return found == variables.end() ? std::nullopt : std::optional(found->second);
    };
    agent::detail::apply_slurm_environment(options, get, here, warnings);
    return options;
  }
};

constexpr std::uint64_t gibibyte = std::uint64_t{1} << 30U;

}  // namespace

TEST_CASE("Slurm's lists with repetitions give each node its entry", "[agent]") {
  CHECK(entry_of_node("24(x2),12", 0) == 24);
  CHECK(entry_of_node("24(x2),12", 1) == 24);
  CHECK(entry_of_node("24(x2),12", 2) == 12);
  CHECK(entry_of_node("24(x2),12", 3) == std::nullopt);
  CHECK(entry_of_node("8", 0) == 8);
  CHECK(entry_of_node("1,2,3(x4000000000)", 3'999'999'999) == 3);
  for (const char* wrong :
       {"", ",", "8,", "x", "8(x)", "8(x2", "8x2)", "8(2)", "-1", "8 ", "0", "8(x0)", "99999999999", "8(x2),?"})
    CHECK(entry_of_node(wrong, 0) == std::nullopt);
}

TEST_CASE("a node of a job takes what Slurm gave it", "[agent]") {
  node n{{{"SLURMD_NODENAME", "node7"},
          {"SLURM_JOB_CPUS_PER_NODE", "24(x2),12"},
          {"SLURM_NODEID", "2"},
          {"SLURM_CPUS_ON_NODE", "5"},
          {"SLURM_MEM_PER_NODE", "4096"},
          {"SLURM_GPUS_ON_NODE", "2"}}};
  n.options.launch_tag = "3";
  n.apply();
  CHECK(n.options.node_name == "node7");
  CHECK(n.options.slots == 12);
  CHECK(n.options.memory == 4 * gibibyte);
  CHECK(n.options.gpus == 2);
  CHECK(n.options.launch_tag == "3");
  CHECK(n.options.cpu_list.empty());
  CHECK(n.warnings.empty());
}

TEST_CASE("what the driver said is not replaced by what Slurm says", "[agent]") {
  node n{{{"SLURMD_NODENAME", "node7"},
          {"SLURM_CPUS_ON_NODE", "5"},
          {"SLURM_MEM_PER_NODE", "4096"},
          {"SLURM_GPUS_ON_NODE", "2"}}};
  n.options.node_name = "mine";
  n.options.slots = 2;
  n.options.memory = 1000;
  n.options.gpus = 1;
  n.options.cpu_list = {7, 8};
  n.apply();
  CHECK(n.options.node_name == "mine");
  CHECK(n.options.slots == 2);
  CHECK(n.options.memory == 1000);
  CHECK(n.options.gpus == 1);
  CHECK(n.options.cpu_list == std::vector<int>{7, 8});
}

TEST_CASE("without Slurm's word the machine's counts", "[agent]") {
  node n{{{"SLURM_MEM_PER_NODE", "0"}, {"SLURM_GPUS_ON_NODE", ""}}};
  n.apply();
  CHECK(n.options.node_name.empty());
  CHECK(n.options.slots == 4);
  CHECK(n.options.memory == 16 * gibibyte);
  CHECK(n.options.gpus == 0);
  CHECK(n.warnings.empty());
}

TEST_CASE("memory for each processor is multiplied by the slots", "[agent]") {
  node n{{{"SLURM_MEM_PER_CPU", "1024"}, {"SLURM_CPUS_ON_NODE", "6"}}};
  CHECK(n.apply().slots == 6);
  CHECK(n.options.memory == 6 * gibibyte);
}

TEST_CASE("GPUs are counted by their names when Slurm does not count them", "[agent]") {
  CHECK(node{{{"CUDA_VISIBLE_DEVICES", "0,3,GPU-8932f937"}}}.apply().gpus == 3);
  CHECK(node{{{"CUDA_VISIBLE_DEVICES", "NoDevFiles"}}}.apply().gpus == 0);
  CHECK(node{{{"CUDA_VISIBLE_DEVICES", "-1"}}}.apply().gpus == 0);
  CHECK(node{{{"CUDA_VISIBLE_DEVICES", ""}}}.apply().gpus == 0);
}

TEST_CASE("malformed variables are named and do not count", "[agent]") {
  node n{{{"SLURM_JOB_CPUS_PER_NODE", "24(x"},
          {"SLURM_NODEID", "0"},
          {"SLURM_CPUS_ON_NODE", "many"},
          {"SLURM_MEM_PER_NODE", "99999999999999999999"},
          {"SLURM_MEM_PER_CPU", "-5"},
          {"SLURM_GPUS_ON_NODE", "1x"}}};
  n.apply();
  CHECK(n.options.slots == 4);
  CHECK(n.options.memory == 16 * gibibyte);
  CHECK(n.options.gpus == 0);
  REQUIRE(n.warnings.size() == 5);
  CHECK_THAT(n.warnings[0], Catch::Contains("SLURM_JOB_CPUS_PER_NODE") && Catch::Contains("24(x"));
  CHECK_THAT(n.warnings[1], Catch::Contains("SLURM_CPUS_ON_NODE") && Catch::Contains("many"));
  node other{{{"SLURM_JOB_CPUS_PER_NODE", "2"}, {"SLURM_NODEID", "first"}}};
  CHECK(other.apply().slots == 4);
  REQUIRE(other.warnings.size() == 1);
  CHECK_THAT(other.warnings[0], Catch::Contains("SLURM_NODEID"));
}

TEST_CASE("workers are pinned where the launcher cut processors out for this job", "[agent]") {
  SECTION("a part of the node") {
    node n{{{"SLURM_CPUS_ON_NODE", "2"}}, {{2, 3}, 8, 1}};
    CHECK(n.apply().cpu_list == std::vector<int>{2, 3});
  }
  SECTION("the whole node") {
    node n{{{"SLURM_CPUS_ON_NODE", "2"}}, {{0, 1}, 2, 1}};
    CHECK(n.apply().cpu_list.empty());
  }
  SECTION("more slots than processors") {
    node n{{{"SLURM_CPUS_ON_NODE", "4"}}, {{2, 3}, 8, 1}};
    CHECK(n.apply().cpu_list.empty());
  }
}
