// The services of one command, side by side: who waits for whom, and what an engine is taken for.
#include "plugin/command/engine_lanes.h"

#include <doctest/doctest.h>

#include <atomic>
#include <cerrno>
#include <functional>
#include <latch>
#include <mutex>
#include <set>

#include "plugin/engine/service_engine.h"

namespace plumb {
namespace {

const Error kSilent{ErrorKind::timeout, ETIMEDOUT, "no answer when the deadline passes", {}};
const Error kLate{ErrorKind::timeout, 0, "not done within 1000 ms", {}};  // of a service's own limit
const std::string kOne = "/nosuch/one.sock";
const std::string kOther = "/nosuch/other.sock";

// What who asks the engine now hears: the verdict, or that nobody is there.
ErrorKind heard_of(const std::string& engine) {
  Service service;
  service.engine_socket = engine;
  return ServiceEngine(service).client({}).error().kind;
}

// Does the work of so many services of one engine, of which each ends as `ends` says.
void run(std::size_t count, const std::function<std::optional<Error>(std::size_t)>& ends) {
  run_in_lanes(std::vector<std::string>(count, kOne), ends);
}

TEST_CASE("who waits for one engine holds up no service of another") {
  // Each of the eight of the first engine waits until all of the other one's are done.
  std::vector<std::string> engines(8, kOne);
  engines.insert(engines.end(), 20, kOther);
  std::latch done(20);
  std::set<std::size_t> seen;
  std::mutex mutex;
  run_in_lanes(engines, [&](std::size_t i) -> std::optional<Error> {
    if (engines[i] == kOne)
      done.wait();
    else
      done.count_down();
    const std::lock_guard lock(mutex);
    seen.insert(i);
    return std::nullopt;
  });
  CHECK(seen.size() == engines.size());
}

TEST_CASE("no more than eight services of one engine run at once, and as many do") {
  std::latch eight(8);
  std::atomic<int> now = 0;
  std::atomic<int> most = 0;
  run(40, [&](std::size_t i) -> std::optional<Error> {
    const int count = ++now;
    for (int before = most; before < count && !most.compare_exchange_weak(before, count);) {
    }
    if (i < 8) eight.arrive_and_wait();
    --now;
    return std::nullopt;
  });
  CHECK(most == 8);
}

TEST_CASE("an engine that has left eight in a row without an answer is asked no more, and another one is") {
  {
    const OneVerdict verdict;
    run(8, [](std::size_t) { return std::optional(kSilent); });
    CHECK(heard_of(kOne) == ErrorKind::timeout);
    CHECK(heard_of(kOther) == ErrorKind::unreachable);
  }
  CHECK(heard_of(kOne) == ErrorKind::unreachable);
}

TEST_CASE("an engine is not taken as hung for fewer, for one that it did answer, or for a service's own limit") {
  const OneVerdict verdict;
  run(7, [](std::size_t) { return std::optional(kSilent); });
  CHECK(heard_of(kOne) == ErrorKind::unreachable);
  run(30, [](std::size_t) { return std::optional(kLate); });
  CHECK(heard_of(kOne) == ErrorKind::unreachable);
  // In whatever order they end, one among them goes well.
  run(8, [](std::size_t i) { return i == 0 ? std::nullopt : std::optional(kSilent); });
  CHECK(heard_of(kOne) == ErrorKind::unreachable);
}

}  // namespace
}  // namespace plumb
