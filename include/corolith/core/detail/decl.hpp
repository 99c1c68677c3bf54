// SPDX-License-Identifier: Apache-2.0
#pragma once

// How a non-template function is declared: `inline` when corolith is used header-only (the default), a plain function when
// COROLITH_SEPARATE_COMPILATION is defined and one translation unit includes <corolith/impl/src.hpp>.
#if defined(COROLITH_SEPARATE_COMPILATION)
#define COROLITH_DECL
#else
#define COROLITH_DECL inline
#endif
