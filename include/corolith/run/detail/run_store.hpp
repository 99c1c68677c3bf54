// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/bytes.hpp>
#include <corolith/core/detail/decl.hpp>
#include <corolith/core/memory_segment.hpp>
#include <corolith/coro/task.hpp>
#include <corolith/run/options.hpp>
#include <corolith/storage/store.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace corolith {
inline namespace v0 {
namespace detail {

/// The store of a run, as its driver and its workers have it, and the way of large values through it. A value in the store is stood for by a
/// reference, which begins with the run's own 128 random bits: nothing else does. Thread-safe.
class run_store {
 public:
  /// The driver's: where the options say, or a directory for this run alone, which is made when it is used. Throws config_error.
  COROLITH_DECL static std::shared_ptr<run_store> of_driver(const options& settings);
  /// What the driver told this worker; null in a process that is no worker, or of a driver that says nothing.
  COROLITH_DECL static const std::shared_ptr<run_store>& of_worker();

  /// `prefers_segments`: what is in shared memory stays there, as all agents are on this machine.
  COROLITH_DECL run_store(store objects, std::string run, std::uint64_t threshold, bool prefers_segments = false);

  const store& objects() const noexcept { return objects_; }

  /// For workers: where the store is and, when it is S3, what this process's environment says of its credentials ("NAME=value").
  COROLITH_DECL std::vector<std::string> worker_environment() const;
  /// What must go when this process is killed; empty where there is nothing in a file system.
  const std::string& folder() const noexcept { return folder_; }
  /// Removes what the run kept for itself. The driver's last act; does not throw.
  COROLITH_DECL void clean() noexcept;

  /// Whether a value of that size goes through the store.
  bool is_large(std::uint64_t size, bool in_segment) const noexcept {
    return threshold_ != 0 && size >= threshold_ && !(in_segment && prefers_segments_);
  }
  bool is_large(const shared_bytes& value) const noexcept {
    return is_large(value.size(), false) && is_large(value.size(), memory_segment::find(value).has_value());
  }
  /// Puts a large value into the store and returns what stands for it; nothing when it has to travel as it is. Blocks.
  COROLITH_DECL std::optional<shared_bytes> send(shared_bytes value);
  COROLITH_DECL bool is_reference(byte_span bytes) const noexcept;
  /// What the reference stands for.
  COROLITH_DECL task<shared_bytes> fetch(shared_bytes reference) const;
  /// Removes it, some time soon.
  COROLITH_DECL void forget(shared_bytes reference) const noexcept;

 private:
  store objects_;
  std::string run_;
  std::uint64_t threshold_;
  bool prefers_segments_;
  std::string folder_;
  std::atomic<bool> warned_{false};
};

/// Has workers take large values from the store, and put them there, when their driver says so. To be called before a process serves.
COROLITH_DECL void install_value_courier();

}  // namespace detail
}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/run/impl/run_store.ipp>
#endif
