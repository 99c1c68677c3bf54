// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/codec/detail/fail.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <typeindex>
#include <typeinfo>
#include <unordered_map>
#include <utility>
#include <vector>

// What the shared pointers of one archive point to. Nothing is allocated until the first one is seen.
namespace corolith::inline v0::codec::detail {

class written_objects {
 public:
  template <class T>
  std::pair<std::uint64_t, bool> number_of(const std::shared_ptr<T>& object) {
    if (!numbers_) numbers_ = std::make_unique<map>();
    // The type is part of the key: an object and its first member have one address.
    const auto [place, is_new] = numbers_->try_emplace({object.get(), typeid(T)}, entry{object, numbers_->size() + 1});
    return {place->second.number, is_new};
  }

 private:
  using key = std::pair<const void*, std::type_index>;
  struct hash {
    std::size_t operator()(const key& k) const noexcept {
      return std::hash<const void*>{}(k.first) ^ (k.second.hash_code() * 31);
    }
  };
  struct entry {
    std::shared_ptr<const void> alive;  // or another object could take its address while the archive is being written
    std::uint64_t number;
  };
  using map = std::unordered_map<key, entry, hash>;
  std::unique_ptr<map> numbers_;
};

class read_objects {
 public:
  /// The object with that number; null when it is the next new one.
  template <class T>
  std::shared_ptr<T> find(std::uint64_t number) const {
    if (number == objects_.size() + 1) return nullptr;
    if (number > objects_.size()) fail("a std::shared_ptr refers to an object that was not sent");
    const entry& found = objects_[static_cast<std::size_t>(number - 1)];
    if (found.type != typeid(T)) fail("a std::shared_ptr refers to an object of another type");
    return std::static_pointer_cast<T>(found.object);
  }

  template <class T>
  void add(std::uint64_t, const std::shared_ptr<T>& object) {
    objects_.push_back({object, typeid(T)});
  }

 private:
  struct entry {
    std::shared_ptr<void> object;
    std::type_index type;
  };
  std::vector<entry> objects_;
};

}  // namespace corolith::inline v0::codec::detail
