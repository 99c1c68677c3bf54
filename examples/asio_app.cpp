// SPDX-License-Identifier: Apache-2.0
// The executor inside an Asio application, on the application's own io_context.
#include <corolith/coro/asio.hpp>
#include <corolith/corolith.hpp>

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>

#include <chrono>
#include <exception>
#include <iostream>

namespace cl = corolith;

long triangle(long n) { return n * (n + 1) / 2; }

asio::awaitable<void> application(asio::io_context& io, cl::executor& ex, bool& ok) {
  asio::steady_timer timer(io, std::chrono::milliseconds(1));
  co_await timer.async_wait(asio::use_awaitable);  // the application's own work goes on as ever
  cl::future<long> remote = ex.call<triangle>(1000);
  const long value = co_await remote.async_get(asio::use_awaitable);  // resumes on `io`
  std::cout << "1 + 2 + … + 1000 = " << value << '\n';
  ok = value == 500500;
}

int main(int argc, char** argv) {
  if (auto status = cl::serve_role(argc, argv)) return *status;  // this program is also its agents and workers
  bool ok = false;
  try {
    cl::executor ex(cl::options{.agents = 1});
    asio::io_context io;
    asio::co_spawn(io, application(io, ex, ok), asio::detached);
    io.run();
  } catch (const std::exception& e) {
    std::cerr << e.what() << '\n';
  }
  return ok ? 0 : 1;
}
