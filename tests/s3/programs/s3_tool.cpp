// SPDX-License-Identifier: Apache-2.0
// What tests/support/crosswise.py sets beside other clients, on the server of the environment (tests/support/ceph_rgw):
//   s3_tool put BUCKET KEY FILE [content_type=...] [meta.NAME=...]
//   s3_tool get BUCKET KEY FILE
//   s3_tool head BUCKET KEY         content_type=... and a line meta.NAME=... for each
//   s3_tool list BUCKET PREFIX      a line 'SIZE KEY' for each object
#include "../../support/s3_server.hpp"

#include <corolith/coro/sync_wait.hpp>
#include <corolith/s3/client.hpp>

#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>
#include <vector>

namespace {

using namespace corolith;

s3::client make_client() {
  const s3_server server = s3_server::from_environment();
  s3::credentials key;
  key.access_key = server.access_key;
  key.secret_key = server.secret_key;
  s3::client_options options;
  options.endpoint = server.endpoint;
  options.region = server.region;
  options.credentials = s3::static_credentials(key);
  return s3::client(options);
}

s3::put_options parse(const std::vector<std::string>& settings) {
  s3::put_options options;
  for (const std::string& setting : settings) {
    const std::size_t end = setting.find('=');
    if (end == std::string::npos) throw std::invalid_argument("what is '" + setting + "'?");
    const std::string name = setting.substr(0, end), value = setting.substr(end + 1);
    if (name == "content_type") {
      options.headers.content_type = value;
    } else if (name.starts_with("meta.")) {
      options.headers.metadata[name.substr(5)] = value;
    } else {
      throw std::invalid_argument("what is '" + name + "'?");
    }
  }
  return options;
}

task<void> print_list(s3::client client, std::string bucket, std::string prefix) {
  auto entries = client.list(bucket, prefix);
  while (auto entry = co_await entries.next()) std::cout << entry->size << ' ' << entry->key << '\n';
}

int run(const std::vector<std::string>& words) {
  const std::string verb = words.empty() ? "" : words[0];
  const s3::client client = make_client();
  if (verb == "put" && words.size() >= 4) {
    sync_wait(client.put(words[1], words[2], from_file(words[3]), parse({words.begin() + 4, words.end()})));
  } else if (verb == "get" && words.size() == 4) {
    sync_wait(client.get_to_file(words[1], words[2], words[3]));
  } else if (verb == "head" && words.size() == 3) {
    const s3::object_info info = sync_wait(client.head(words[1], words[2]));
    std::cout << "content_type=" << info.headers.content_type << '\n';
    for (const auto& [name, value] : info.headers.metadata) std::cout << "meta." << name << '=' << value << '\n';
  } else if (verb == "list" && words.size() == 3) {
    sync_wait(print_list(client, words[1], words[2]));
  } else {
    std::cerr << "s3_tool put|get|head|list BUCKET ...\n";
    return 2;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run({argv + 1, argv + argc});
  } catch (const std::exception& failed) {
    std::cerr << failed.what() << '\n';
    return 1;
  }
}
