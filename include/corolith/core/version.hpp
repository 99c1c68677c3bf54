// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The version of corolith: major, minor, patch. CMake reads these three lines; nothing else states them.
#define COROLITH_VERSION_MAJOR 0
#define COROLITH_VERSION_MINOR 1
#define COROLITH_VERSION_PATCH 0

/// One number for comparisons in the preprocessor: 100 means 0.1.0, 10203 means 1.2.3.
#define COROLITH_VERSION (COROLITH_VERSION_MAJOR * 10000 + COROLITH_VERSION_MINOR * 100 + COROLITH_VERSION_PATCH)

namespace corolith {
/// Every name lives in a versioned inline namespace, so that two corolith versions in one process cannot be mixed by the linker.
inline namespace v0 {}
}  // namespace corolith
