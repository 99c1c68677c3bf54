// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/bytes.hpp>
#include <corolith/core/detail/decl.hpp>
#include <corolith/core/error.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string>

/// The first bytes on every connection, before anything is decoded. Each end sends one block of fixed size.
///
///      0          8         10     11       12         16              48             64
///      +----------+---------+------+--------+----------+----------------+--------------+
///      | COROLITH | version | role | verdict| reserved | program        | reserved     |
///      | 8 bytes  | u16     | u8   | u8     | 4 zeros  | 32 bytes       | 16 zeros     |
///      +----------+---------+------+--------+----------+----------------+--------------+
///
/// The client sends its block with verdict 0. The server compares, answers with its own block and its verdict, and
/// closes unless the verdict is `accepted`. The program is all zeros when any will do.
namespace corolith::inline v0::wire {

class transport;

/// Raised whenever frames, messages or the encoding change.
inline constexpr std::uint16_t protocol_version = 2;
inline constexpr std::size_t preamble_size = 64;
/// How long a peer may take to introduce itself.
inline constexpr std::chrono::seconds handshake_deadline{10};

enum class role : std::uint8_t {
  any = 0,  ///< for a server that tells its peers apart by itself
  driver = 1,
  agent = 2,
  worker = 3,
  head = 4,      ///< of a pool
  resident = 5,  ///< of a pool, on a node
  client = 6,    ///< of a pool: a driver or the command line
};
COROLITH_DECL std::string to_string(role of);

using program_id = std::array<std::byte, 32>;

/// How one end introduces itself.
struct hello {
  wire::role role = role::driver;
  program_id program{};  ///< zeros: any
  std::uint16_t version = protocol_version;
};

enum class verdict : std::uint8_t { none = 0, accepted = 1, wrong_version, wrong_program, wrong_role };

/// How sure it is that this peer will refuse the next time too.
enum class refusal : std::uint8_t {
  silent,    ///< it said nothing or went away: it may be busy
  stranger,  ///< it did not show that it is a peer: it has another secret, or something else listens there
  proven,    ///< it is a peer, and does not fit: version, role or program
};

/// Why a connection did not come to be; its text says what to do. The code is errc::refused.
class handshake_error : public error {
 public:
  explicit handshake_error(const std::string& what, refusal kind = refusal::stranger)
      : error(errc::refused, what), kind_(kind) {}
  refusal kind() const noexcept { return kind_; }

 private:
  refusal kind_;
};

/// Called once, from the loop: an error, or nullptr and what the peer said of itself.
using handshake_callback = std::function<void(std::exception_ptr error, hello peer)>;

/// Introduces this end and waits for the verdict. `stream` must live until the callback. The server must have the role
/// `expected`.
COROLITH_DECL void async_handshake_client(std::shared_ptr<transport> stream, hello mine, role expected,
                                          handshake_callback done,
                                          std::chrono::milliseconds deadline = handshake_deadline);
/// Waits for the peer to introduce itself as `expected` and with the program of `mine` (if neither is all zeros),
/// answers.
COROLITH_DECL void async_handshake_server(std::shared_ptr<transport> stream, hello mine, role expected,
                                          handshake_callback done,
                                          std::chrono::milliseconds deadline = handshake_deadline);

using preamble = std::array<std::byte, preamble_size>;
COROLITH_DECL preamble format_preamble(const hello& mine, verdict say);

}  // namespace corolith::inline v0::wire

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/wire/impl/handshake.ipp>
#endif
