// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/wire/blocking_link.hpp>
