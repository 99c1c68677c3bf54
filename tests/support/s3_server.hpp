// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include <unistd.h>

/// The real S3 server that tests/support/ceph_rgw (or swift_s3) started for this process and told of in its environment. Cases that use it
/// are tagged [.server]; [.server][ceph] where only Ceph's gateway can do what they want. By hand:
///   tests/support/ceph_rgw run build/dev/tests/test_s3 '[server]'
struct s3_server {
  std::string kind;                 ///< ceph or swift
  std::string endpoint;             ///< http://127.0.0.1:PORT
  std::string tls_endpoint;         ///< https://localhost:PORT
  std::string wrong_name_endpoint;  ///< the same at an address that its certificate does not name
  std::string ca_file;              ///< the authority that signed its certificate
  std::string certificates;         ///< a folder with server.pem, expired.pem (by that authority) and their server.key
  std::string access_key;
  std::string secret_key;
  std::string region;

  /// Throws where no script has started one.
  static s3_server from_environment() {
    return {variable("SERVER"),  variable("ENDPOINT"),     variable("TLS_ENDPOINT"), variable("WRONG_NAME_ENDPOINT"),
            variable("CA_FILE"), variable("CERTIFICATES"), variable("ACCESS_KEY"),   variable("SECRET_KEY"),
            variable("REGION")};
  }

  /// A name that no other test uses.
  static std::string new_bucket() {
    static std::atomic<int> count{0};
    return "test-" + std::to_string(::getpid()) + "-" + std::to_string(++count);
  }

 private:
  static std::string variable(const char* name) {
    const char* const value = std::getenv((std::string("S3_TEST_") + name).c_str());
    if (value == nullptr) {
      throw std::runtime_error(std::string("S3_TEST_") + name +
                               " is not set: run this by 'tests/support/ceph_rgw run PROGRAM ARGUMENTS'");
    }
    return value;
  }
};
