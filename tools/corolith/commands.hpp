// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/config.hpp>
#include <corolith/core/error.hpp>
#include <corolith/run/options.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <vector>

/// The table of commands: what --help, the completion of shells and the man page say, and what is accepted.
namespace tool {

struct flag {
  std::string name;
  char letter = 0;    ///< 0: it has no short form
  std::string value;  ///< empty: it takes none
  std::string help;
};

class invocation;

inline constexpr std::size_t any_number = std::numeric_limits<std::size_t>::max();

/// What stands behind a command's own flags.
enum class takes {
  nothing,   ///< no settings of runs
  settings,  ///< --launcher and the others, like every program of corolith
  program,   ///< the same, and then a program with arguments, which are not looked at
};

struct command {
  std::string name;   ///< "hello", "config show"
  std::string words;  ///< what it takes besides flags
  std::string summary;
  std::string more;  ///< empty: there is no more to say than the summary
  std::vector<flag> flags;
  takes also = takes::nothing;
  std::size_t least = 0, most = 0;          ///< words
  int (*run)(const invocation&) = nullptr;  ///< null: whoever has the first word of its name reads the rest
};

/// A command as it was called.
class invocation {
 public:
  explicit invocation(const command& which) : of(which) {}

  const command& of;
  std::vector<std::string> words;
  std::vector<std::string> settings{"corolith"};  ///< the flags of runs among the words, as an argv

  bool has(std::string_view name) const { return given_.contains(std::string(name)); }
  const std::string& value(const std::string& name, const std::string& otherwise = "") const {
    const auto found = given_.find(name);
    return found == given_.end() ? otherwise : found->second;
  }
  void give(const std::string& name, std::string value) { given_[name] = std::move(value); }

  corolith::options options() const {
    const std::vector<const char*> argv = pointers();
    return corolith::parse_options(static_cast<int>(argv.size()), argv.data()).value;
  }
  std::vector<corolith::setting> list_settings() const {
    const std::vector<const char*> argv = pointers();
    return corolith::list_settings(static_cast<int>(argv.size()), argv.data());
  }

 private:
  std::vector<const char*> pointers() const {
    std::vector<const char*> argv;
    for (const std::string& each : settings) argv.push_back(each.c_str());
    return argv;
  }

  std::map<std::string, std::string> given_;
};

/// The settings that programs of corolith take, as flags, whatever this process's environment says.
inline const std::vector<flag>& setting_flags() {
  static const std::vector<flag> flags = [] {
    std::vector<flag> all;
    for (const corolith::setting& each : corolith::known_settings())
      all.push_back(
          {each.name, 0, each.argument, each.help + (each.standard.empty() ? "" : " (" + each.standard + ")")});
    return all;
  }();
  return flags;
}

inline const flag* find_flag(const std::vector<flag>& among, std::string_view word) {
  const auto found = std::find_if(among.begin(), among.end(), [&](const flag& each) {
    if (word.starts_with("--")) return word.substr(2) == each.name;
    return each.letter != 0 && word.size() == 2 && word[1] == each.letter;
  });
  return found == among.end() ? nullptr : &*found;
}

/// Reads the words behind a command's name. Throws config_error.
inline invocation parse_words(const command& of, const std::vector<std::string>& given) {
  invocation call(of);
  for (std::size_t i = 0; i < given.size(); ++i) {
    const std::string& word = given[i];
    const bool plain = word == "-" || !word.starts_with('-');
    if (word == "--" || (plain && of.also == takes::program)) {
      call.words.insert(call.words.end(), given.begin() + static_cast<std::ptrdiff_t>(plain ? i : i + 1), given.end());
      break;
    }
    if (plain) {
      call.words.push_back(word);
      continue;
    }
    const std::size_t equals = std::min(word.find('='), word.size());
    const std::string_view name = std::string_view(word).substr(0, equals);
    const flag* own = find_flag(of.flags, name);
    const flag* known = own == nullptr && of.also != takes::nothing ? find_flag(setting_flags(), name) : own;
    if (known == nullptr)
      throw corolith::config_error(fmt::format("'{}' is no flag of corolith {}; --help lists them", name, of.name));
    const corolith::config::entry from{"", "flag --" + known->name};
    if (known->value.empty() && equals != word.size()) reject(from, "it takes no value");
    if (!known->value.empty() && equals == word.size() && i + 1 == given.size())
      reject(from, "a value was expected after it");
    std::string value;
    if (equals != word.size())
      value = word.substr(equals + 1);
    else if (!known->value.empty())
      value = given[++i];
    if (own != nullptr)
      call.give(own->name, std::move(value));
    else
      call.settings.push_back("--" + known->name + "=" + value);
  }
  if (call.words.size() < of.least || call.words.size() > of.most)
    throw corolith::config_error(fmt::format("usage: corolith {} [FLAGS]{}{}; --help says more", of.name,
                                             of.words.empty() ? "" : " ", of.words));
  return call;
}

}  // namespace tool
