// SPDX-License-Identifier: Apache-2.0
#pragma once

// Include this in exactly one translation unit of a program that defines COROLITH_SEPARATE_COMPILATION everywhere.
#if !defined(COROLITH_SEPARATE_COMPILATION)
#error "define COROLITH_SEPARATE_COMPILATION for the whole program before including <corolith/impl/src.hpp>"
#endif

#include <corolith/codec/impl/registry.ipp>
#include <corolith/core/impl/log.ipp>
#include <corolith/coro/impl/loop.ipp>
