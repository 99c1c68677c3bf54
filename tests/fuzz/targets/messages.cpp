// SPDX-License-Identifier: Apache-2.0
// What drivers, agents, workers, nested executors and the heads of pools say to each other: a byte that chooses a message, then its body.
#include "../decoding.hpp"

#include <corolith/run/detail/nested_messages.hpp>
#include <corolith/wire/messages.hpp>
#include <corolith/wire/pool_messages.hpp>

using namespace corolith;

namespace {

template <class Message>
void message(byte_span input) {
  if constexpr (std::is_empty_v<Message>) {
    try {
      static_cast<void>(wire::unpack<Message>(input));
      fuzz::require(input.empty(), "a message without content has no bytes");
    } catch (const codec_error&) {
      fuzz::require(!input.empty(), "a message without content is accepted");
    }
  } else {
    fuzz::decode_as<Message>(input);
  }
}

// A fixed head and what follows it.
template <class Head>
void head(byte_span input) {
  const shared_bytes body = shared_bytes::copy(input);
  try {
    const Head read = wire::read_head<Head>(body);
    fuzz::require(fuzz::same(bytes_of(read), input.first(sizeof(Head))), "a head is what was there");
    fuzz::require(fuzz::same(wire::after_head<Head>(body), input.subspan(sizeof(Head))),
                  "nothing is lost after a head");
  } catch (const codec_error&) {
    fuzz::require(input.size() < sizeof(Head), "a head is refused when it is too short");
  }
}

// As the driver reads them: a failure follows any head but that of a value.
void result(byte_span input) {
  const shared_bytes body = shared_bytes::copy(input);
  try {
    const auto read = wire::read_head<wire::result_head>(body);
    if (read.kind != wire::outcome_kind::value)
      static_cast<void>(wire::unpack<wire::failure>(wire::after_head<wire::result_head>(body)));
  } catch (const codec_error&) {
  }
}

void nested_elements(byte_span input) {
  const shared_bytes body = shared_bytes::copy(input);
  try {
    const detail::element_block block = detail::unpack_elements(body);
    std::size_t sum = 0;
    for (std::uint32_t i = 0; i < block.count(); ++i) sum += block.element(block.first + i).size();
    fuzz::require(sum <= block.bytes.size(), "elements lie side by side");
    const auto batch = wire::read_head<std::uint64_t>(body);
    fuzz::require(fuzz::same(detail::pack_elements(batch, block), input), "elements survive the journey");
  } catch (const codec_error&) {
  }
}

void nested_outcome(byte_span input) {
  try {
    const detail::call_outcome outcome = detail::unpack_outcome(shared_bytes::copy(input));
    fuzz::require(fuzz::same(detail::pack_outcome(outcome), input), "an outcome survives the journey");
  } catch (const codec_error&) {
  }
}

// The relayed form: an inner type, then an inner body.
void nested_up(byte_span input) {
  const shared_bytes body = shared_bytes::copy(input);
  try {
    const auto type = wire::read_head<wire::message_type>(body);
    const shared_bytes inner = wire::after_head<wire::message_type>(body);
    switch (type) {
      case wire::message_type::batch_open: static_cast<void>(wire::unpack<detail::nested_open>(inner)); break;
      case wire::message_type::call: nested_elements(inner); break;
      case wire::message_type::result: nested_outcome(inner); break;
      case wire::message_type::cancel: head<call_id>(inner); break;
      default: head<detail::nested_count>(inner);
    }
  } catch (const codec_error&) {
  }
}

constexpr fuzz::decoder bodies[] = {
    {message<wire::agent_hello>},
    {message<wire::welcome>},
    {message<wire::program_request>},
    {message<wire::agent_ready>},
    {message<wire::agent_failed>},
    {message<wire::worker_setup>},
    {message<wire::worker_hello>},
    {message<wire::batch_open>},
    {message<wire::batch_close>},
    {message<wire::output_line>},
    {message<wire::failure>},
    {message<detail::nested_open>},
    {result},
    {nested_elements},
    {nested_outcome},
    {nested_up},
    {head<call_id>},
    {head<std::uint64_t>},
    {head<wire::sha256_bytes>},
    {head<detail::nested_count>},
    {message<wire::pool_resident>},
    {message<wire::pool_lease>},
    {message<wire::pool_lease_end>},
    {message<wire::pool_lease_ended>},
    {message<wire::pool_ending>},
    {message<wire::pool_join>},
    {message<wire::pool_demand>},
    {message<wire::pool_refused>},
    {message<wire::pool_drain>},
    {message<wire::pool_news>},
    {message<wire::pool_ask>},
    {message<wire::pool_answer>},
};

void run(byte_span input) { fuzz::decode_one_of(bodies, input); }

// In the order of `bodies`.
std::vector<shared_bytes> pool_seeds() {
  wire::pool_demand demand;
  demand.open = 7;
  demand.busy = {1, 2};
  wire::pool_answer answer;
  answer.status.jobs = {{"17", "PENDING", 4, 0}};
  answer.status.nodes = {{"node1", "16", 8, 4, true}};
  answer.status.drivers = {{"app", "login", 42, 100, 8, 4, 4, 1'000'000}};
  return {wire::pack(wire::pool_resident{"node1", 42, 8, 1, 1 << 30, "17"}),
          wire::pack(wire::pool_lease{3, 2, 1, 1 << 30, "tcp:node1:4000", "ab12", 30'000, "/tmp/cache", "warning"}),
          wire::pack(wire::pool_lease_end{3}),
          wire::pack(wire::pool_lease_ended{3, "it crashed"}),
          wire::pack(wire::pool_ending{"the time limit"}),
          wire::pack(wire::pool_join{"app", "login", 42, "tcp:login:4000", "ab12", 30'000, "", "info"}),
          wire::pack(demand),
          wire::pack(wire::pool_refused{3, "too small"}),
          wire::pack(wire::pool_drain{3}),
          wire::pack(wire::pool_news{"the queue", true, false, ""}),
          wire::pack(wire::pool_ask{{"scale", "0", "4"}}),
          wire::pack(answer)};
}

std::vector<std::string> seeds() {
  std::vector<std::string> made;
  char which = 0;
  const auto raw = [&](byte_span body) { made.push_back(which++ + fuzz::text_of(body)); };
  const auto add = [&](const auto& body) { raw(wire::pack(body)); };
  const shared_bytes shared = shared_bytes::copy(std::as_bytes(std::span("shared", 6)));
  wire::call_limits limits;
  limits.environment = {"A=1", "B="};
  add(wire::agent_hello{"node1", 42, 8, 1, 1 << 30, "tag"});
  wire::welcome welcome;
  welcome.session = "s1";
  welcome.modules = {{"/usr/bin/x", "x", {1, 2}, 77, true}, {"/lib/y.so", "y.so", {}, 5, false}};
  welcome.environment = limits.environment;
  add(welcome);
  add(wire::program_request{{1, 2, 3}});
  add(wire::agent_ready{});
  add(wire::agent_failed{"no space"});
  add(wire::worker_setup{"node1", "/tmp", 1 << 20, 3, 500, 2});
  add(wire::worker_hello{77});
  add(wire::batch_open{9, {1, 2}, limits, shared});
  add(wire::batch_close{9});
  add(wire::output_line{{1, 2, 3}, 4, 1, "a line"});
  const wire::failure failure{"std::runtime_error", "what", "node1", "tail", 11, 1};
  add(failure);
  add(detail::nested_open{9, {1, 2}, shared, limits, 2, true});
  byte_buffer result;
  result.append_value(wire::result_head{{1, 2, 3}, 4, wire::outcome_kind::exception, {}, 5, 6});
  result.append(wire::pack(failure));
  raw(result.span());
  detail::element_block block;
  block.first = 5;
  block.bytes = shared;
  block.ends = {2, 2, 6};
  raw(detail::pack_elements(9, block));
  detail::call_outcome outcome;
  outcome.payload = shared;
  outcome.host = std::make_shared<const std::string>("node1");
  raw(detail::pack_outcome(outcome));
  byte_buffer relayed;
  relayed.append_value(wire::message_type::call);
  relayed.append(detail::pack_elements(9, block));
  raw(relayed.span());
  raw(bytes_of(call_id{1, 2, 3}));
  raw(bytes_of(std::uint64_t{7}));
  raw(bytes_of(wire::sha256_bytes{9}));
  raw(bytes_of(detail::nested_count{1, 2, 0}));
  for (const shared_bytes& body : pool_seeds()) raw(body.span());
  return made;
}

}  // namespace

const fuzz::target fuzz::messages{"messages", run, seeds};
