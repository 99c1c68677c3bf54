// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/config.hpp>
#include <corolith/core/detail/decl.hpp>
#include <corolith/core/version.hpp>
#include <corolith/launch/pool_options.hpp>
#include <corolith/launch/slurm_options.hpp>
#include <corolith/observe/progress.hpp>
#include <corolith/run/call_options.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace corolith {
inline namespace v0 {

/// A line that a worker wrote to its standard output or error.
struct output_line {
  std::string host;
  std::int32_t pid = 0;
  std::uint64_t batch = 0;  ///< of the call that was running, 0 when none was or, with isolation = thread, several were
  std::uint32_t index = 0;
  int stream = 1;    ///< 1 standard output, 2 standard error
  std::string text;  ///< without its newline; control characters are escaped
};

/// TCP ports from `first` to `last`; 0: whichever is free.
struct port_range {
  std::uint16_t first = 0;
  std::uint16_t last = 0;
};

/// What keeps the calls that run on a node apart.
enum class isolation_mode {
  process,  ///< each slot is a worker process
  /// Slots are threads of one worker process of an agent, which share what is decoded once a batch and all that is static. What ends the
  /// process, a crash or a call that does not heed its stop token, ends the other calls in it, too: they run again at no cost. Calls with
  /// gpus or a memory limit, which are matters of processes, have one of their own all the same.
  thread,
};

/// How an executor gets its agents and treats them. `executor ex(options{.agents = 2});`
struct options {
  std::string launcher = "local";  ///< or "slurm", or "pool"
  std::uint32_t agents = 0;        ///< 0: one, or one for each node of the Slurm allocation that the driver runs in
  std::uint32_t slots = 0;         ///< per agent; 0: as many as it has processors (local: this machine's, divided)
  std::uint32_t gpus = 0;          ///< per agent
  std::uint64_t memory = 0;        ///< bytes per agent; 0: what the node has
  isolation_mode isolation = isolation_mode::process;
  /// Where agents call back. Empty: a Unix socket for local agents, all interfaces for those of Slurm; "tcp:HOST:PORT" is TLS
  /// (port 0: any).
  std::string listen = {};
  std::string interface = {};     ///< where `listen` is empty: the addresses of this network interface
  port_range ports = {};          ///< to choose from where `listen` has no port of its own
  std::string cache_folder = {};  ///< where agents keep programs that came over the wire
  std::chrono::nanoseconds heartbeat = std::chrono::seconds(2);
  std::chrono::nanoseconds silence = std::chrono::seconds(60);  ///< a peer that says nothing for so long is lost
  /// How long an agent looks for the driver again that the network lost, to come back as a new one; 0: not at all.
  std::chrono::nanoseconds rejoin = std::chrono::seconds(30);
  std::chrono::nanoseconds grace = std::chrono::milliseconds(500);  ///< from the stop token to the kill of a worker
  /// For the first agent. The time that a job waits in a queue does not count.
  std::chrono::nanoseconds launch_timeout = std::chrono::seconds(60);
  std::uint32_t relaunch = 3;  ///< how often a local agent or a job that ended early is started again
  slurm_options slurm = {};
  pool_options pool = {};
  /// Where objects are: a folder, or "s3://bucket/prefix?endpoint=https://host"; docs/storage.md lists the options. All agents must see it.
  /// Empty: a directory for this run alone, in the folder for temporary files, or below .corolith in the working directory with Slurm.
  std::string store = {};
  /// Arguments and results of so many bytes go through the store instead of the connection; 0: none does. Where `store` is empty only if
  /// all agents are on this machine, or the working directory is on a file system that clusters share. Not set: 8 MiB, but agents on this
  /// machine get them in shared memory as long as there is room (a quarter of the memory).
  std::optional<std::uint64_t> store_threshold = {};
  /// A file for the results of maps: a run of the same program that finds it there executes only the calls whose results are not in it. Empty:
  /// none. docs/journal.md
  std::string journal = {};
  /// How old results in the journal may be before they are brought to the disk; 0: at once; negative: never. They survive the driver in any case,
  /// this is about the machine.
  std::chrono::nanoseconds journal_sync = std::chrono::seconds(1);
  progress_mode progress = progress_mode::automatic;
  std::string log_level = "warning";
  call_options defaults = {};  ///< for calls that do not say otherwise
  /// Takes the lines that workers write, on an internal thread, one at a time. Not set: they go to standard error.
  std::function<void(const output_line&)> on_output = {};
};

/// Options from flags, then COROLITH_* variables, then the JSON file that --config or COROLITH_CONFIG names, then defaults.
struct parsed_options {
  options value;
  std::vector<std::string> rest;  ///< arguments that are not corolith's, in order, without argv[0]
  std::string help;               ///< not empty: --help or --version was given, and this is the text to print
};

/// Throws config_error that names the source and the key.
COROLITH_DECL parsed_options parse_options(int argc, const char* const* argv);

/// A setting as it stands, for those who show it.
struct setting {
  std::string name;      ///< flag --name, key `name` of the file
  std::string variable;  ///< COROLITH_NAME
  std::string argument;  ///< "N", "TIME"
  std::string help;
  std::string standard;  ///< in words: what it is when nothing is given
  std::string value;     ///< what was given
  std::string
      source;  ///< where: "flag --agents", "environment variable COROLITH_AGENTS", "run.json, key agents"; empty: nowhere
};

/// All settings there are, none of them given.
COROLITH_DECL std::vector<setting> known_settings();
/// All settings, as parse_options would find them. Throws config_error as it does.
COROLITH_DECL std::vector<setting> list_settings(int argc, const char* const* argv);

/// The text that --help prints.
COROLITH_DECL std::string options_help(const std::string& program);

}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/run/impl/options.ipp>
#endif
