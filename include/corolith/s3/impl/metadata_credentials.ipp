// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/coro/run_on.hpp>
#include <corolith/coro/this_task.hpp>
#include <corolith/s3/detail/connection_pool.hpp>
#include <corolith/s3/detail/dates.hpp>
#include <corolith/s3/endpoint.hpp>
#include <corolith/s3/error.hpp>
#include <corolith/s3/metadata_credentials.hpp>
#include <corolith/uring/io_thread.hpp>

#include <simdjson.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <utility>

namespace corolith::inline v0::s3 {
namespace detail {

[[noreturn]] inline void no_role(const std::string& why) {
  failure_details details;
  details.operation = "credentials";
  throw s3_error(errc::access_denied, "no credentials from the metadata service: " + why, std::move(details));
}

inline std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string() : value;
}

/// {"AccessKeyId": ..., "SecretAccessKey": ..., "Token": ..., "Expiration": ...}. Errors show nothing of the text.
inline credentials parse_role(const std::string& text) {
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(text).get_object().get(object)) no_role("it answers with something that is no JSON object");
  const auto member = [&](const char* name) {
    std::string_view value;
    return object[name].get(value) ? std::string() : std::string(value);
  };
  credentials made;
  made.access_key = member("AccessKeyId");
  made.secret_key = member("SecretAccessKey");
  made.session_token = member("Token");
  if (made.access_key.empty() || made.secret_key.empty())
    no_role("its answer has no AccessKeyId or no SecretAccessKey; its Code is '" + member("Code") + "'");
  made.expires = parse_iso_date(member("Expiration"));
  return made;
}

struct metadata_request {
  std::string method = "GET";
  std::string path;
  header_field header{};  ///< without a name: none
};

/// The text of a successful answer.
inline task<std::string> metadata_once(connection_pool* by, const endpoint* where, const metadata_request* what) {
  constexpr std::size_t most = std::size_t{64} << 10;
  const origin there{where->tls, where->host, where->port};
  exchange to = co_await by->open(there);
  http_request head;
  head.method = what->method;
  head.target = what->path;
  head.headers.set("host", locate(*where, {}, {}, {}).host_header);
  if (!what->header.name.empty()) head.headers.add(what->header.name, what->header.value);
  if (what->method == "PUT") head.headers.add("content-length", "0");
  const byte_span no_body;
  co_await to.send(std::move(head), no_body);
  const http_response answered = co_await to.receive_head();
  std::string text = co_await to.receive_text(most);
  if (answered.status == 200) co_return text;
  if (answered.status >= 500) throw transport_error(errc::unreachable, "status " + std::to_string(answered.status));
  no_role(where->to_string() + what->path + " answers with status " + std::to_string(answered.status));
}

inline task<std::string> ask_metadata(connection_pool* by, const endpoint* where, unsigned attempts,
                                      metadata_request what) {
  constexpr std::chrono::milliseconds pause{100};
  for (unsigned tried = 1;; ++tried) {
    std::string problem;
    try {
      co_return co_await metadata_once(by, where, &what);
    } catch (const transport_error& failure) {
      problem = failure.what();
    }
    if (tried >= attempts) no_role(where->to_string() + " does not answer: " + problem);
    co_await sleep_for(tried * pause);
  }
}

inline task<credentials> ask_instance(connection_pool* by, const endpoint* where, unsigned attempts) {
  const std::string roles = "/latest/meta-data/iam/security-credentials/";
  metadata_request token;
  token.method = "PUT";
  token.path = "/latest/api/token";
  token.header.name = "x-aws-ec2-metadata-token-ttl-seconds";
  token.header.value = "21600";
  metadata_request names;
  names.path = roles;
  names.header.name = "x-aws-ec2-metadata-token";
  names.header.value = co_await ask_metadata(by, where, attempts, token);
  std::string role = co_await ask_metadata(by, where, attempts, names);
  role.erase(std::min(role.find_first_of("\r\n"), role.size()));
  if (role.empty()) no_role("the instance has no role");
  metadata_request keys = names;
  keys.path = roles + uri_encode(role, false);
  co_return parse_role(co_await ask_metadata(by, where, attempts, keys));
}

inline task<credentials> ask_container(connection_pool* by, const endpoint* where, unsigned attempts,
                                       metadata_request what) {
  co_return parse_role(co_await ask_metadata(by, where, attempts, std::move(what)));
}

inline transport_options metadata_transport(const metadata_options& how) {
  transport_options made;
  made.connect_timeout = how.timeout;
  made.idle_timeout = how.timeout;
  made.most_connections = 1;
  return made;
}

class instance_provider final : public credentials_provider {
 public:
  explicit instance_provider(metadata_options how) : how_(std::move(how)) {}
  task<credentials> get() override {
    if (variable("AWS_EC2_METADATA_DISABLED") == "true") no_role("AWS_EC2_METADATA_DISABLED is true");
    std::string url = how_.endpoint;
    if (url.empty()) url = variable("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    if (url.empty()) url = "http://169.254.169.254";
    const endpoint where = endpoint::parse(url);
    uring::io_thread thread;  // for a moment, once in hours
    connection_pool pool(thread.loop(), metadata_transport(how_));
    co_return co_await run_on(thread.loop(), ask_instance(&pool, &where, how_.attempts));
  }

 private:
  metadata_options how_;
};

/// Whether what a container asks without TLS stays where nobody listens.
inline bool is_local_service(const std::string& host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.") || host == "169.254.170.2" ||
         host == "169.254.170.23" || host == "fd00:ec2::23";
}

inline std::string first_line_of(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line)) no_role("cannot read the token in " + path);
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

class container_provider final : public credentials_provider {
 public:
  explicit container_provider(metadata_options how) : how_(std::move(how)) {}
  task<credentials> get() override {
    std::string url = variable("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    if (const std::string path = variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"); !path.empty())
      url = "http://169.254.170.2" + path;
    if (url.empty())
      no_role("neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor AWS_CONTAINER_CREDENTIALS_FULL_URI is set");
    const std::size_t slash = url.find('/', url.find("://") == std::string::npos ? 0 : url.find("://") + 3);
    const endpoint where = endpoint::parse(url.substr(0, slash));
    if (!where.tls && !is_local_service(where.host))
      no_role("a token would go to " + where.host + " without TLS: use https, or an address of this machine");
    metadata_request what;
    what.path = slash == std::string::npos ? "/" : url.substr(slash);
    what.header.value = variable("AWS_CONTAINER_AUTHORIZATION_TOKEN");
    if (const std::string file = variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"); !file.empty())
      what.header.value = first_line_of(file);
    if (!what.header.value.empty()) what.header.name = "authorization";
    uring::io_thread thread;
    connection_pool pool(thread.loop(), metadata_transport(how_));
    co_return co_await run_on(thread.loop(), ask_container(&pool, &where, how_.attempts, std::move(what)));
  }

 private:
  metadata_options how_;
};

}  // namespace detail

COROLITH_DECL std::shared_ptr<credentials_provider> instance_credentials(metadata_options how) {
  return cached_credentials(std::make_shared<detail::instance_provider>(std::move(how)));
}

COROLITH_DECL std::shared_ptr<credentials_provider> container_credentials(metadata_options how) {
  return cached_credentials(std::make_shared<detail::container_provider>(std::move(how)));
}

}  // namespace corolith::inline v0::s3
