// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Remote futures: tasks, futures, executors, object stores, and a main that makes one program driver, agent and worker.

#include <corolith/coro/future.hpp>
#include <corolith/coro/generator.hpp>
#include <corolith/coro/spawn.hpp>
#include <corolith/coro/sync_wait.hpp>
#include <corolith/coro/task.hpp>
#include <corolith/coro/this_task.hpp>
#include <corolith/coro/when_all.hpp>
#include <corolith/coro/when_any.hpp>
#include <corolith/run/executor.hpp>
#include <corolith/run/main.hpp>
#include <corolith/run/this_call.hpp>
#include <corolith/run/wait.hpp>
#include <corolith/storage.hpp>
