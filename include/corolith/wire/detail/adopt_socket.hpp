// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace corolith::inline v0::wire {

/// Lets `channel::over` find `make_transport` for a socket without knowing Asio.
struct adopt_socket_t {};

}  // namespace corolith::inline v0::wire
