#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <string>

#include "tests/sim/environment.h"
#include "tests/sim/site_history.h"

using namespace plumb::sim;

namespace {

constexpr std::uint64_t kFirstSeed = 88'000;

std::uint64_t histories() { return number("PLUMB_SITE_HISTORIES", 100); }

SiteSettings settings() {
  SiteSettings out;
  out.machine.hello = std::chrono::milliseconds(250);
  return out;
}

double in_seconds(Time time) { return static_cast<double>(time.count()) / 1e6; }

std::string told_again(SiteFault fault, std::uint64_t seed) {
  return "told again by: PLUMB_SIM_FAULT=" + std::to_string(static_cast<unsigned>(fault)) +
         " PLUMB_SIM_SEED=" + std::to_string(seed) + " site_test -tc='a history of a service is told again'";
}

struct Bound {
  SiteFault fault;
  double settled;      // seconds after the last fault; then the service is whole on one node, and stays so
  double longest = 0;  // seconds for which two that hear each other may both answer
};

// Nobody answers beside another one that hears it, but in one kind: in a namespace that only a sibling keeps the
// address has no claim, and is there until the heal has ended the sibling. What a start takes is in each of these: up
// to 1.5 s.
constexpr Bound kBounds[] = {
    {SiteFault::start_killed, 3},
    {SiteFault::start_fails, 2},
    {SiteFault::start_hangs, 2},
    {SiteFault::two_starts, 2},
    {SiteFault::stop_killed, 2.5},
    {SiteFault::move, 2.5},
    {SiteFault::handover, 2},
    {SiteFault::migrate, 2.5},
    {SiteFault::handover_cut, 2},
    {SiteFault::handover_killed, 40},  // the verb that is waited for may wait for a word, for 35 s
    {SiteFault::container_ends, 5},    // a sibling waits before its second restart
    {SiteFault::engine_ends, 5},
    {SiteFault::watcher_killed, 5},
    {SiteFault::address_removed, 2},
    {SiteFault::taken_over, 2},
    {SiteFault::stranded, 2, 0.5},
    {SiteFault::fenced, 2.5},
    {SiteFault::failing, 65},  // a heal waits up to a minute after others that failed
    {SiteFault::many, 65},
};

// What came of all histories of a kind.
struct Sum {
  double longest = 0;
  double latest = 0;
  std::uint64_t worst = kFirstSeed;
  unsigned unclaimed = 0;  // histories
  unsigned early = 0;      // the same
  unsigned wrong = 0;      // not whole in the end, whole on another node, or with remains elsewhere
  unsigned heals = 0;      // the most
};

Sum sum_of(SiteFault fault, const SiteSettings& with, std::uint64_t histories) {
  Sum out;
  for (std::uint64_t seed = kFirstSeed; seed < kFirstSeed + histories; ++seed) {
    const auto one = run_site_history(fault, seed, with);
    out.longest = std::max(out.longest, in_seconds(one.account.doubled));
    if (one.account.unclaimed > 0) ++out.unclaimed;
    if (one.account.early > 0) ++out.early;
    if (!one.settled || !one.right_place || !one.clean) ++out.wrong;
    out.heals = std::max(out.heals, one.account.heals);
    if (!one.settled || in_seconds(*one.settled) <= out.latest) continue;
    out.latest = in_seconds(*one.settled);
    out.worst = seed;
  }
  return out;
}

}  // namespace

TEST_CASE("whatever happens to a service, it is whole on one node in the end, and no two nodes answer for it") {
  for (const auto& bound : kBounds) {
    for (std::uint64_t seed = kFirstSeed; seed < kFirstSeed + histories(); ++seed) {
      const auto one = run_site_history(bound.fault, seed, settings());
      const bool well = in_seconds(one.account.doubled) <= bound.longest && one.account.unclaimed == 0 &&
                        (one.account.early == 0 || bound.longest > 0) && one.settled &&
                        in_seconds(*one.settled) <= bound.settled && one.right_place && one.clean;
      CHECK_MESSAGE(well, to_string(bound.fault), ": two for ", in_seconds(one.account.doubled), " s, unclaimed ",
                    one.account.unclaimed, ", claimed early ", one.account.early, ", whole after ",
                    one.settled ? in_seconds(*one.settled) : -1, " s, ",
                    std::string(one.right_place ? "" : "elsewhere, "), std::string(one.clean ? "" : "with remains, "),
                    told_again(bound.fault, seed));
    }
  }
}

TEST_CASE("the table of services") {
  if (!is_set("PLUMB_SIM_TABLE")) return;
  for (const auto& bound : kBounds) {
    const auto sum = sum_of(bound.fault, settings(), histories());
    MESSAGE(to_string(bound.fault), ": two for ", sum.longest, " s, unclaimed ", sum.unclaimed, ", early ", sum.early,
            ", wrong ", sum.wrong, ", most heals ", sum.heals, ", whole after at most ", sum.latest, " s, ",
            told_again(bound.fault, sum.worst));
  }
}

TEST_CASE("a history of a service is told again") {
  const auto fault = static_cast<SiteFault>(number("PLUMB_SIM_FAULT", static_cast<unsigned>(SiteFault::many)));
  const auto seed = number("PLUMB_SIM_SEED", kFirstSeed);
  const auto first = run_site_history(fault, seed, settings(), true);
  const auto again = run_site_history(fault, seed, settings(), true);
  CHECK_FALSE(first.story.empty());
  CHECK(first.story == again.story);
  if (is_set("PLUMB_SIM_SEED")) MESSAGE(first.story);
}

// The negative twins: each rule is switched off, and what it is there for is found.
TEST_CASE("an address that does not wait for its claim is put on without one, and beside its owner") {
  auto with = settings();
  with.claim_first = false;
  CHECK(sum_of(SiteFault::two_starts, settings(), 100).unclaimed == 0);
  CHECK(sum_of(SiteFault::two_starts, with, 100).unclaimed > 10);
  CHECK(sum_of(SiteFault::two_starts, with, 100).longest > 0);
}

TEST_CASE("who yields and says so before it has withdrawn makes two owners") {
  auto with = settings();
  with.gives_last = false;
  CHECK(sum_of(SiteFault::migrate, settings(), 100).longest == 0);
  const auto sum = sum_of(SiteFault::migrate, with, 100);
  CHECK(sum.longest > 0);
  CHECK(sum.early > 0);
}

TEST_CASE("who takes silence for a word has the addresses on both sides of a cut") {
  auto with = settings();
  with.word_needed = false;
  CHECK(sum_of(SiteFault::handover_cut, settings(), 100).longest == 0);
  const auto sum = sum_of(SiteFault::handover_cut, with, 100);
  CHECK(sum.unclaimed == 100);
  CHECK(sum.longest > 0);
}

TEST_CASE("a watcher without patience heals what cannot be healed again and again") {
  auto with = settings();
  with.watcher_waits = false;
  CHECK(sum_of(SiteFault::failing, settings(), 20).heals < 10);
  CHECK(sum_of(SiteFault::failing, with, 20).heals > 50);
}
