// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/command.hpp>
#include <corolith/core/error.hpp>
#include <corolith/coro/this_task.hpp>
#include <corolith/s3/detail/credential_process.hpp>
#include <corolith/s3/detail/dates.hpp>

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace corolith::inline v0::s3::detail {

[[noreturn]] inline void reject_process(const std::string& source, const std::string& why) {
  throw config_error(source + ": the command of credential_process " + why);
}

COROLITH_DECL credentials parse_process_output(std::string_view text, const std::string& source, time_point now) {
  if (text.size() > (1 << 20)) reject_process(source, "printed more than 1 MiB");
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(text.data(), text.size()).get_object().get(object))
    reject_process(source, "printed something that is no JSON object");
  std::int64_t version = 0;
  if (object["Version"].get(version) || version != 1) reject_process(source, "printed JSON without \"Version\": 1");
  const auto member = [&](const char* name) {
    std::string_view value;
    return object[name].get(value) ? std::string() : std::string(value);
  };
  credentials made;
  made.access_key = member("AccessKeyId");
  made.secret_key = member("SecretAccessKey");
  made.session_token = member("SessionToken");
  if (made.access_key.empty() || made.secret_key.empty())
    reject_process(source, "printed JSON without AccessKeyId or SecretAccessKey");
  if (!object["Expiration"].error()) {
    made.expires = parse_iso_date(member("Expiration"));
    if (!made.expires) reject_process(source, "printed an Expiration that is no date of ISO 8601");
    if (*made.expires <= now) reject_process(source, "printed credentials that have expired already");
  }
  return made;
}

// The process is looked after between other work: there is no wait for a process's end that any loop could do.
COROLITH_DECL task<credentials> run_credential_process(std::string command, std::string source,
                                                       std::chrono::nanoseconds time) {
  std::vector<std::string> words{"/bin/sh", "-c", std::move(command)};
  process::command run(std::move(words), "", time);
  std::chrono::milliseconds pause(1);
  while (!run.done()) {
    co_await sleep_for(pause);
    pause = std::min(2 * pause, std::chrono::milliseconds(50));
  }
  if (!run.succeeded()) reject_process(source, "failed: " + run.complaint());
  co_return parse_process_output(run.output(), source, std::chrono::system_clock::now());
}

}  // namespace corolith::inline v0::s3::detail
