// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/core/version.hpp>

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace corolith::inline v0::s3 {

/// Which profile of which files. What is empty follows the variables and customs of AWS's tools.
struct profile_location {
  std::string name;              ///< else AWS_PROFILE, else "default"
  std::string config_file;       ///< else AWS_CONFIG_FILE, else ~/.aws/config
  std::string credentials_file;  ///< else AWS_SHARED_CREDENTIALS_FILE, else ~/.aws/credentials

  /// The same with nothing empty. A file stays empty when there is no home directory.
  COROLITH_DECL profile_location resolved() const;
};

/// The settings of one profile, from both files; the credentials file wins. Settings below another have a dot: "s3.addressing_style".
class profile {
 public:
  struct setting {
    std::string value;
    std::string source;  ///< "~/.aws/config:12"
  };

  const std::string& name() const noexcept { return name_; }
  /// Null when there is no such setting or it is empty. Valid as long as the profile.
  COROLITH_DECL const setting* find(const std::string& setting_name) const;
  /// Its value; empty when there is none.
  COROLITH_DECL std::string value(const std::string& setting_name) const;
  /// The endpoint for S3: that of the `services` section that the profile names, else its `endpoint_url`.
  const std::string& endpoint_url() const noexcept { return endpoint_url_; }
  const std::map<std::string, setting>& settings() const noexcept { return settings_; }

  /// Reads both files. Nothing when neither has the profile or is there. Throws config_error with file and line for what cannot be
  /// read.
  COROLITH_DECL static std::optional<profile> load(const profile_location& where = {});

 private:
  std::string name_;
  std::string endpoint_url_;
  std::map<std::string, setting> settings_;
};

/// What of a client's settings the environment and the profile give: AWS_REGION, AWS_DEFAULT_REGION, AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL,
/// AWS_CA_BUNDLE, and the profile's region, endpoint_url, ca_bundle and s3.addressing_style where there is no variable. Empty: not said.
struct surroundings {
  std::string region;
  std::string endpoint_url;
  std::string ca_file;
  std::string addressing_style;  ///< "path", "virtual", "auto"

  /// Throws config_error as `profile::load` does, and when a profile is asked for by name that is not there.
  COROLITH_DECL static surroundings find(const profile_location& where = {});
};

namespace detail {

/// A section of an AWS file: what is between the brackets, and its settings.
struct ini_section {
  std::string title;
  std::map<std::string, profile::setting> settings;
};

/// The sections of a file in their order; those of one title are one. `source` is what errors and settings call it. Throws
/// config_error with the line.
COROLITH_DECL std::vector<ini_section> parse_ini(std::string_view text, const std::string& source);
/// Null when there is no section of that title.
COROLITH_DECL const ini_section* find_section(const std::vector<ini_section>& sections,
                                              std::string_view title) noexcept;

}  // namespace detail
}  // namespace corolith::inline v0::s3

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/s3/impl/profile.ipp>
#endif
