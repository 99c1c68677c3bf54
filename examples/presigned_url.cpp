// SPDX-License-Identifier: Apache-2.0
// URLs that let somebody without credentials do one thing with one object for some time: here, put it and get it.
//   presigned_url s3://BUCKET/KEY [MINUTES]
// Where the server is and who may use it is in the environment or in ~/.aws, as for other tools (docs/storage.md).
#include <corolith/coro/sync_wait.hpp>
#include <corolith/s3/client.hpp>

#include <chrono>
#include <exception>
#include <iostream>
#include <string>

namespace cl = corolith;
namespace s3 = corolith::s3;

cl::task<void> show(std::string bucket, std::string key, std::chrono::minutes valid) {
  const s3::client client;
  s3::presign_options how;
  how.valid = valid;
  for (const char* method : {"PUT", "GET"}) {
    how.method = method;
    const std::string url = co_await client.presign(bucket, key, how);
    std::cout << method << ' ' << url << '\n';
  }
}

int main(int argc, char** argv) {
  const std::string place = argc > 1 ? argv[1] : "";
  const std::size_t slash = place.find('/', 5);
  if (argc > 3 || !place.starts_with("s3://") || slash == std::string::npos || slash + 1 == place.size()) {
    std::cerr << "usage: presigned_url s3://BUCKET/KEY [MINUTES]\n";
    return 2;
  }
  try {
    const std::chrono::minutes valid(argc > 2 ? std::stoi(argv[2]) : 60);
    cl::sync_wait(show(place.substr(5, slash - 5), place.substr(slash + 1), valid));
    return 0;
  } catch (const std::exception& failure) {
    std::cerr << "presigned_url: " << failure.what() << '\n';
    return 1;
  }
}
