// SPDX-License-Identifier: Apache-2.0
// What is asked of Slurm and how its answers are read; tests/slurm/ asks a real one.
#include <corolith/core/error.hpp>
#include <corolith/launch/detail/slurm_queue.hpp>
#include <corolith/launch/detail/slurm_script.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <string>
#include <vector>

using namespace corolith;
using namespace corolith::launch::detail;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

bool has(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

slurm_plan simple_plan() {
  slurm_plan plan;
  plan.what.agents = 3;
  plan.what.connect = {"tcp:10.0.0.1:4000", "tcp:[fd00::1]:4000"};
  plan.what.secret_file = "/shared/s/secret";
  plan.job_name = "app-0123abcd";
  plan.agent_program = "/shared/it's here/app";
  plan.log_file = "/shared/s/job-%j.log";
  return plan;
}

}  // namespace

TEST_CASE("a job is one srun with one agent a node") {
  const slurm_plan plan = simple_plan();
  const std::string script = job_script(plan);
  REQUIRE_THAT(script, StartsWith("#!/bin/bash\nexec srun "));
  REQUIRE(script.find("srun", script.find("srun") + 1) == std::string::npos);
  REQUIRE_THAT(script, Contains("--ntasks-per-node=1") && Contains("'connect=tcp:10.0.0.1:4000,tcp:[fd00::1]:4000'") &&
                           Contains("'secret_file=/shared/s/secret'") && Contains(R"('/shared/it'\''s here/app')"));
  const auto words = sbatch_words(plan);
  REQUIRE(words.front() == "sbatch");
  REQUIRE(has(words, "--nodes=3"));
  REQUIRE(has(words, "--exclusive"));
  REQUIRE(has(words, "--no-requeue"));
}

TEST_CASE("what the options ask for is asked of Slurm") {
  slurm_plan plan = simple_plan();
  plan.what.slots = 8;
  plan.what.gpus = 2;
  plan.what.memory = (1U << 20U) + 1;
  plan.what.rejoin = std::chrono::seconds(7);
  plan.slurm.partition = "gp";
  plan.slurm.account = "a1";
  plan.slurm.qos = "q";
  plan.slurm.time = "2:00:00";
  plan.slurm.constraint = "avx512";
  plan.slurm.reservation = "r";
  plan.slurm.arguments = "--nice=5 --comment='two words'";
  plan.slurm.preamble = "module load gcc";
  const auto words = sbatch_words(plan);
  for (const char* word :
       {"--cpus-per-task=8", "--gres=gpu:2", "--mem=2M", "--partition=gp", "--account=a1", "--qos=q", "--time=2:00:00",
        "--constraint=avx512", "--reservation=r", "--nice=5", "--comment=two words"}) {
    INFO(word);
    REQUIRE(has(words, word));
  }
  REQUIRE_FALSE(has(words, "--exclusive"));
  REQUIRE_THAT(job_script(plan), Contains("\nmodule load gcc\n") && Contains("'slots=8'") &&
                                     Contains("'rejoin=7000'") && Contains("--cpus-per-task=8"));
}

TEST_CASE("a secret that the script carries goes to standard input, not to a command line") {
  slurm_plan plan = simple_plan();
  plan.secret = "feedbeef";
  const std::string script = job_script(plan);
  const std::string command = script.substr(0, script.find("<<"));
  REQUIRE_THAT(command, Contains("'secret_file=-'") && Contains("--input=all") && !Contains("feedbeef"));
  REQUIRE_THAT(script, Contains("\nfeedbeef\n"));
  for (const auto& words : {sbatch_words(plan), srun_words(plan)})
    for (const std::string& word : words) REQUIRE_THAT(word, !Contains("feedbeef"));
}

TEST_CASE("words are split as a shell splits them") {
  REQUIRE(split_words("").empty());
  REQUIRE(split_words("  a  b\tc ") == std::vector<std::string>{"a", "b", "c"});
  REQUIRE(split_words(R"(a'b c'"d e"f\ g '')") == std::vector<std::string>{"ab cd ef g", ""});
  REQUIRE_THROWS_AS(split_words("a 'b"), config_error);
}

TEST_CASE("squeue's JSON is read, of old and new Slurm") {
  const std::string of_22 =
      R"({"jobs": [{"job_id": 7, "job_state": "RUNNING", "state_reason": "None", "start_time": 100},
      {"job_id": 12, "job_state": "PENDING", "state_reason": "Resources", "start_time": 1700000000}]})";
  const slurm_job old = read_squeue_json(of_22, "12");
  REQUIRE(old.state == "PENDING");
  REQUIRE(old.reason == "Resources");
  REQUIRE(old.start == 1700000000);
  REQUIRE(read_squeue_json(of_22, "7").reason.empty());
  REQUIRE(read_squeue_json(of_22, "8").state.empty());
  const std::string of_23 = R"({"jobs": [{"job_id": {"set": true, "number": 12}, "job_state": ["CANCELLED"],
      "state_reason": "None", "start_time": {"set": true, "infinite": false, "number": 5}}]})";
  const slurm_job fresh = read_squeue_json(of_23, "12");
  REQUIRE(fresh.state == "CANCELLED");
  REQUIRE(fresh.start == 5);
  for (const char* bad : {"", "{}", "[]", "{\"jobs\": 3}", "squeue: error"})
    REQUIRE_THROWS_AS(read_squeue_json(bad, "1"), config_error);
  // What squeue prints, with status 0, when it cannot reach the controller.
  const char* deaf =
      R"({"errors": [{"description": "Failed while looking for jobs", "error": "Unspecified error"}], "jobs": []})";
  REQUIRE_THROWS_AS(read_squeue_json(deaf, "1"), launch_failed);
  REQUIRE(read_squeue_json(R"({"errors": [], "jobs": []})", "1").state.empty());
}

TEST_CASE("squeue's lines are read where there is no JSON") {
  const slurm_job pending = read_squeue_line("PENDING|JobHeldUser|N/A\n");
  REQUIRE(pending.state == "PENDING");
  REQUIRE(pending.reason == "JobHeldUser");
  REQUIRE(pending.start == 0);
  REQUIRE(read_squeue_line("RUNNING|None|2026-01-02T03:04:05\n").start > 0);
  REQUIRE(read_squeue_line("").state.empty());
}

TEST_CASE("a job is described as a user would want it") {
  slurm_job job{"PENDING", "Resources", 0};
  REQUIRE(describe(job, 1000) == "pending (Resources)");
  job.start = 1000 + 60;
  REQUIRE_THAT(describe(job, 1000), StartsWith("pending (Resources), expected to start "));
  REQUIRE(describe({"TIMEOUT", "TimeLimit", 5}, 1000) == "TIMEOUT (TimeLimit)");
  REQUIRE_THAT(describe({}, 0), Contains("no longer known"));
  for (const char* state : {"TIMEOUT", "CANCELLED", "FAILED", "NODE_FAIL", "PREEMPTED", "COMPLETED", ""})
    REQUIRE(is_over(state));
  for (const char* state : {"PENDING", "RUNNING", "COMPLETING", "SUSPENDED", "CONFIGURING"})
    REQUIRE_FALSE(is_over(state));
}
