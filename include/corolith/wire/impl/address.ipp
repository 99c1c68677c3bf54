// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/number.hpp>
#include <corolith/wire/address.hpp>

#include <algorithm>
#include <utility>

namespace corolith::inline v0::wire {

COROLITH_DECL address address::unix_path(std::string path) {
  address made;
  made.path = std::move(path);
  return made;
}

COROLITH_DECL address address::tcp(std::string host, std::uint16_t port) {
  address made;
  made.kind = family::tcp;
  made.host = std::move(host);
  made.port = port;
  return made;
}

COROLITH_DECL address address::parse(std::string_view text) {
  auto wrong = [text](const char* why) {
    return config_error("'" + std::string(text) + "' is no address: " + why +
                        "; write unix:/path, tcp:host:port or tcp:[ipv6]:port");
  };
  if (text.starts_with("unix:")) {
    std::string_view path = text.substr(5);
    if (path.empty()) throw wrong("the path is missing");
    if (path.find('\0') != std::string_view::npos) throw wrong("the path holds a zero byte");
    return unix_path(std::string(path));
  }
  if (!text.starts_with("tcp:")) throw wrong("it starts with neither unix: nor tcp:");
  std::string_view rest = text.substr(4);
  std::string_view host;
  if (rest.starts_with('[')) {
    std::size_t end = rest.find(']');
    if (end == std::string_view::npos) throw wrong("the closing bracket is missing");
    host = rest.substr(1, end - 1);
    rest.remove_prefix(end + 1);
  } else {
    std::size_t colon = rest.find(':');
    if (colon != rest.rfind(':')) throw wrong("an IPv6 address needs brackets");
    host = rest.substr(0, colon);
    rest.remove_prefix(std::min(colon, rest.size()));
  }
  if (host.empty()) throw wrong("the host is missing");
  if (host.find_first_of("[]") != std::string_view::npos) throw wrong("the host holds a bracket");
  if (!rest.starts_with(':')) throw wrong("the port is missing");
  rest.remove_prefix(1);
  const auto port = whole_number<std::uint16_t>(rest);
  if (!port) throw wrong("the port is no number from 0 to 65535");
  return tcp(std::string(host), *port);
}

COROLITH_DECL std::string address::to_string() const {
  if (kind == family::unix_socket) return "unix:" + path;
  std::string shown = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return "tcp:" + shown + ":" + std::to_string(port);
}

}  // namespace corolith::inline v0::wire
