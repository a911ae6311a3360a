// What the simulator takes for granted of a LAN, a kernel and an engine: one body for the model and for the real thing.
//
// A bench has a host that asks and one that has the address 10.0.3.3, and says of each function what it does. Threads:
// one. Privilege: that of the bench.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

namespace plumb::sim {

// An address is answered for from when it is on its link until it is off.
template <typename Bench>
void check_address(Bench& bench) {
  CHECK(bench.hears_none());
  bench.put();
  CHECK(bench.hears_answer());
  bench.take();
  CHECK(bench.hears_none());
}

// A cable that is out, or a port that does not forward, keeps the answer from who asks, and neither takes the address
// off.
template <typename Bench>
void check_ways(Bench& bench) {
  bench.put();
  bench.set_cable(false);
  CHECK(bench.hears_none());
  bench.set_cable(true);
  CHECK(bench.hears_answer());
  bench.set_forwarding(false);
  CHECK(bench.hears_none());
  bench.set_forwarding(true);
  CHECK(bench.hears_answer());
}

// None overtakes another of its sender.
template <typename Bench>
void check_order(Bench& bench) {
  const auto heard = bench.say_numbers(100);
  CHECK(heard.size() == 100);
  CHECK(std::is_sorted(heard.begin(), heard.end()));
}

// A kernel answers whether or not a process of the node runs.
template <typename Bench>
void check_processes(Bench& bench) {
  bench.begin_process();
  CHECK(bench.hears_answer());
  bench.stop_process();
  CHECK(bench.hears_answer());
  bench.kill_process();
  CHECK(bench.hears_answer());
}

// A namespace whose first process is gone lives on with the next one that is in it, and so does the address; with the
// last it is gone, of a real one a moment later.
template <typename Bench>
void check_namespace(Bench& bench) {
  bench.begin_two_in_namespace();
  CHECK(bench.hears_answer());
  bench.end_owner();
  CHECK(bench.hears_answer());
  bench.end_sibling();
  CHECK(bench.hears_none());
}

// A container that its engine removes is gone when it has ended, whatever others are in its namespace; they run on.
template <typename Bench>
void check_removal(Bench& bench) {
  bench.begin_two();
  CHECK(bench.has_owner());
  CHECK(bench.sibling_runs());
  bench.end_owner();
  CHECK_FALSE(bench.has_owner());
  CHECK(bench.sibling_runs());
}

}  // namespace plumb::sim
