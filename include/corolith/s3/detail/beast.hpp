// SPDX-License-Identifier: Apache-2.0
#pragma once

// The one place that includes Boost.Beast: its parser, none of its sockets, and of Boost.Asio the buffers only. For
// .ipp files: it takes a second to compile.
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include <corolith/core/version.hpp>

namespace corolith::inline v0::s3::detail {

namespace beast = boost::beast;
namespace http = boost::beast::http;

}  // namespace corolith::inline v0::s3::detail
