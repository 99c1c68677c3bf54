// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "settings.hpp"

#include <corolith/core/error.hpp>
#include <corolith/storage/location.hpp>
#include <corolith/storage/store.hpp>

#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

namespace tool {

/// What a word of the command line names in a store: an object, or, with a slash at its end, what lies below it.
struct place {
  std::string text;                   ///< as it was given
  corolith::storage::location where;  ///< of the store: a bucket, or the folder that the object or the last slash is in
  std::string key;                    ///< empty: all of the store

  bool is_folder() const noexcept { return key.empty() || key.ends_with('/'); }
  corolith::store open() const { return corolith::store::open(where.to_string()); }
  /// Where it is, comparable with other places: "s3://bucket/key", "posix:///folder/key".
  std::string path() const {
    const bool s3 = where.scheme == corolith::storage::location::kind::s3;
    return (s3 ? "s3://" + where.bucket : "posix://" + where.folder) + "/" + key;
  }
  /// With a slash at its end, for whoever meant what lies below.
  std::string prefix() const { return is_folder() ? key : key + '/'; }
};

inline void add_s3_options(const settings& how, corolith::storage::location& to) {
  const auto set = [&](const char* name, const std::string& value) {
    if (!value.empty()) to.options[name] = value;
  };
  set("endpoint", how.endpoint);
  set("region", how.region);
  set("profile", how.profile);
  set("ca_file", how.ca_file);
  set("part_size", how.part_size);
  set("path_style", how.path_style ? "yes" : "");
  set("verify", how.insecure ? "no" : "");
}

/// From "s3://bucket/key", "posix:///folder/key" or a path. A path of a directory stands for what lies below it. Throws config_error.
inline place parse_place(const std::string& text, const settings& how) {
  place named{text, corolith::storage::location::parse(text), {}};
  const bool is_url = text.find("://") != std::string::npos;
  const std::string_view path = is_url ? std::string_view(text).substr(0, text.find('?')) : std::string_view(text);
  const bool slash = path.ends_with('/');
  if (named.where.scheme == corolith::storage::location::kind::s3) {
    std::swap(named.key, named.where.prefix);
    if (!slash && !named.key.empty()) named.key.pop_back();
    add_s3_options(how, named.where);
    return named;
  }
  std::error_code unknown;
  if (slash || std::filesystem::is_directory(named.where.folder, unknown)) return named;
  const std::size_t last = named.where.folder.rfind('/');
  named.key = named.where.folder.substr(last + 1);
  named.where.folder.resize(last == 0 ? 1 : last);
  return named;
}

/// The last part of a key or a path, with no slash.
inline std::string last_part(std::string_view path) {
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  return std::string(path.substr(path.rfind('/') + 1));
}

}  // namespace tool
