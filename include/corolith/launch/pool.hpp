// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/launch/launcher.hpp>
#include <corolith/launch/pool_head.hpp>
#include <corolith/launch/pool_options.hpp>
#include <corolith/launch/pool_record.hpp>
#include <corolith/wire/channel.hpp>
#include <corolith/wire/pool_messages.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace asio {
class io_context;
}

namespace corolith {
inline namespace v0 {
namespace launch {

/// Agents of a pool, which other drivers share and which outlives this one. The head of the pool starts them on its nodes as
/// this driver's share and its work allow, and asks for them back. Each is an ordinary agent with this driver's program.
class pool : public launcher {
 public:
  /// The connection to the head lives on `io`, whose thread calls all functions.
  COROLITH_DECL pool(asio::io_context& io, pool_options settings);
  COROLITH_DECL ~pool() override;
  COROLITH_DECL bool all_here() const override;
  COROLITH_DECL void start(const request& what) override;
  COROLITH_DECL void restart(std::uint32_t unit) override;
  std::uint32_t units() const override { return 1; }
  std::uint32_t agents_per_unit() const override { return 1; }
  COROLITH_DECL std::vector<unit_exit> ended() override;
  void connected(std::uint32_t agents) override { connected_ = agents; }
  COROLITH_DECL delay delayed_by() const override;
  COROLITH_DECL void stop() override;
  COROLITH_DECL bool all_gone() override;
  COROLITH_DECL void kill() noexcept override;

  bool elastic() const override { return true; }
  COROLITH_DECL void wanted(const demand& what) override;
  COROLITH_DECL std::vector<std::string> to_drain() override;
  COROLITH_DECL void gave_up(const std::string& tag, const std::string& reason) override;
  bool none_larger() const override { return news_.none_larger; }

 private:
  struct link;  // what callbacks may find gone

  COROLITH_DECL void connect();
  COROLITH_DECL void joined(std::shared_ptr<wire::channel> head);
  COROLITH_DECL void received(wire::message&& got);
  COROLITH_DECL void lost(const std::string& why, bool hopeless);
  COROLITH_DECL void tell_demand();

  asio::io_context& io_;
  pool_options settings_;
  pool_folder folder_;
  pool_record record_;
  request what_;
  std::shared_ptr<link> link_;
  wire::pool_news news_;
  demand demand_;
  bool killed_ = false;
  std::uint32_t connected_ = 0;
  std::vector<std::string> to_drain_;
  std::vector<unit_exit> ended_;
};

}  // namespace launch
}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/launch/impl/pool.ipp>
#endif
