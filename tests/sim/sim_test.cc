#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "tests/sim/history.h"

using namespace plumb::sim;

namespace {

constexpr std::uint64_t kFirstSeed = 77'000;

std::uint64_t number(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);  // NOLINT(concurrency-mt-unsafe): nobody sets one
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

std::uint64_t histories() { return number("PLUMB_SIM_HISTORIES", 400); }

// The watcher's, with a hello each 250 ms.
WorldSettings settings() {
  WorldSettings out;
  out.machine.hello = std::chrono::milliseconds(number("PLUMB_SIM_HELLO", 250));
  out.machine.retry = true;
  return out;
}

struct Bound {
  Fault fault;
  double longest;      // seconds for which two that hear each other may both answer; below 0: no bound
  bool keeps_healthy;  // no owner that is well loses its claim
};

// What is documented of each kind. Nothing bounds a process that stands still beside a cable that was out: only fencing
// ends what its kernel answers.
constexpr Bound kBounds[] = {
    {Fault::loss, 0.5, true},          {Fault::slow, 0.5, true},          {Fault::power_on, 0.5, false},
    {Fault::operators, 0.01, true},    {Fault::hang, 0.01, true},         {Fault::partition, 0.5, false},
    {Fault::one_way, 0.5, false},      {Fault::one_pair, 0.5, false},     {Fault::cable, 0.02, true},
    {Fault::flap, 0.02, true},         {Fault::spanning_tree, 0.5, true}, {Fault::stopped, 0.01, true},
    {Fault::paused, 0.05, false},      {Fault::unnoticed, 0.05, false},   {Fault::killed, 0.01, true},
    {Fault::stopped_cable, -1, false}, {Fault::killed_cable, 0.8, true},  {Fault::killed_apart, 0.5, true},
    {Fault::move, 0.01, true},         {Fault::fenced, 0.01, true},       {Fault::mixed, -1, false},
};

double in_seconds(Time time) { return static_cast<double>(time.count()) / 1e6; }

std::string told_again(Fault fault, std::uint64_t seed) {
  return "told again by: PLUMB_SIM_FAULT=" + std::to_string(static_cast<unsigned>(fault)) +
         " PLUMB_SIM_SEED=" + std::to_string(seed) + " sim_test -tc='a history is told again'";
}

// What came of all histories of a kind.
struct Sum {
  double longest = 0;
  std::uint64_t doubled = 0;    // histories with two owners for any time
  std::uint64_t displaced = 0;  // with a healthy owner that lost its claim
  std::uint64_t none = 0;       // without an owner in the end
};

Sum sum_of(Fault fault, const WorldSettings& with) {
  Sum out;
  for (std::uint64_t seed = kFirstSeed; seed < kFirstSeed + 400; ++seed) {
    const auto one = run_history(fault, seed, with);
    out.longest = std::max(out.longest, in_seconds(one.doubled));
    if (one.doubled > Time(0)) ++out.doubled;
    if (one.displaced > 0) ++out.displaced;
    if (one.after_40s == 0) ++out.none;
  }
  return out;
}

template <typename Rule>
Sum without(Fault fault, Rule rule) {
  auto with = settings();
  with.machine.rules.*rule = false;
  return sum_of(fault, with);
}

}  // namespace

TEST_CASE("whatever happens, two owners are bounded, one is left, and nothing is lost in silence") {
  for (const auto& bound : kBounds) {
    for (std::uint64_t seed = kFirstSeed; seed < kFirstSeed + histories(); ++seed) {
      const auto one = run_history(bound.fault, seed, settings());
      const bool well = (bound.longest < 0 || in_seconds(one.doubled) <= bound.longest) && one.after_5s == 1 &&
                        one.after_40s == 1 && !one.silent_loss && (!bound.keeps_healthy || one.displaced == 0);
      CHECK_MESSAGE(well, to_string(bound.fault), ": two for ", in_seconds(one.doubled), " s, owners after 5 and 40 s ",
                    one.after_5s, " and ", one.after_40s, ", displaced ", one.displaced, "; ",
                    told_again(bound.fault, seed));
    }
  }
}

