// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <corolith/coro/spawn.hpp>
#include <corolith/s3/detail/part_gatherer.hpp>
#include <corolith/s3/detail/part_size.hpp>
#include <corolith/s3/detail/reserved.hpp>
#include <corolith/s3/detail/shield.hpp>
#include <corolith/s3/detail/upload.hpp>

#include <algorithm>
#include <deque>
#include <exception>

namespace corolith::inline v0::s3::detail {

/// Puts a part that owns its bytes.
inline task<part_info> put_gathered(lane* at, const upload* of, std::uint32_t number, gathered_part part, share) {
  co_return co_await put_part(at, of, number, part.spans());
}

/// An upload whose parts are put on lanes while the next ones are gathered here.
struct stream_upload {
  core_ptr core;
  lane* at;
  upload of;
  std::deque<future<part_info>> under_way{};
  std::vector<part_info> made{};
  std::uint64_t size = 0;

  task<void> put(gathered_part part) {
    const auto number = static_cast<std::uint32_t>(made.size() + under_way.size() + 1);
    share memory = co_await reserve(core.get(), static_cast<std::size_t>(part.size));
    size += part.size;
    lane& where = core->behind(*at, number);
    under_way.push_back(start(where.loop, put_gathered(&where, &of, number, std::move(part), std::move(memory))));
    while (under_way.size() >= core->breadth() || (!under_way.empty() && under_way.front().ready())) co_await collect();
  }
  task<void> collect() {
    future<part_info> first = std::move(under_way.front());
    under_way.pop_front();
    std::exception_ptr failed;
    try {
      made.push_back(co_await first);
      co_return;
    } catch (...) {
      failed = std::current_exception();
    }
    under_way.push_front(std::move(first));  // it may not have ended, when it is this task that was asked to stop
    std::rethrow_exception(failed);
  }
  /// All that is under way ends, whatever becomes of it.
  task<void> stop() {
    co_await from_now_on(std::stop_token());
    for (future<part_info>& part : under_way) part.cancel();
    for (future<part_info>& part : under_way) {
      try {
        const result<part_info> outcome = co_await as_result(part);
      } catch (const error&) {  // what became of it was taken before
      }
    }
    under_way.clear();
  }
};

inline task<put_result> put_gathered_parts(stream_upload* of, part_gatherer* from, gathered_part first) {
  const client_core& core = *of->core;
  const std::uint64_t wanted = std::max<std::uint64_t>(core.part_size(), smallest_part);
  const std::uint64_t most = std::max<std::uint64_t>(wanted, core.options().memory_budget / 4);
  for (gathered_part part = std::move(first); part.size != 0;) {
    if (of->made.size() + of->under_way.size() >= most_parts)
      throw error_of(request("put", "PUT", of->of.target->bucket, of->of.target->key), errc::misuse,
                     "the stream has more bytes than 10,000 parts: make part_size larger");
    co_await of->put(std::move(part));
    const std::uint64_t number = of->made.size() + of->under_way.size() + 1;
    part = co_await from->next(growing_part_size(number, wanted, most));
  }
  while (!of->under_way.empty()) co_await of->collect();
  co_return co_await run_on(of->at->loop, end_upload(of->at, &of->of, of->made, of->size));
}

COROLITH_DECL task<put_result> put_stream(core_ptr core, put_target target, object_source::byte_stream pieces) {
  part_gatherer from(std::move(pieces));
  lane& at = core->choose();
  const std::uint64_t wanted = std::max<std::uint64_t>(core->part_size(), smallest_part);
  gathered_part first = co_await from.next(wanted);
  if (first.size < wanted) co_return co_await run_on(at.loop, put_whole(&at, &target, first.spans()));
  stream_upload all{std::move(core), &at, upload{&target, {}}};
  all.of.id = co_await run_on(at.loop, with_grace(begin_upload(&at, &target), time_to_begin));
  std::exception_ptr failed;
  try {
    co_return co_await put_gathered_parts(&all, &from, std::move(first));
  } catch (...) {
    failed = std::current_exception();
  }
  co_await all.stop();
  co_await run_on(at.loop, take_back(&at, &all.of));
  std::rethrow_exception(failed);
}

}  // namespace corolith::inline v0::s3::detail
