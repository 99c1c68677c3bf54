// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/codec/registry.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include <cxxabi.h>
#include <elf.h>
#include <link.h>

namespace corolith::inline v0::codec {

namespace detail {

/// FNV-1a, for modules without a build-id.
inline std::uint64_t hash_of(std::string_view text) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return hash;
}

inline bool holds_address(const dl_phdr_info& module, ElfW(Addr) address) noexcept {
  for (int i = 0; i < module.dlpi_phnum; ++i) {
    const auto& segment = module.dlpi_phdr[i];
    const ElfW(Addr) begin = module.dlpi_addr + segment.p_vaddr;
    if (segment.p_type == PT_LOAD && address >= begin && address - begin < segment.p_memsz) return true;
  }
  return false;
}

/// The first 8 bytes of the GNU build-id among the notes of one segment; 0 when there is none.
inline std::uint64_t build_id_in(const std::byte* notes, std::size_t size, std::size_t alignment) noexcept {
  const auto padded = [&](std::size_t n) { return (n + alignment - 1) / alignment * alignment; };
  ElfW(Nhdr) note;
  while (size >= sizeof(note)) {
    std::memcpy(&note, notes, sizeof(note));
    const std::size_t name = padded(note.n_namesz), all = sizeof(note) + name + padded(note.n_descsz);
    if (all > size) return 0;
    if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && std::memcmp(notes + sizeof(note), "GNU", 4) == 0) {
      std::uint64_t id = 0;
      std::memcpy(&id, notes + sizeof(note) + name, note.n_descsz < sizeof(id) ? note.n_descsz : sizeof(id));
      return id;
    }
    notes += all;
    size -= all;
  }
  return 0;
}

inline std::uint64_t identity_of(const dl_phdr_info& module) noexcept {
  for (int i = 0; i < module.dlpi_phnum; ++i) {
    const auto& segment = module.dlpi_phdr[i];
    if (segment.p_type != PT_NOTE) continue;
    const auto* notes = reinterpret_cast<const std::byte*>(module.dlpi_addr + segment.p_vaddr);
    const std::uint64_t id = build_id_in(notes, segment.p_memsz, segment.p_align == 8 ? 8 : 4);
    if (id != 0) return id;
  }
  // The file name without its folder: an agent may run the same bytes from its cache. The program itself has no name
  // here.
  const std::string_view path = module.dlpi_name != nullptr ? module.dlpi_name : "";
  return hash_of(path.substr(path.rfind('/') + 1));
}

inline function_key key_of(thunk entry) noexcept {
  struct search {
    ElfW(Addr) address;
    function_key key;
  } wanted{reinterpret_cast<ElfW(Addr)>(entry), {}};
  dl_iterate_phdr(
      [](dl_phdr_info* module, std::size_t, void* data) {
        auto& search_for = *static_cast<search*>(data);
        if (!holds_address(*module, search_for.address)) return 0;
        search_for.key = {identity_of(*module), search_for.address - module->dlpi_addr};
        return 1;
      },
      &wanted);
  return wanted.key;
}

COROLITH_DECL registrar::registrar(thunk entry, const std::type_info& callable) noexcept
    : entry_(entry), callable_(callable) {
  const std::lock_guard lock(registry.mutex);
  next_ = registry.first;
  registry.first = this;
}

COROLITH_DECL registrar::~registrar() {
  const std::lock_guard lock(registry.mutex);
  for (registrar** link = &registry.first; *link != nullptr; link = &(*link)->next_) {
    if (*link != this) continue;
    *link = next_;
    return;
  }
}

COROLITH_DECL function_key registrar::key() noexcept {
  if (!has_key_.load(std::memory_order_acquire)) {
    const std::lock_guard lock(registry.mutex);
    function_registry::complete(*this);
  }
  return key_;
}

COROLITH_DECL void function_registry::complete(registrar& entry) noexcept {
  if (entry.has_key_.load(std::memory_order_relaxed)) return;
  entry.key_ = key_of(entry.entry_);
  entry.has_key_.store(true, std::memory_order_release);
}

// A walk through a list: a program has tens of remote functions and looks one up once a batch.
COROLITH_DECL registrar* function_registry::find(function_key key) noexcept {
  for (registrar* entry = first; entry != nullptr; entry = entry->next_) {
    complete(*entry);
    if (entry->key_ == key) return entry;
  }
  return nullptr;
}

/// "area(unsigned long, long)" of "corolith::v0::codec::fixed<&(area(unsigned long, long))>"; other types stay as they
/// are.
inline std::string readable_name(const char* mangled) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> text(abi::__cxa_demangle(mangled, nullptr, nullptr, &status),
                                                         &std::free);
  std::string name = text ? text.get() : mangled;
  constexpr std::string_view prefix = "corolith::v0::codec::fixed<";
  if (name.starts_with(prefix) && name.ends_with('>')) {
    name = name.substr(prefix.size(), name.size() - prefix.size() - 1);
    if (name.starts_with("&(") && name.ends_with(')')) name = name.substr(2, name.size() - 3);
    if (name.starts_with('&')) name.erase(0, 1);
    if (name.ends_with("{}")) name.resize(name.size() - 2);
  }
  // Clang leaves the second lambda of a function as "$_1"; say what GCC says.
  if (const auto lambda = name.find("$_"); lambda != std::string::npos) {
    const auto end = std::min(name.find_first_not_of("0123456789", lambda + 2), name.size());
    const unsigned long number = std::strtoul(name.c_str() + lambda + 2, nullptr, 10);
    name.replace(lambda, end - lambda, "{lambda#" + std::to_string(number + 1) + "}");
  }
  return name;
}

}  // namespace detail

COROLITH_DECL thunk find_function(function_key key) noexcept {
  const std::lock_guard lock(detail::registry.mutex);
  return detail::function_registry::entry_of(detail::registry.find(key));
}

COROLITH_DECL std::string describe_function(function_key key) {
  {
    const std::lock_guard lock(detail::registry.mutex);
    if (const char* name = detail::function_registry::name_of(detail::registry.find(key))) {
      return detail::readable_name(name);
    }
  }
  char text[96];
  std::snprintf(text, sizeof(text), "unknown function (offset 0x%llx in the module with build-id %016llx...)",
                static_cast<unsigned long long>(key.offset),
                static_cast<unsigned long long>(__builtin_bswap64(key.module)));
  return text;
}

}  // namespace corolith::inline v0::codec
