// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/bytes.hpp>
#include <corolith/coro/generator.hpp>
#include <corolith/coro/task.hpp>
#include <corolith/storage/source.hpp>
#include <corolith/storage/types.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace corolith::inline v0::storage {

/// Bytes of objects that went through a store in this process so far, those of transfers under way and of attempts that failed included.
struct traffic {
  std::uint64_t received = 0;
  std::uint64_t sent = 0;
};

/// What a `store` is made of; see there for what each verb means. Owned by a shared_ptr, which every task of it holds until it ends; all
/// functions may be called from any thread.
class backend : public std::enable_shared_from_this<backend> {
 public:
  using byte_stream = object_source::byte_stream;

  virtual ~backend() = default;

  virtual task<put_result> put(std::string key, object_source source, put_options how) = 0;
  virtual task<object_info> head(std::string key) = 0;
  virtual task<std::vector<std::byte>> get(std::string key, get_options how) = 0;
  virtual task<std::size_t> get_into(std::string key, mutable_byte_span place, get_options how) = 0;
  virtual task<object_info> get_to_file(std::string key, std::string path, get_options how) = 0;
  virtual byte_stream stream(std::string key, get_options how) = 0;
  virtual task<void> remove(std::string key) = 0;
  virtual task<std::vector<remove_result>> remove_many(std::vector<std::string> keys) = 0;
  virtual task<put_result> copy(std::string from, std::string to, copy_options how) = 0;
  virtual generator<list_entry> list(list_options what) = 0;
  virtual task<void> check() = 0;
  /// For who shows progress; a backend that does not count says 0.
  virtual traffic moved() const noexcept { return {}; }
};

}  // namespace corolith::inline v0::storage
