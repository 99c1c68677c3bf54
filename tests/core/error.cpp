// SPDX-License-Identifier: Apache-2.0
#include <corolith/core/error.hpp>

#include <catch2/catch.hpp>

using namespace corolith;

namespace {

template <class Error>
errc code_of(const Error& thrown) {
  try {
    throw thrown;
  } catch (const error& caught) {  // each is caught as the base
    return caught.code();
  }
}

}  // namespace

TEST_CASE("every exception class is an error with its own code") {
  CHECK(code_of(remote_error("t", "m", "w", {})) == errc::remote_exception);
  CHECK(code_of(worker_lost("w", {})) == errc::worker_lost);
  CHECK(code_of(call_timeout("w", {})) == errc::call_timeout);
  CHECK(code_of(memory_exceeded("w", {})) == errc::memory_exceeded);
  CHECK(code_of(cancelled()) == errc::cancelled);
  CHECK(code_of(launch_failed("w")) == errc::launch_failed);
  CHECK(code_of(codec_error("w")) == errc::codec);
  CHECK(code_of(config_error("w")) == errc::config);
}

TEST_CASE("a remote error keeps type, message and origin apart") {
  call_origin origin;
  origin.host = "node7";
  origin.pid = 42;
  origin.attempt = 2;
  origin.stderr_tail = "last line";
  const remote_error thrown("std::out_of_range", "index 9", "std::out_of_range: index 9 (node7)", origin);
  CHECK(thrown.type_name() == "std::out_of_range");
  CHECK(thrown.message() == "index 9");
  CHECK(std::string(thrown.what()) == "std::out_of_range: index 9 (node7)");
  CHECK(thrown.origin().host == "node7");
  CHECK(thrown.origin().pid == 42);
  CHECK(thrown.origin().attempt == 2);
  CHECK(thrown.origin().stderr_tail == "last line");
}
