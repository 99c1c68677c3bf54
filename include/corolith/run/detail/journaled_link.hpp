// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/run/detail/backend.hpp>
#include <corolith/run/detail/element_hashes.hpp>
#include <corolith/run/detail/journal.hpp>

#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace corolith {
inline namespace v0 {
namespace detail {

/// A batch on its way through the journal. Results that are in the file are delivered in the order in which they stand there, which needs no
/// index of the file: a reader waits at the first result whose element was not fed yet.
///
/// A lazy input is pulled as the backend below asks for it. Elements that are not handed to it leave what it asked for unanswered; when the caller
/// has taken their results, as many others are asked for. Should the reader wait when nothing else could go on, it asks for what it waits for:
/// no more elements than were under way when the result was written. Thread-safe.
class journaled_link : public batch_link, public journal_client, public std::enable_shared_from_this<journaled_link> {
 public:
  COROLITH_DECL journaled_link(std::shared_ptr<batch_link> above, std::shared_ptr<backend> below,
                               std::shared_ptr<journal> kept, journal::opened opened, bool lazy);

  void set_id(std::uint64_t batch) noexcept {
    std::lock_guard lock(mutex_);
    id_ = batch;
  }
  /// Takes the elements whose results are in the journal out of a block, and gives the others.
  COROLITH_DECL std::vector<element_block> fed(const element_block& block, bool last);
  /// The caller took so many results; returns how many of them the backend below knows.
  COROLITH_DECL std::uint32_t consumed(std::uint32_t count);
  COROLITH_DECL void cancelled() noexcept;
  /// Lets the reader look whether it can go on.
  COROLITH_DECL void wake_reader();

  COROLITH_DECL void want_input(std::uint32_t count) noexcept override;
  COROLITH_DECL void finished(call_outcome&& outcome) noexcept override;
  COROLITH_DECL void settle(bool done) noexcept override;
  COROLITH_DECL void abandoned(std::exception_ptr reason) noexcept override;

  COROLITH_DECL void saved(call_outcome&& outcome) noexcept override;
  COROLITH_DECL void settle_saved() noexcept override;
  COROLITH_DECL bool replay_some() noexcept override;

 private:
  enum class step { delivered, passed_over, waits, over };
  COROLITH_DECL step replay_one();
  COROLITH_DECL bool find_record();
  COROLITH_DECL step wait_for(std::uint32_t index);
  COROLITH_DECL call_outcome outcome_of(const journal_record& record);
  COROLITH_DECL void replay_ended();
  COROLITH_DECL void deliver(call_outcome&& outcome, bool from_file);
  COROLITH_DECL std::uint32_t allow(std::uint64_t allowed, std::uint64_t at_least);
  COROLITH_DECL void fail(std::exception_ptr reason) noexcept;
  COROLITH_DECL void other_arguments(const std::string& what);

  const std::shared_ptr<batch_link> above_;
  const std::shared_ptr<backend> below_;
  const std::shared_ptr<journal> journal_;
  const journal::opened batch_;
  const bool lazy_;

  std::mutex mutex_;
  std::uint64_t id_ = 0;
  std::uint64_t fed_ = 0;  // elements
  bool input_ended_ = false;
  bool cancelled_ = false;
  bool abandoned_ = false;
  bool below_done_ = false;
  bool told_done_ = false;
  bool reading_ = false;                     // there may be results in the file that were not delivered
  std::uint64_t unsaved_ = 0;                // outcomes that are at the journal
  std::uint64_t withheld_ = 0;               // fed elements whose results the reader has not come to
  element_hashes hashes_;                    // of fed elements whose calls have not ended
  bool reader_awake_ = false;                // the journal knows that it has something to do
  std::optional<std::uint32_t> blocked_on_;  // an element that the reader waits for

  // Of a lazy input.
  std::uint64_t allowance_ =
      0;  // elements that the backend below asked for, and those in place of others that it did not get
  std::uint64_t asked_ = 0;  // elements that were asked for
  std::deque<std::pair<bool, std::uint32_t>>
      delivered_;  // and not yet taken, in order: from the file or not, and how many

  // The journal thread's.
  journal_reader reader_;
  std::optional<journal_record> record_;  // that the reader is at
};

}  // namespace detail
}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/run/impl/journaled_link.ipp>
#endif
