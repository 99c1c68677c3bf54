// SPDX-License-Identifier: Apache-2.0
#pragma once

// Include this in exactly one translation unit of a program that defines COROLITH_SEPARATE_COMPILATION everywhere.
#if !defined(COROLITH_SEPARATE_COMPILATION)
#error "define COROLITH_SEPARATE_COMPILATION for the whole program before including <corolith/impl/src.hpp>"
#endif

#include <corolith/agent/impl/agent.ipp>
#include <corolith/agent/impl/dispatch.ipp>
#include <corolith/agent/impl/driver_search.ipp>
#include <corolith/agent/impl/program_cache.ipp>
#include <corolith/agent/impl/program_fetch.ipp>
#include <corolith/agent/impl/session.ipp>
#include <corolith/agent/impl/slurm_environment.ipp>
#include <corolith/agent/impl/worker.ipp>
#include <corolith/agent/impl/worker_link.ipp>
#include <corolith/agent/impl/worker_process.ipp>
#include <corolith/codec/impl/registry.ipp>
#include <corolith/core/impl/config.ipp>
#include <corolith/core/impl/log.ipp>
#include <corolith/coro/impl/asio_loop.ipp>
#include <corolith/coro/impl/loop.ipp>
#include <corolith/launch/impl/command.ipp>
#include <corolith/launch/impl/guard.ipp>
#include <corolith/launch/impl/local.ipp>
#include <corolith/launch/impl/slurm.ipp>
#include <corolith/launch/impl/slurm_queue.ipp>
#include <corolith/launch/impl/slurm_script.ipp>
#include <corolith/observe/impl/console.ipp>
#include <corolith/observe/impl/progress.ipp>
#include <corolith/run/impl/batch_core.ipp>
#include <corolith/run/impl/driver.ipp>
#include <corolith/run/impl/driver_agents.ipp>
#include <corolith/run/impl/driver_calls.ipp>
#include <corolith/run/impl/driver_nested.ipp>
#include <corolith/run/impl/executor.ipp>
#include <corolith/run/impl/main.ipp>
#include <corolith/run/impl/options.ipp>
#include <corolith/run/impl/outcome.ipp>
#include <corolith/run/impl/program.ipp>
#include <corolith/run/impl/rendezvous.ipp>
#include <corolith/run/impl/this_call.ipp>
#include <corolith/schedule/impl/agents.ipp>
#include <corolith/schedule/impl/batches.ipp>
#include <corolith/schedule/impl/dispatch.ipp>
#include <corolith/schedule/impl/scheduler.ipp>
#include <corolith/simd/impl/instruction_set.ipp>
#include <corolith/simd/impl/monte_carlo.ipp>
#include <corolith/simd/impl/peak.ipp>
#include <corolith/simd/impl/triad.ipp>
#include <corolith/wire/impl/address.ipp>
#include <corolith/wire/impl/blocking_link.ipp>
#include <corolith/wire/impl/channel.ipp>
#include <corolith/wire/impl/frame_reader.ipp>
#include <corolith/wire/impl/frame_writer.ipp>
#include <corolith/wire/impl/handshake.ipp>
#include <corolith/wire/impl/listener.ipp>
#include <corolith/wire/impl/local_addresses.ipp>
#include <corolith/wire/impl/secret.ipp>
#include <corolith/wire/impl/tls.ipp>
#include <corolith/wire/impl/transport.ipp>
