// expect: error: .*the function takes another number of arguments
// SPDX-License-Identifier: Apache-2.0
#include <corolith/codec/function.hpp>

#include <tuple>

double area(double width, double height) { return width * height; }

int main() {
  corolith::codec::map_call<corolith::codec::fixed<area>, std::tuple<double, double, double>>::function::key();
}
