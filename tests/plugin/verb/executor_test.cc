#include "plugin/verb/executor.h"

#include <doctest/doctest.h>

#include <atomic>
#include <latch>
#include <set>

using namespace plumb;

namespace {

// A plan whose step i depends on `after[i]`; steps are told apart by their resource.
Plan graph(const std::vector<std::vector<std::size_t>>& after) {
  Plan out;
  for (std::size_t i = 0; i < after.size(); ++i) {
    Step step(EngineStart{}, std::to_string(i));
    step.after = after[i];
    out.steps.push_back(std::move(step));
  }
  return out;
}

}  // namespace

TEST_CASE("every step runs once, after the steps it depends on") {
  const auto plan = graph({{}, {0}, {0}, {1, 2}, {}, {3, 4}});
  std::mutex mutex;
  std::vector<std::size_t> order;
  const auto done = execute(plan,
                            [&](const Step& step, const std::stop_token&) -> Result<void> {
                              const std::lock_guard lock(mutex);
                              order.push_back(std::stoul(step.resource));
                              return {};
                            },
                            {});
  CHECK_FALSE(done.failure);
  REQUIRE(order.size() == 6);
  std::set<std::size_t> seen;
  for (const auto i : order) {
    for (const auto before : plan.steps[i].after) CHECK(seen.contains(before));
    CHECK(seen.insert(i).second);
  }
}

TEST_CASE("independent steps run at the same time") {
  // Each waits for the others: run one after another they would wait for ever.
  std::latch together(3);
  const auto done = execute(graph({{}, {}, {}}),
                            [&](const Step&, const std::stop_token&) -> Result<void> {
                              together.arrive_and_wait();
                              return {};
                            },
                            {});
  CHECK_FALSE(done.failure);
}

TEST_CASE("after a failure nothing more begins, what runs is told to stop, and the first error is the one reported") {
  std::latch running(2);
  std::atomic<bool> third_began = false;
  const auto done = execute(graph({{}, {}, {0}}),
                            [&](const Step& step, const std::stop_token& stop) -> Result<void> {
                              if (step.resource == "2") third_began = true;
                              running.arrive_and_wait();
                              if (step.resource == "0") return Err{ErrorKind::refused, "no"};
                              while (!stop.stop_requested()) std::this_thread::yield();
                              return Err{ErrorKind::cancelled, "cancelled"};
                            },
                            {});
  REQUIRE(done.failure);
  CHECK(done.failure->step == 0);
  CHECK(done.failure->error.what == "no");
  CHECK_FALSE(third_began);
}

TEST_CASE("a step that only tidies up may fail: a warning, and its dependants run") {
  auto plan = graph({{}, {0}});
  plan.steps[0].tolerate = true;
  const auto done = execute(plan,
                            [](const Step& step, const std::stop_token&) -> Result<void> {
                              if (step.resource == "0") return Err{ErrorKind::failed, "could not tidy"};
                              return {};
                            },
                            {});
  CHECK_FALSE(done.failure);
  CHECK(done.warnings == std::vector<std::string>{"could not tidy"});
  CHECK(done.records[1].ran);
}

TEST_CASE("a failure of an optional resource is a warning: its own further steps are passed over, the others run") {
  auto plan = graph({{}, {0}, {1}});
  plan.steps[0].resource = plan.steps[1].resource = "ip#1";
  plan.steps[0].optional = plan.steps[1].optional = true;
  std::string ran;
  const auto done = execute(plan,
                            [&](const Step& step, const std::stop_token&) -> Result<void> {
                              ran += step.resource + ' ';
                              if (step.optional) return Err{ErrorKind::conflict, "taken"};
                              return {};
                            },
                            {});
  CHECK_FALSE(done.failure);
  CHECK(ran == "ip#1 2 ");
  CHECK(done.warnings == std::vector<std::string>{"optional taken"});
}

TEST_CASE("a stop from outside is a failure of the step it meets") {
  std::stop_source source;
  const auto done = execute(
      graph({{}, {0}}),
      [&](const Step&, const std::stop_token& stop) -> Result<void> {
        source.request_stop();
        CHECK(stop.stop_requested());
        return {};
      },
      source.get_token());
  REQUIRE(done.failure);
  CHECK(done.failure->error.kind == ErrorKind::cancelled);
  CHECK_FALSE(done.records[1].ran);
}

TEST_CASE("the critical path is the chain that ended last") {
  const auto plan = graph({{}, {}, {0, 1}});
  std::latch second_done(1);
  const auto done = execute(plan,
                            [&](const Step& step, const std::stop_token&) -> Result<void> {
                              if (step.resource == "0") second_done.wait();
                              if (step.resource == "1") second_done.count_down();
                              return {};
                            },
                            {});
  // Step 0 waits for step 1's end in all but the booking; which of the two was booked last the clock says.
  const auto path = critical_path(plan, done);
  REQUIRE(path.size() == 2);
  CHECK(path[1] == 2);
  const std::size_t later = done.records[0].end > done.records[1].end ? 0 : 1;
  CHECK(path[0] == later);
}

TEST_CASE("undo runs in reverse, past failures, once") {
  UndoLog log;
  std::string order;
  log.push("a", [&]() -> Result<void> {
    order += 'a';
    return {};
  });
  log.push("b", [&]() -> Result<void> {
    order += 'b';
    return Err{ErrorKind::failed, "stuck"};
  });
  log.push("c", [&]() -> Result<void> {
    order += 'c';
    return {};
  });
  CHECK(log.unwind() == std::vector<std::string>{"could not undo \"b\": stuck"});
  CHECK(order == "cba");
  CHECK(log.unwind().empty());
  CHECK(order == "cba");
}

TEST_CASE("engine time is counted for the thread that waits") {
  const auto before = EngineTime::of_this_thread();
  const int value = EngineTime::count([] { return 7; });
  CHECK(value == 7);
  CHECK(EngineTime::of_this_thread() > before);
}
