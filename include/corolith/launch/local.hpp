// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/detail/decl.hpp>
#include <corolith/launch/launcher.hpp>

#include <sys/types.h>

namespace corolith {
inline namespace v0 {
namespace launch {

/// Agents as child processes on this machine, each a "node" of its own. The driver's own executable serves as the agent, so
/// nothing needs to be installed. Each agent leads its own process group: a Ctrl-C on the terminal reaches the driver alone.
class local : public launcher {
 public:
  COROLITH_DECL ~local() override;
  bool all_here() const override { return true; }
  COROLITH_DECL void start(const request& what) override;
  COROLITH_DECL void restart(std::uint32_t unit) override;
  std::uint32_t units() const override { return static_cast<std::uint32_t>(agents_.size()); }
  std::uint32_t agents_per_unit() const override { return 1; }
  COROLITH_DECL std::vector<unit_exit> ended() override;
  COROLITH_DECL bool all_gone() override;
  COROLITH_DECL void kill() noexcept override;

 private:
  struct child {
    pid_t pid = 0;  // 0: not running
    std::vector<std::string> arguments;
    std::string log_file;
  };
  COROLITH_DECL void spawn(child& agent);
  COROLITH_DECL std::vector<std::string> arguments_of(const request& what, std::uint32_t number,
                                                      const std::vector<int>& cpus) const;

  std::vector<child> agents_;
};

}  // namespace launch
}  // namespace v0
}  // namespace corolith

#if !defined(COROLITH_SEPARATE_COMPILATION)
#include <corolith/launch/impl/local.ipp>
#endif
