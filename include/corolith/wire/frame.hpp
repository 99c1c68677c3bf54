// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/wire/frame_format.hpp>
#include <corolith/wire/frame_reader.hpp>
#include <corolith/wire/frame_writer.hpp>
