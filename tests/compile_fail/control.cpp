// expect: compiles
// SPDX-License-Identifier: Apache-2.0
// Shows that the files beside this one fail for their own reason, not for their flags.
#include <corolith/core/error.hpp>

int main() { return corolith::error(corolith::errc::codec, "").code() == corolith::errc::codec ? 0 : 1; }
