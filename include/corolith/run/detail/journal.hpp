// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/run/detail/backend.hpp>
#include <corolith/run/detail/journal_file.hpp>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

namespace corolith {
inline namespace v0 {
namespace detail {

/// A batch whose results are saved and read again. All of it is called on the journal's thread.
class journal_client {
 public:
  virtual ~journal_client() = default;
  /// The outcome is in the file, or the file cannot take it.
  virtual void saved(call_outcome&& outcome) noexcept = 0;
  /// A group of `saved` is over.
  virtual void settle_saved() noexcept = 0;
  /// Delivers some of what the file has; true when there is more that could be delivered at once.
  virtual bool replay_some() noexcept = 0;
};

/// The results of a run's batches in a file, which a later run of the same program goes on with. One thread writes and reads it: results that
/// come while it is at work make up the next group. A result that was handed out is in the page cache of the kernel, so that it survives
/// the program; every `sync` (and when a batch or the journal ends) all is brought to the disk. While the file cannot be written, results pass
/// without it. Thread-safe.
class journal {
 public:
  /// As in `sync`: only the kernel says when.
  static constexpr std::chrono::nanoseconds never{-1};

  /// Throws as journal_file does.
  COROLITH_DECL journal(std::string path, std::chrono::nanoseconds sync);
  ~journal() { close(); }
  journal(const journal&) = delete;
  journal& operator=(const journal&) = delete;

  struct opened {
    std::size_t slot;       ///< names the batch in `save`
    journaled_batch there;  ///< what an earlier run has left of it
    std::string text;       ///< for people: "map 2 (double f(int))"
  };
  /// The next batch of this name. Throws error{misuse} when the journal has another function or other shared arguments in its place.
  COROLITH_DECL opened open(const std::string& name, codec::function_key function, byte_span shared);

  /// `whose->saved(outcome)` follows.
  COROLITH_DECL void save(std::shared_ptr<journal_client> whose, std::size_t slot, std::uint64_t element,
                          call_outcome outcome);
  /// `whose->replay_some()` is called until it says that there is no more.
  COROLITH_DECL void replay(std::shared_ptr<journal_client> whose);
  /// A batch is over: a good time to bring all to the disk.
  COROLITH_DECL void batch_over();
  /// The program turned out not to be what the journal is of: the file becomes what it was, and nothing more is written to it.
  COROLITH_DECL void spoil();
  /// Writes what is there to be written, and ends. Idempotent.
  COROLITH_DECL void close();

  const journal_file& file() const noexcept { return file_; }

 private:
  using clock = std::chrono::steady_clock;
  struct item {
    std::shared_ptr<journal_client> whose;
    std::size_t slot;
    std::uint64_t element;
    call_outcome outcome;
  };
  struct batch_slot {
    journal_batch known;
    bool announced = false;  // the file has it, under its number; the thread's
  };

  COROLITH_DECL void run();
  COROLITH_DECL void write(std::vector<item>& items);
  COROLITH_DECL void write_group(item* begin, item* end);
  COROLITH_DECL void add(const item& each, std::vector<batch_slot*>& new_slots, std::vector<std::string>& new_hosts);
  COROLITH_DECL void sync_if_due(bool now);
  COROLITH_DECL void trouble(const std::string& what);
  COROLITH_DECL batch_slot& slot_of(std::size_t number);

  journal_file file_;
  const std::chrono::nanoseconds sync_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<item> queue_;
  std::vector<std::shared_ptr<journal_client>> replays_;
  std::vector<std::unique_ptr<batch_slot>> slots_;
  std::map<std::pair<std::string, std::uint32_t>, std::size_t> places_;  // in the file's batches; constant
  std::map<std::string, std::uint32_t> ordinals_;                        // how many batches of each name were opened
  bool sync_now_ = false;
  bool spoil_ = false;
  bool closing_ = false;

  // The thread's.
  std::uint32_t batches_;  // in the file
  std::unordered_map<std::string, std::uint32_t> hosts_;
  bool spoiled_ = false;
  bool dirty_ = false;
  clock::time_point synced_{};
  clock::time_point try_again_{};
  std::uint64_t unsaved_ = 0;  // results that passed while the file could not be written

  std::mutex close_mutex_;
  std::thread thread_;
};

}  // namespace detail
}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/run/impl/journal.ipp>
#endif
