// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/config.hpp>
#include <corolith/core/error.hpp>
#include <corolith/s3/error.hpp>
#include <corolith/s3/openssl.hpp>
#include <corolith/storage/detail/keys.hpp>
#include <corolith/storage/error.hpp>
#include <corolith/storage/s3.hpp>

#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <typeinfo>
#include <utility>
#include <vector>

namespace corolith::inline v0::storage {
namespace detail {

inline bool yes_or_no(const config::entry& from) {
  if (from.value != "yes" && from.value != "no") reject(from, "'" + from.value + "' is neither yes nor no");
  return from.value == "yes";
}

struct s3_option {
  std::string_view name;
  void (*set)(s3::client_options&, const config::entry&);
};

inline constexpr s3_option s3_option_table[] = {
    {"endpoint", [](s3::client_options& to, const config::entry& from) { to.endpoint = from.value; }},
    {"region", [](s3::client_options& to, const config::entry& from) { to.region = from.value; }},
    {"profile", [](s3::client_options& to, const config::entry& from) { to.profile = from.value; }},
    {"path_style", [](s3::client_options& to, const config::entry& from) { to.path_style = yes_or_no(from); }},
    {"ca_file", [](s3::client_options& to, const config::entry& from) { to.tls.ca_file = from.value; }},
    {"verify", [](s3::client_options& to, const config::entry& from) { to.tls.verify = yes_or_no(from); }},
    {"part_size", [](s3::client_options& to, const config::entry& from) { to.part_size = parse_size(from); }},
    {"memory", [](s3::client_options& to, const config::entry& from) { to.memory_budget = parse_size(from); }},
    {"connections",
     [](s3::client_options& to, const config::entry& from) { to.most_connections = parse_number(from, 1, 10'000); }},
    {"threads", [](s3::client_options& to,
                   const config::entry& from) { to.io_threads = static_cast<unsigned>(parse_number(from, 1, 256)); }},
};

inline s3::client_options s3_options_of(const location& where) {
  s3::client_options options;
  for (const auto& [name, value] : where.options) {
    const s3_option* found = nullptr;
    std::string known;
    for (const s3_option& each : s3_option_table) {
      if (each.name == name) found = &each;
      known += (known.empty() ? "" : ", ") + std::string(each.name);
    }
    if (found == nullptr)
      throw config_error("store 's3://" + where.bucket + "': there is no option '" + name + "'; there are " + known);
    found->set(options, config::entry{value, "store 's3://" + where.bucket + "', option " + name});
  }
  return options;
}

/// The clients of this process by their options.
class s3_client_table {
 public:
  s3::client find(const location& where) {
    std::lock_guard lock(mutex_);
    if (const auto known = clients_.find(where.options); known != clients_.end()) return known->second;
    return clients_.emplace(where.options, s3::client(s3_options_of(where))).first->second;
  }

 private:
  std::mutex mutex_;
  std::map<std::map<std::string, std::string>, s3::client> clients_;
};

/// What the client threw as an error of the store. What is nobody's here (a source that fails, a stop) goes on as it is.
[[noreturn]] inline void rethrow_of_store(const std::string& key) {
  try {
    throw;
  } catch (const s3::s3_error& failure) {
    throw store_error(failure.code(), failure.what(), key);
  } catch (const error& failure) {
    if (typeid(failure) == typeid(error)) throw store_error(failure.code(), failure.what(), key);
    throw;
  }
}

template <class T>
task<T> of_store(task<T> work, std::string key) {
  check_key(key);
  try {
    co_return co_await std::move(work);
  } catch (...) {
    rethrow_of_store(key);
  }
}

inline backend::byte_stream stream_of_store(backend::byte_stream pieces, std::string key) {
  check_key(key);
  for (;;) {
    std::optional<std::vector<std::byte>> piece;
    try {
      piece = co_await pieces.next();
    } catch (...) {
      rethrow_of_store(key);
    }
    if (!piece) co_return;
    co_yield std::move(*piece);
  }
}

inline generator<list_entry> list_of_store(generator<list_entry> entries, std::string prefix, std::string listed) {
  for (;;) {
    std::optional<list_entry> entry;
    try {
      entry = co_await entries.next();
    } catch (...) {
      rethrow_of_store(listed);
    }
    if (!entry) co_return;
    entry->key.erase(0, prefix.size());
    // An object whose name is the prefix itself, which some tools make, has no key here.
    if (!entry->key.empty() && !hidden(entry->key, listed)) co_yield std::move(*entry);
  }
}

inline task<std::vector<remove_result>> remove_from_store(s3::client client, std::string bucket, std::string prefix,
                                                          std::vector<std::string> keys) {
  std::vector<remove_result> bad;
  std::vector<std::string> good;
  for (std::string& key : keys) try {
      check_key(key);
      good.push_back(prefix + key);
    } catch (const store_error& refused) {
      bad.push_back({std::move(key), "InvalidArgument", refused.what()});
    }
  try {
    std::vector<remove_result> left = co_await client.remove_many(std::move(bucket), std::move(good));
    for (remove_result& each : left) {
      if (each.key.starts_with(prefix)) each.key.erase(0, prefix.size());
      bad.push_back(std::move(each));
    }
  } catch (...) {
    rethrow_of_store({});
  }
  co_return bad;
}

inline task<put_result> copy_in_store(task<put_result> work, std::string from, std::string to) {
  check_key(to);
  co_return co_await of_store(std::move(work), std::move(from));
}

inline task<void> check_bucket(task<void> work) {
  try {
    co_await std::move(work);
  } catch (...) {
    rethrow_of_store({});
  }
}

class s3_backend final : public backend {
 public:
  s3_backend(s3::client client, std::string bucket, std::string prefix)
      : client_(std::move(client)), bucket_(std::move(bucket)), prefix_(std::move(prefix)) {}

  task<put_result> put(std::string key, object_source source, put_options how) override {
    return of_store(client_.put(bucket_, prefix_ + key, std::move(source), std::move(how)), key);
  }
  task<object_info> head(std::string key) override { return of_store(client_.head(bucket_, prefix_ + key), key); }
  task<std::vector<std::byte>> get(std::string key, get_options how) override {
    return of_store(client_.get(bucket_, prefix_ + key, std::move(how)), key);
  }
  task<std::size_t> get_into(std::string key, mutable_byte_span place, get_options how) override {
    return of_store(client_.get_into(bucket_, prefix_ + key, place, std::move(how)), key);
  }
  task<object_info> get_to_file(std::string key, std::string path, get_options how) override {
    return of_store(client_.get_to_file(bucket_, prefix_ + key, std::move(path), std::move(how)), key);
  }
  byte_stream stream(std::string key, get_options how) override {
    return stream_of_store(client_.stream(bucket_, prefix_ + key, std::move(how)), key);
  }
  task<void> remove(std::string key) override { return of_store(client_.remove(bucket_, prefix_ + key), key); }
  task<std::vector<remove_result>> remove_many(std::vector<std::string> keys) override {
    return remove_from_store(client_, bucket_, prefix_, std::move(keys));
  }
  task<put_result> copy(std::string from, std::string to, copy_options how) override {
    task<put_result> work = client_.copy(bucket_, prefix_ + from, bucket_, prefix_ + to, std::move(how));
    return copy_in_store(std::move(work), std::move(from), std::move(to));
  }
  generator<list_entry> list(list_options what) override {
    std::string listed = what.prefix;
    what.prefix = prefix_ + listed;
    if (!what.start_after.empty()) what.start_after = prefix_ + what.start_after;
    return list_of_store(client_.list(bucket_, std::move(what)), prefix_, std::move(listed));
  }
  task<void> check() override { return check_bucket(client_.head_bucket(bucket_)); }
  traffic moved() const noexcept override {
    const s3::client_counters counted = client_.counters();
    return {counted.bytes_received, counted.bytes_sent};
  }

 private:
  s3::client client_;
  std::string bucket_, prefix_;
};

}  // namespace detail

COROLITH_DECL s3::client s3_client_of(const location& where) {
  if (where.scheme != location::kind::s3)
    throw config_error("store '" + where.to_string() + "': it is a directory, and s3://bucket was expected");
  s3::start_openssl();  // whose end must come after theirs
  static detail::s3_client_table table;
  return table.find(where);
}

COROLITH_DECL std::shared_ptr<backend> make_s3_backend(const location& where) {
  return std::make_shared<detail::s3_backend>(s3_client_of(where), where.bucket, where.prefix);
}

}  // namespace corolith::inline v0::storage
