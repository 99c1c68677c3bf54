// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/config.hpp>
#include <corolith/observe/progress.hpp>
#include <corolith/storage/types.hpp>

#include <chrono>
#include <string>
#include <string_view>

namespace tool {

/// What the flags of `corolith store` say.
struct settings {
  std::string endpoint, region, profile, ca_file, part_size;  ///< empty: not said
  bool path_style = false;
  bool insecure = false;

  unsigned jobs = 8;
  corolith::progress_mode progress = corolith::progress_mode::automatic;
  bool recursive = false;
  bool keep = false;  ///< what is there already is not replaced
  bool resume = false;
  bool json = false;
  bool human = false;
  bool force = false;
  corolith::storage::put_options put;
  corolith::storage::byte_range range;
  std::string method = "GET";
  std::chrono::seconds expires{3600};
};

/// Verbs as bits: which flags are theirs.
enum verb_bits : unsigned {
  on_put = 1,
  on_get = 2,
  on_ls = 4,
  on_rm = 8,
  on_cp = 16,
  on_cat = 32,
  on_presign = 64,
  on_mb = 128,
  on_rb = 256,
};

using flag_value = corolith::config::entry;

struct flag_row {
  std::string_view name;
  char letter;        ///< 0: it has no short form
  const char* value;  ///< null: it takes none
  const char* help;
  unsigned verbs;
  void (*set)(settings&, const flag_value&);
};

}  // namespace tool
