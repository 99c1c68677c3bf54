// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/codec/function.hpp>

#include <string>

// A shared library that the test program links, with remote functions of its own.
namespace library {

/// Defined in the library, called remotely from the program: the thunk is the program's.
std::string greet(const std::string& name);

/// Known to nobody but the library.
struct own_function {
  corolith::codec::function_key key;
  corolith::codec::thunk entry;
};
own_function hidden();

}  // namespace library
