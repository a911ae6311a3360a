#include "tests/sim/history.h"

#include <algorithm>
#include <random>

namespace plumb::sim {

namespace {

constexpr double kFaultAt = 10;  // seconds: the first owner is settled by then
constexpr double kAfterwards = 40;

Time seconds(double s) { return Time(static_cast<std::int64_t>(s * 1e6)); }

class Teller {
 public:
  Teller(Fault fault, std::uint64_t seed, WorldSettings settings) : fault_(fault), random_(seed) {
    settings.nodes = pick<std::size_t>({2, 2, 3, 4, 5});
    settings.loss = fault == Fault::loss || fault == Fault::mixed ? pick({0, .05, .15, .3}) : pick({0, 0, 0, .02});
    const bool slow_tie = fault == Fault::tie && chance(.5);
    if (fault == Fault::tie) settings.loss = slow_tie ? 0 : pick({.1, .2, .3});
    if (fault == Fault::mute) settings.loss = .15;
    settings.slow = fault == Fault::slow    ? pick({.1, .3, .6})
                    : fault == Fault::mixed ? pick({0, .1})
                    : slow_tie              ? pick({.3, .6, .9})
                                            : 0;
    world_ = std::make_unique<World>(settings, seed * 7 + 1);
    nodes_ = settings.nodes;
    for (std::size_t i = 0; i < nodes_; ++i) wait(i, pick({.0005, .2, .3, .4}));
  }

  World& world() { return *world_; }
  [[nodiscard]] double last() const { return last_; }

  void tell() {
    first_ = node();
    do {
      other_ = node();
    } while (other_ == first_);
    length_ = pick({between(.1, 1), between(1, 10), between(10, 60)});
    end_ = kFaultAt + length_;
    if (fault_ == Fault::power_on || fault_ == Fault::operators) return many_at_once();
    if (fault_ == Fault::tie || fault_ == Fault::stood_asking) return while_asking();
    start(1, first_);
    single();
  }

 private:
  template <typename T>
  T pick(std::initializer_list<T> from) {
    return *(from.begin() + static_cast<std::ptrdiff_t>(random_() % from.size()));
  }
  double pick(std::initializer_list<double> from) { return pick<double>(from); }
  double between(double low, double high) { return std::uniform_real_distribution<>(low, high)(random_); }
  bool chance(double p) { return between(0, 1) < p; }
  std::size_t node() { return random_() % nodes_; }

  template <typename F>
  void event(double when, F what) {
    last_ = std::max(last_, when);
    world_->at(seconds(when), what);
  }
  void start(double when, std::size_t which) {
    event(when, [this, which] { world_->start(which); });
  }
  void wait(std::size_t which, double s) {
    waits_ = std::max(waits_, s);
    world_->set_wait(which, seconds(s));
  }
  // A decider without fencing takes the first owner for dead.
  void take_over() {
    const double late = pick({.05, .5, 2., 5.});
    if (kFaultAt + late < end_) start(kFaultAt + late, other_);
  }

  void many_at_once() {
    const double within = pick({0, .001, .1, .5, 2.});
    std::vector<std::size_t> all(nodes_);
    for (std::size_t i = 0; i < nodes_; ++i) all[i] = i;
    std::shuffle(all.begin(), all.end(), random_);
    if (fault_ == Fault::operators) all.resize(2);
    for (const auto which : all) start(1 + between(0, 1) * within, which);
    if (fault_ == Fault::operators || chance(.5)) return;
    for (std::size_t i = 0; i < nodes_; ++i) {
      if (chance(.4)) continue;
      world_->set_forwarding(i, false);
      event(between(15, 30), [this, i] { world_->set_forwarding(i, true); });
    }
  }

  void while_asking() {
    start(1, first_);
    start(1 + between(0, fault_ == Fault::tie ? .05 : .3), other_);
    if (fault_ == Fault::tie) return;
    const double stop = 1 + between(0, .4);
    event(stop, [this] { world_->stop_process(first_); });
    event(stop + between(.2, 1.9), [this] { world_->continue_process(first_); });
  }

  void parted(double from, double to) {
    std::vector<int> groups(world_->lan().hosts());
    for (auto& group : groups) group = chance(.5) ? 1 : 0;
    groups[first_] = 0;
    groups[other_] = 1;
    event(from, [this, groups] {
      for (std::size_t i = 0; i < groups.size(); ++i) world_->lan().set_group(i, groups[i]);
    });
    event(to, [this] {
      for (std::size_t i = 0; i < world_->lan().hosts(); ++i) world_->lan().set_group(i, 0);
    });
  }

