// SPDX-License-Identifier: Apache-2.0
// The headers are precompiled as part of this one.
#include "precompiled.hpp"
