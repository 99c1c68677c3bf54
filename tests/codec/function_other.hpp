// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/codec/registry.hpp>

/// Calls made in another file of the program.
namespace other {

corolith::codec::function_key key_of_who();
int call_who();
corolith::codec::function_key key_of_lambda();
int call_lambda();

}  // namespace other
