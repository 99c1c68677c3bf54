// SPDX-License-Identifier: Apache-2.0
// The object storage benchmark of Lithops: objects written and read as a map over workers, and what bandwidth they reach together.
//   storage [write|read|delete] [--mb_per_file N] [--number N] [--read_times N] ... and corolith's own flags; --help lists them
// In the same run it measures a bare loop over the same directory without corolith.
#include "storage/bare_loop.hpp"
#include "storage/calls.hpp"
#include "storage/outcome.hpp"
#include "storage/plots.hpp"
#include "storage/report_file.hpp"
#include "storage/settings.hpp"
#include "storage/summary.hpp"

#include "files.hpp"
#include "place.hpp"
#include "program.hpp"
#include "report.hpp"
#include "workers.hpp"

#include <corolith/corolith.hpp>
#include <corolith/storage/location.hpp>
#include <corolith/storage/store.hpp>

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>

namespace cl = corolith;
using namespace bench;
using namespace bench::storage;

namespace {

/// A folder that goes with its contents.
class temporary_folder {
 public:
  explicit temporary_folder(std::string path) : path_(std::move(path)) {}
  ~temporary_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// For when no store was named.
std::string make_folder() {
  std::string name = (std::filesystem::temp_directory_path() / "corolith-bench-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no folder for objects: " + name);
  return name;
}

/// Of the bare loop, within the store's so that both have the same file system.
std::string make_bare_folder(const std::string& store) {
  const std::string path = store + "/.corolith-bench-bare";
  std::filesystem::create_directories(path);
  return path;
}

/// What was read has to be what was written, and that is known.
void check(const summary& map, const job& what) {
  static std::map<std::uint32_t, std::string> expected;
  if (map.what == phase::write || what.sum == checksum::none) return;
  for (const timed_call& call : map.calls) {
    std::string& sum = expected[call.index];
    if (sum.empty()) sum = checksum_of(object(call.index, what.bytes), what.sum);
    if (sum != call.sum)
      throw std::runtime_error(fmt::format("{} holds {}, but {} was written", what.key(call.index), call.sum, sum));
  }
}

void measure(cl::executor& ex, const settings& with, const std::set<place>& workers, std::optional<bare_loops>& bare,
             outcome& into) {
  for (const phase which : {phase::write, phase::read}) {
    if (!with.does(which)) continue;
    measured_phase one;
    one.map = run_map(ex, which, with.number, with.what, workers);
    if (one.map.calls.empty()) throw std::runtime_error("no call gave a result");
    check(one.map, with.what);
    if (bare) one.bare_s = bare->run(which, with.number);
    (which == phase::write ? into.write : into.read).rounds.push_back(std::move(one));
  }
}

void tell(const std::string& metric, std::optional<double> value, const char* unit,
          const std::optional<comparison>& to = {}) {
  if (value) report("storage", metric, *value, unit, to);
}

void report_phase(const std::string& name, const phase_outcome& all) {
  if (all.rounds.empty()) return;
  std::optional<comparison> to;
  if (const auto ratio = all.median_of(&measured_phase::to_bare)) to = {*ratio, "bare_" + name + "_mb_s"};
  const std::optional<double> rate = all.median_of(&measured_phase::mb_s);
  tell(name + "_mb_s", rate, "MB/s", to);
  tell("bare_" + name + "_mb_s", all.median_of(&measured_phase::bare_mb_s), "MB/s");
  tell(name + "_call_mb_s", all.median_of(&measured_phase::call_mb_s), "MB/s");
  tell(name + "_cpu_s_per_gb", all.median_of(&measured_phase::cpu_s_per_gb), "s/GB");
  fmt::print(stderr, "storage: {} {:.4g} MB/s\n", name == "write" ? "wrote" : "read", *rate);
}

outcome measure_all(const settings& with, const cl::storage::location& where) {
  outcome all;
  const auto begin = std::chrono::steady_clock::now();
  cl::executor ex(with.options);
  const std::set<place> workers = start_workers<prepare_worker>(ex, with.options, with.what);
  all.startup_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  fmt::print(stderr, "storage: {} and {}\n", counted(workers.size(), "worker"), with.options.store);
  std::optional<temporary_folder> folder;
  std::optional<bare_loops> bare;
  if (with.bare) {
    folder.emplace(make_bare_folder(where.folder));
    bare.emplace(workers.size(), folder->path(), with.what);
  }
  for (std::uint32_t i = 0; i < with.rounds; ++i) {
    fmt::print(stderr, "storage: round {} of {}\n", i + 1, with.rounds);
    measure(ex, with, workers, bare, all);
  }
  return all;
}

std::uint32_t failures(const outcome& all) {
  std::uint32_t sum = 0;
  for (const phase_outcome* each : {&all.write, &all.read})
    for (const measured_phase& round : each->rounds) sum += round.map.failed;
  return sum;
}

cl::task<void> remove_objects(cl::store store, std::string prefix) { co_await store.remove_all(prefix); }

int run(settings with) {
  std::optional<temporary_folder> own;
  if (with.options.store.empty()) with.options.store = "posix://" + own.emplace(make_folder()).path();
  const cl::storage::location where = cl::storage::location::parse(with.options.store);
  if (where.scheme != cl::storage::location::kind::posix) with.bare = false;
  outcome all;
  if (with.writes || with.reads) {
    all = measure_all(with, where);
    report_phase("write", all.write);
    report_phase("read", all.read);
    tell("startup_s", all.startup_s, "s");
    if (!with.outdir.empty())
      write_files({"storage", with.outdir, with.name, report_text(with, all), plot_script(with, all),
                   "execution,rates,bandwidth"});
  }
  if (with.removes) cl::sync_wait(remove_objects(cl::store::open(with.options.store), with.what.key_prefix));
  return failures(all) == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  return bench::run_main("storage", argc, argv, flags_help(), bare_loop_flag, serve_bare_loop,
                         [](const cl::parsed_options& parsed) { return run(parse_settings(parsed)); });
}
