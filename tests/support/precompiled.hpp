// SPDX-License-Identifier: Apache-2.0
#pragma once

// What nearly every test includes, parsed once. A test still includes what it uses.
#include <catch2/catch.hpp>

#include <corolith/coro/asio.hpp>
#include <corolith/corolith.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <variant>
#include <vector>