  void cut_of(std::vector<std::pair<std::size_t, std::size_t>> pairs, double from, double to) {
    event(from, [this, pairs] {
      for (const auto& [a, b] : pairs) world_->lan().cut(a, b, true);
    });
    event(to, [this, pairs] {
      for (const auto& [a, b] : pairs) world_->lan().cut(a, b, false);
    });
  }

  void cable(std::size_t which, double from, double to) {
    event(from, [this, which] { world_->set_carrier(which, false); });
    event(to, [this, which] { world_->set_carrier(which, true); });
  }

  void one_way() {
    const auto which = chance(.5) ? first_ : other_;
    const bool in = chance(.5);
    std::vector<std::pair<std::size_t, std::size_t>> pairs;
    for (std::size_t i = 0; i < world_->lan().hosts(); ++i)
      if (i != which) pairs.push_back(in ? std::pair(i, which) : std::pair(which, i));
    cut_of(pairs, kFaultAt, end_);
    if (which == first_)
      take_over();
    else
      start(kFaultAt + .1, other_);
  }

  void spanning_tree() {
    const auto which = chance(.5) ? first_ : other_;
    const double opens = kFaultAt + .5 + between(15, 30);
    event(kFaultAt, [this, which] { world_->set_carrier(which, false); });
    event(kFaultAt + .5, [this, which] {
      world_->set_forwarding(which, false);
      world_->set_carrier(which, true);
    });
    event(opens, [this, which] { world_->set_forwarding(which, true); });
    start(kFaultAt + (which == first_ ? between(.1, 14) : between(.6, 14)), other_);
  }

  void single() {
    switch (fault_) {
      case Fault::loss:
      case Fault::slow:
        start(kFaultAt, other_);
        if (nodes_ > 2 && chance(.5)) start(kFaultAt + between(0, 3), node());
        break;
      case Fault::hang: {
        const double hang = pick({5., 20., 40.});
        wait(first_, hang);
        start(1 + pick({.2, 1., 3., 10.}), other_);
        last_ = std::max(last_, 1 + hang);
        break;
      }
      case Fault::partition:
        parted(kFaultAt, end_);
        take_over();
        break;
      case Fault::one_way: one_way(); break;
      case Fault::one_pair: {
        const std::pair there{first_, other_};
        const std::pair back{other_, first_};
        const auto which = random_() % 3;
        cut_of(which == 0   ? std::vector{there}
               : which == 1 ? std::vector{back}
                            : std::vector{there, back},
               kFaultAt, end_);
        take_over();
        break;
      }
      case Fault::cable:
        if (length_ < 1) end_ = kFaultAt + 1 + length_;
        cable(first_, kFaultAt, end_);
        take_over();
        break;
      case Fault::flap:
        cable(first_, kFaultAt, kFaultAt + between(.1, 1));
        start(kFaultAt + between(0, .3), other_);
        break;
      case Fault::spanning_tree: spanning_tree(); break;
      case Fault::stopped:
        event(kFaultAt, [this] { world_->stop_process(first_); });
        take_over();
        event(end_, [this] { world_->continue_process(first_); });
        break;
      case Fault::paused:
      case Fault::unnoticed:
        event(kFaultAt, [this] { world_->pause_machine(first_); });
        take_over();
        event(end_, [this] { world_->resume_machine(first_, fault_ == Fault::paused); });
        break;
      case Fault::killed:
        event(kFaultAt, [this] { world_->kill_process(first_); });
        last_ = std::max(last_, kFaultAt + 1);
        start(kFaultAt + pick({.05, .5, .9, 1., 1.05}), other_);
        break;
      case Fault::stopped_cable:
      case Fault::killed_cable: {
        if (fault_ == Fault::stopped_cable) {
          event(kFaultAt, [this] { world_->stop_process(first_); });
          event(kFaultAt + 20 + between(0, 10), [this] { world_->continue_process(first_); });
        } else {
          event(kFaultAt, [this] { world_->kill_process(first_); });
        }
        const double out = kFaultAt + pick({.1, 3.});
        const double in = out + pick({.3, 1., 3.});
        cable(first_, out, in);
        start(between(out, in), other_);
        last_ = std::max(last_, kFaultAt + 1);
        break;
      }
      case Fault::killed_apart: {
        const double end = kFaultAt + 6;
        event(kFaultAt, [this] { world_->lan().set_group(other_, 1); });
        start(kFaultAt + between(0, 4), other_);
        event(end - 1 - between(2.1, 2.8), [this] { world_->kill_process(first_); });
        event(end, [this] { world_->lan().set_group(other_, 0); });
        break;
      }
      case Fault::rival: event(kFaultAt - between(0, 9), [this] { world_->put_rival(nodes_ + 1); }); break;
      case Fault::move:
        event(kFaultAt, [this] { world_->withdraw(first_); });
        start(kFaultAt + pick({0, .01, .5}), other_);
        break;
      case Fault::fenced:
        parted(kFaultAt - 1, kFaultAt + 20);
        event(kFaultAt, [this] { world_->power_off(first_); });
        start(kFaultAt + pick({0, .05, .5}), other_);
        break;
      case Fault::mixed:
        for (auto n = 2 + random_() % 5; n > 0; --n) any();
        last_ += waits_;
        break;
      case Fault::mute:
        start(kFaultAt - 5, other_);
        event(kFaultAt, [this] { world_->stop_process(first_); });
        event(end_, [this] { world_->continue_process(first_); });
        break;
      case Fault::outlived: {
        const bool dies = chance(.5);
        start(kFaultAt - between(.1, 8), other_);
        event(kFaultAt, [this, dies] { dies ? world_->power_off(first_) : world_->withdraw(first_); });
        break;
      }
      case Fault::power_on:
      case Fault::operators:
      case Fault::tie:
      case Fault::stood_asking: break;
    }
  }

