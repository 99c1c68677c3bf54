// SPDX-License-Identifier: Apache-2.0
// The S3 client alone, in one process: bytes and small objects beside bare clients against nginx, beside other S3 clients against Ceph's
// gateway, and how much memory a long stream takes. All of it by io_uring and by poll.
//   s3 [--parts raw,gateway,memory] [--rounds N] ...; --help lists the flags
#include "s3/client_process.hpp"
#include "s3/gateway.hpp"
#include "s3/raw.hpp"
#include "s3/settings.hpp"
#include "s3/streaming.hpp"
#include "s3/synthetic_server.hpp"

#include <corolith/core/error.hpp>

#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

using namespace bench::s3;

int main(int argc, char** argv) {
  if (argc == 8 && argv[1] == client_flag) return serve_client(argv + 2);
  if (argc == 3 && argv[1] == synthetic_server_flag) return serve_synthetic(argv + 2);
  const std::vector<std::string> given(argv + 1, argv + argc);
  if (given == std::vector<std::string>{"--help"}) {
    fmt::print("{}", flags_help());
    return 0;
  }
  std::signal(SIGPIPE, SIG_IGN);  // of a contender that ended early: it is said by the lack of its answer
  for (const char* const name : {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}) ::setenv(name, "nobody-asks", 1);
  try {
    const settings with = parse_settings(given);
    if (with.raw) raw_part(with).run();
    if (with.gateway) gateway_part(with).run();
    if (with.memory) measure_streaming(with);
    return 0;
  } catch (const corolith::config_error& failed) {
    fmt::print(stderr, "s3: {}\n", failed.what());
    return 2;
  } catch (const std::exception& failed) {
    fmt::print(stderr, "s3: {}\n", failed.what());
    return 1;
  }
}
