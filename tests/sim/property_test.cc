// Histories as lists of events, drawn and shrunk by RapidCheck. A history that fails is printed, as short as it could
// be made, with the RC_PARAMS that tell it again: RC_PARAMS='reproduce=...' property_test.
#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ostream>
#include <string>
#include <vector>

#include "tests/sim/world.h"

using namespace plumb::sim;

namespace {

constexpr std::size_t kNodes = 3;
constexpr Time kFirstStart{1'000'000};
constexpr Time kFirstFault{8'000'000};  // the first owner is confirmed
constexpr Time kAfterwards{60'000'000};
constexpr double kBound = 1;  // seconds for which two that hear each other may both answer

enum class What { start, withdraw, cable, partition, one_way, port, pause, unnoticed, kill, wait };
constexpr std::array kNames{"start", "withdraw",         "cable", "partition", "one way", "port",
                            "pause", "pause, unnoticed", "kill",  "wait"};

struct Happening {
  What what = What::start;
  std::size_t node = 0;
  unsigned at = 0;      // ms after kFirstFault
  unsigned length = 0;  // ms
};

std::ostream& operator<<(std::ostream& out, const Happening& one) {
  return out << kNames.at(static_cast<std::size_t>(one.what)) << " n" << one.node << " at " << one.at << " ms for "
             << one.length << " ms";
}

Time ms(unsigned count) { return std::chrono::milliseconds(count); }

void befall(World& world, const Happening& one) {
  const auto node = one.node;
  const Time begin = kFirstFault + ms(one.at);
  const Time end = begin + ms(one.length);
  const auto both = [&](auto first, auto then) {
    world.at(begin, first);
    world.at(end, then);
  };
  switch (one.what) {
    case What::start: return world.at(begin, [&world, node] { world.start(node); });
    case What::withdraw: return world.at(begin, [&world, node] { world.withdraw(node); });
    case What::cable:
      return both([&world, node] { world.set_carrier(node, false); },
                  [&world, node] { world.set_carrier(node, true); });
    case What::partition:
      return both([&world, node] { world.lan().set_group(node, 1); },
                  [&world, node] { world.lan().set_group(node, 0); });
    case What::one_way:
      return both(
          [&world, node] {
            for (std::size_t i = 0; i < world.lan().hosts(); ++i) world.lan().cut(i, node, true);
          },
          [&world, node] {
            for (std::size_t i = 0; i < world.lan().hosts(); ++i) world.lan().cut(i, node, false);
          });
    case What::port:
      return both([&world, node] { world.set_forwarding(node, false); },
                  [&world, node] { world.set_forwarding(node, true); });
    case What::pause:
    case What::unnoticed:
      return both([&world, node] { world.pause_machine(node); },
                  [&world, node, noticed = one.what == What::pause] { world.resume_machine(node, noticed); });
    case What::kill: return world.at(begin, [&world, node] { world.kill_process(node); });
    case What::wait: return world.set_wait(node, ms(one.length));
  }
}

}  // namespace

namespace rc {

template <>
struct Arbitrary<Happening> {
  static Gen<Happening> arbitrary() {
    const auto what = gen::map(gen::inRange(0, static_cast<int>(kNames.size())), [](int n) { return What(n); });
    return gen::build<Happening>(
        gen::set(&Happening::what, what), gen::set(&Happening::node, gen::inRange<std::size_t>(0, kNodes)),
        gen::set(&Happening::at, gen::inRange(0U, 40'000U)), gen::set(&Happening::length, gen::inRange(0U, 15'000U)));
  }
};

}  // namespace rc

TEST_CASE("after any history one node has the address, two owners were bounded, and no loss was silent") {
  ::setenv("RC_PARAMS", "seed=77 max_success=2000 max_size=20", 0);  // NOLINT(concurrency-mt-unsafe): one thread
  const bool holds = rc::check([](const std::vector<Happening>& all, std::uint16_t chance) {
    WorldSettings settings;
    settings.nodes = kNodes;
    settings.machine.hello = std::chrono::milliseconds(250);
    settings.machine.retry = true;
    World world(settings, chance);
    world.at(kFirstStart, [&world] { world.start(0); });
    Time last = kFirstFault;
    for (const auto& one : all) {
      befall(world, one);
      last = std::max(last, kFirstFault + ms(one.at) + ms(one.length));
    }
    // Whoever was withdrawn, or never started: somebody wants it in the end.
    world.at(last + ms(1'000), [&world] { world.start(1); });
    world.run(last + kAfterwards);
    RC_ASSERT(world.one_since().has_value());
    RC_ASSERT_FALSE(world.silent_loss());
    double longest = 0;
    for (const auto& one : world.doubles())
      longest = std::max(longest, std::chrono::duration<double>(one.length).count());
    RC_ASSERT(longest <= kBound);
  });
  CHECK(holds);
}