  void any() {
    const double when = kFaultAt + between(0, 40);
    const double length = pick({.1, .5, 2., 10., 30.}) * between(.5, 1.5);
    const auto which = node();
    switch (random_() % 9) {
      case 0: parted(when, when + length); break;
      case 1: {
        std::vector<std::pair<std::size_t, std::size_t>> pairs;
        for (int i = 0; i < 3; ++i)
          pairs.emplace_back(random_() % world_->lan().hosts(), random_() % world_->lan().hosts());
        cut_of(pairs, when, when + length);
        break;
      }
      case 2: cable(which, when, when + length); break;
      case 3:
        event(when, [this, which] { world_->stop_process(which); });
        event(when + length, [this, which] { world_->continue_process(which); });
        break;
      case 4: {
        const bool noticed = chance(.5);
        event(when, [this, which] { world_->pause_machine(which); });
        event(when + length, [this, which, noticed] { world_->resume_machine(which, noticed); });
        break;
      }
      case 5:
        event(when, [this, which] { world_->kill_process(which); });
        last_ = std::max(last_, when + 1);
        break;
      case 6: start(when, which); break;
      case 7:
        event(when, [this, which] { world_->set_forwarding(which, false); });
        event(when + between(15, 30), [this, which] { world_->set_forwarding(which, true); });
        break;
      default: wait(which, pick({5., 20.})); break;
    }
  }

  Fault fault_;
  std::mt19937_64 random_;
  std::unique_ptr<World> world_;
  std::size_t nodes_ = 0;
  std::size_t first_ = 0;
  std::size_t other_ = 0;
  double length_ = 0;
  double end_ = 0;
  double last_ = 0;
  double waits_ = 0;
};

}  // namespace

std::string_view to_string(Fault fault) {
  constexpr std::array<std::string_view, kFaults> kNames{
      "loss",     "slow",           "power on",      "operators",     "hang",    "partition", "one way",
      "one pair", "cable",          "flap",          "spanning tree", "stopped", "paused",    "unnoticed",
      "killed",   "stopped, cable", "killed, cable", "killed, apart", "rival",   "move",      "fenced",
      "tie",      "stood asking",   "mute",          "outlived",      "mixed"};
  return kNames.at(static_cast<std::size_t>(fault));
}

Outcome run_history(Fault fault, std::uint64_t seed, WorldSettings settings, bool trace) {
  Teller teller(fault, seed, settings);
  auto& world = teller.world();
  world.trace(trace);
  teller.tell();
  Outcome out;
  world.run(seconds(teller.last() + kAfterwards));
  if (const auto since = world.one_since()) out.settled = std::max(Time(0), *since - seconds(teller.last()));
  for (const auto& one : world.doubles()) out.doubled = std::max(out.doubled, one.length);
  out.displaced = world.displaced();
  out.silent_loss = world.silent_loss();
  out.story = world.story();
  return out;
}

}  // namespace plumb::sim
