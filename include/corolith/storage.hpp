// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Objects by name: stores over directories and S3, slices of objects, references to them.

#include <corolith/storage/error.hpp>
#include <corolith/storage/object_ref.hpp>
#include <corolith/storage/slice.hpp>
#include <corolith/storage/source.hpp>
#include <corolith/storage/store.hpp>
#include <corolith/storage/types.hpp>
