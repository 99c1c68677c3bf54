// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/error.hpp>
#include <corolith/run/options.hpp>

#include <exception>
#include <string>
#include <utility>
#include <vector>

/// What `corolith doctor` finds.
namespace tool::doctor {

enum class state {
  good,
  note,     ///< not checked, or of no weight here
  warning,  ///< works, but worse than it could
  problem,  ///< a run with these settings would fail, or what it promises would
};

struct finding {
  std::string check;  ///< "io_uring"
  state how = state::good;
  std::string text;
  std::string cure;  ///< what to do; empty for `good` and `note`
};

class report {
 public:
  void good(std::string check, std::string text) { add({std::move(check), state::good, std::move(text), {}}); }
  void note(std::string check, std::string text) { add({std::move(check), state::note, std::move(text), {}}); }
  void warning(std::string check, std::string text, std::string cure) {
    add({std::move(check), state::warning, std::move(text), std::move(cure)});
  }
  void problem(std::string check, std::string text, std::string cure) {
    add({std::move(check), state::problem, std::move(text), std::move(cure)});
  }
  const std::vector<finding>& findings() const noexcept { return findings_; }

 private:
  void add(finding one) { findings_.push_back(std::move(one)); }
  std::vector<finding> findings_;
};

}  // namespace tool::doctor
