// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// `object_source` and `from_file`: what a put takes its bytes from. The S3 client takes them too, so they live below both.

#include <corolith/coro/object_source.hpp>
