// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/core/version.hpp>
#include <corolith/simd/detail/gemm_driver.hpp>
#include <corolith/simd/detail/gemm_problem.hpp>
#include <corolith/simd/detail/gemv_driver.hpp>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <thread>
#include <vector>

namespace corolith {
inline namespace v0 {
namespace simd {
namespace detail {

/// c = beta * c.
template <class T>
void gemm_scale(const gemm_problem<T>& of) {
  if (of.beta == T{1}) return;
  for (std::size_t j = 0; j < of.n; ++j) {
    T* const column = of.c + static_cast<std::ptrdiff_t>(j) * of.c_column;
    if (of.beta == T{})
      std::fill(column, column + of.m, T{});
    else
      for (std::size_t i = 0; i < of.m; ++i) column[i] *= of.beta;
  }
}

/// Where c is one column or one row. A matrix neither of whose strides is 1 does not come from gemm.
template <class T>
void gemm_of_vector(const gemm_problem<T>& problem, workspace& space) {
  const gemm_problem<T> column = problem.n == 1 ? problem : problem.transposed();
  gemv_strided(gemv_problem<T>{column.m, column.k, column.a, column.a_row, column.a_column, nullptr, nullptr},
               problem.alpha, strided<const T>{column.b, column.b_row}, problem.beta,
               strided<T>{problem.c, problem.n == 1 ? 1 : problem.c_column}, space);
}

/// c as a grid of `rows` by `columns` parts, one for each thread.
struct gemm_grid {
  std::size_t rows = 1, columns = 1;
};

/// The grid of at most `threads` parts whose parts are nearest to squares, since that takes the least of a and b to each.
inline gemm_grid gemm_grid_of(std::size_t m, std::size_t n, std::size_t threads) {
  gemm_grid best;
  const auto cost = [&](const gemm_grid& grid) { return m / grid.rows + n / grid.columns; };
  for (std::size_t rows = 1; rows <= threads; ++rows) {
    const gemm_grid grid{rows, threads / rows};
    if (grid.rows * grid.columns < best.rows * best.columns) continue;
    if (grid.rows * grid.columns > best.rows * best.columns || cost(grid) < cost(best)) best = grid;
  }
  return best;
}

/// Below this much work a thread costs more to start than it saves.
inline constexpr double least_work_of_thread = 4e6;

/// What this thread's products need, whatever they are of: the first is its own, the others are for threads that help it.
inline std::vector<workspace>& gemm_workspaces() {
  thread_local std::vector<workspace> spaces(1);
  return spaces;
}

/// Each part on a thread of its own, with its own memory, so that nothing is shared and nothing waits.
template <class T>
void gemm_on_threads(const gemm_problem<T>& problem, unsigned threads) {
  if (problem.m == 0 || problem.n == 0) return;
  if (problem.k == 0 || problem.alpha == T{}) return gemm_scale(problem);
  std::vector<workspace>& spaces = gemm_workspaces();
  if (problem.n == 1 || problem.m == 1) return gemm_of_vector(problem, spaces.front());
  const double work = static_cast<double>(problem.m) * static_cast<double>(problem.n) * static_cast<double>(problem.k);
  const double most = std::clamp(work / least_work_of_thread, 1.0, static_cast<double>(std::max(1U, threads)));
  const gemm_grid grid = gemm_grid_of(problem.m, problem.n, static_cast<std::size_t>(most));
  const std::size_t parts = grid.rows * grid.columns;
  if (parts == 1) return dispatch(gemm_driver{}, problem, spaces.data());
  if (spaces.size() < parts) spaces.resize(parts);
  // Parts of whole registers and of most tiles' columns.
  const std::size_t rows = round_up((problem.m + grid.rows - 1) / grid.rows, 16);
  const std::size_t columns = round_up((problem.n + grid.columns - 1) / grid.columns, 8);
  std::vector<std::exception_ptr> failures(parts);
  const auto run_part = [&](std::size_t number, workspace* space) {
    const std::size_t row = number % grid.rows * rows;
    const std::size_t column = number / grid.rows * columns;
    if (row >= problem.m || column >= problem.n) return;
    try {
      dispatch(gemm_driver{},
               problem.part(row, std::min(rows, problem.m - row), column, std::min(columns, problem.n - column)),
               space);
    } catch (...) {
      failures[number] = std::current_exception();
    }
  };
  std::vector<std::jthread> others;
  for (std::size_t number = 1; number < parts; ++number) others.emplace_back(run_part, number, &spaces[number]);
  run_part(0, spaces.data());
  others.clear();
  for (const std::exception_ptr& each : failures)
    if (each) std::rethrow_exception(each);
}

}  // namespace detail
}  // namespace simd
}  // namespace v0
}  // namespace corolith