// For the manual's table: PLUMB_SIM_TABLE=1 PLUMB_SIM_HELLO=1000 sim_test -tc='the table*'
TEST_CASE("the table of bounds") {
  if (std::getenv("PLUMB_SIM_TABLE") == nullptr) return;  // NOLINT(concurrency-mt-unsafe)
  for (const auto& bound : kBounds) {
    Sum sum;
    std::uint64_t late = 0;
    for (std::uint64_t seed = kFirstSeed; seed < kFirstSeed + histories(); ++seed) {
      const auto one = run_history(bound.fault, seed, settings());
      sum.longest = std::max(sum.longest, in_seconds(one.doubled));
      if (one.doubled > Time(0)) ++sum.doubled;
      if (one.after_1s != 1) ++late;
    }
    MESSAGE(to_string(bound.fault), ": two for at most ", sum.longest, " s, in ", sum.doubled, " of ", histories(),
            "; other than one a second after the last fault in ", late);
  }
}

TEST_CASE("a history is told again") {
  const auto fault = static_cast<Fault>(number("PLUMB_SIM_FAULT", static_cast<unsigned>(Fault::mixed)));
  const auto seed = number("PLUMB_SIM_SEED", kFirstSeed);
  const auto first = run_history(fault, seed, settings(), true);
  const auto again = run_history(fault, seed, settings(), true);
  CHECK_FALSE(first.story.empty());
  CHECK(first.story == again.story);
  if (std::getenv("PLUMB_SIM_SEED") != nullptr) MESSAGE(first.story);  // NOLINT(concurrency-mt-unsafe)
}

// The negative twins: each rule is switched off, and what it is there for is found.
TEST_CASE("without hellos two owners go on after a partition") {
  CHECK(without(Fault::partition, &plumb::claim::Rules::hellos).longest > 5);
}

TEST_CASE("without doubt a cable that is back makes two owners") {
  CHECK(sum_of(Fault::cable, settings()).doubled == 0);
  CHECK(without(Fault::cable, &plumb::claim::Rules::doubt).doubled > 40);
}

TEST_CASE("without a rank, or with an epoch for whoever claims, healthy owners are displaced after a partition") {
  const auto with = sum_of(Fault::partition, settings()).displaced;
  CHECK(without(Fault::partition, &plumb::claim::Rules::rank).displaced > 2 * with);
  CHECK(without(Fault::partition, &plumb::claim::Rules::provisional).displaced > 2 * with);
}

TEST_CASE("without an order of states, who only asks displaces healthy owners") {
  CHECK(sum_of(Fault::cable, settings()).displaced == 0);
  CHECK(without(Fault::cable, &plumb::claim::Rules::order).displaced > 20);
}

TEST_CASE("without a rank that outlives the process, who claimed blindly displaces its owner") {
  auto forgets = settings();
  forgets.keeps = false;
  CHECK(sum_of(Fault::killed_apart, settings()).displaced == 0);
  CHECK(sum_of(Fault::killed_apart, forgets).displaced > 20);
}

TEST_CASE("without a witness more healthy owners are displaced at power-on") {
  const auto with = sum_of(Fault::power_on, settings()).displaced;
  CHECK(without(Fault::power_on, &plumb::claim::Rules::witness).displaced > 2 * with);
}

TEST_CASE("who has just claimed yields to a rival without hellos, which it finds by its own probes") {
  const auto with = sum_of(Fault::rival, settings()).none;
  CHECK(with > 40);
  CHECK(without(Fault::rival, &plumb::claim::Rules::young_yields).none < with / 4);
  CHECK(without(Fault::rival, &plumb::claim::Rules::self_probe).none < with / 4);
}
