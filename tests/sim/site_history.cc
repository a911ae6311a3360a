#include "tests/sim/site_history.h"

#include <algorithm>
#include <array>

#include "tests/sim/site_node.h"

namespace plumb::sim {

namespace {

constexpr double kFaultAt = 10;  // the service is up by then
constexpr double kLongest = 60;  // and has settled so long after the last fault
constexpr Time kGrid{100'000};

Time seconds(double s) { return Time(static_cast<std::int64_t>(s * 1e6)); }

class SiteTeller {
 public:
  SiteTeller(SiteFault fault, std::uint64_t seed, SiteSettings settings) : fault_(fault), random_(seed) {
    settings.nodes = pick<std::size_t>({2, 2, 3});
    settings.on_node = chance(.25) && fault != SiteFault::container_ends && fault != SiteFault::stranded &&
                       fault != SiteFault::engine_ends;
    settings.handover = fault == SiteFault::handover || fault == SiteFault::migrate ||
                        fault == SiteFault::handover_cut || fault == SiteFault::handover_killed;
    settings.loss = settings.handover ? pick({0., 0., .05}) : pick({0., 0., .02});
    site_ = std::make_unique<Site>(settings, seed * 7 + 1);
    first_ = random_() % settings.nodes;
    other_ = (first_ + 1 + random_() % (settings.nodes - 1)) % settings.nodes;
    target_ = first_;
    containers_ = !settings.on_node;
  }

  Site& site() { return *site_; }
  [[nodiscard]] double last() const { return last_; }
  // Where it has to be in the end; nothing: on any node.
  [[nodiscard]] std::optional<std::size_t> target() const { return target_; }
  [[nodiscard]] bool keeps_containers() const { return keeps_containers_; }

  void tell() {
    const double within = kFaultAt + between(0, 1.2);
    switch (fault_) {
      case SiteFault::start_killed:
        verb(1, first_, Verb::start);
        event(1 + between(0, 1.2), [this] { first().kill_verb(); });
        verb(2.3 + between(0, 2), first_, Verb::start);
        break;
      case SiteFault::start_fails:
      case SiteFault::start_hangs:
        first().spoil(static_cast<unsigned>(random_() % (containers_ ? 11 : 3)),
                      fault_ == SiteFault::start_fails ? std::nullopt : std::optional(seconds(between(.5, 10))));
        verb(1, first_, Verb::start);
        if (fault_ == SiteFault::start_hangs) {
          verb(1 + between(0, 6), other_, Verb::start);
          last_ = std::max(last_, 12.);
          target_.reset();
        } else {
          event(4, [this] { clean_ = clean_ && (!first().last_failed() || first().host().is_bare()); });
          verb(4.5, first_, Verb::start);
        }
        break;
      case SiteFault::two_starts:
        verb(1, first_, Verb::start);
        verb(1 + pick({0., 0., between(0, .2), between(0, 1)}), other_, Verb::start);
        target_.reset();
        break;
      case SiteFault::stop_killed:
        verb(1, first_, Verb::start);
        verb(kFaultAt, first_, Verb::stop);
        event(within, [this] { first().kill_verb(); });
        verb(within + between(0, 1), first_, Verb::stop);
        event(kFaultAt + 6, [this] { clean_ = clean_ && first().host().is_bare(); });
        verb(kFaultAt + 6, other_, Verb::start);
        target_ = other_;
        break;
      case SiteFault::move: move(); break;
      case SiteFault::handover:
      case SiteFault::migrate:
      case SiteFault::handover_cut:
      case SiteFault::handover_killed: hand_over(); break;
      case SiteFault::many:
        verb(1, first_, Verb::start);
        for (auto n = 2 + random_() % 4; n > 0; --n) befall(kFaultAt + between(0, 30), random_() % 6);
        break;
      case SiteFault::container_ends: verb(1, first_, Verb::start), befall(kFaultAt, 0); break;
      case SiteFault::engine_ends: verb(1, first_, Verb::start), befall(kFaultAt, 1); break;
      case SiteFault::watcher_killed:
        verb(1, first_, Verb::start);
        befall(kFaultAt, 2);
        befall(kFaultAt + between(0, 2), random_() % 4);
        break;
      case SiteFault::address_removed: verb(1, first_, Verb::start), befall(kFaultAt, 3); break;
      case SiteFault::taken_over:
      case SiteFault::stranded:
        verb(1, first_, Verb::start);
        event(kFaultAt, [this] { first().set_carrier(false); });
        verb(kFaultAt + between(.05, 3), other_, Verb::start);
        if (fault_ == SiteFault::stranded)
          event(kFaultAt + between(-.2, 3), [this] { first().end_container("container#0"); });
        event(kFaultAt + between(.1, 10), [this] { first().set_carrier(true); });
        last_ += 2;
        target_.reset();
        break;
      case SiteFault::fenced:
        verb(1, first_, Verb::start);
        event(kFaultAt, [this] { first().power_off(); });
        verb(kFaultAt + between(0, 1), other_, Verb::start);
        target_ = other_;
        break;
      case SiteFault::failing:
        verb(1, first_, Verb::start);
        event(kFaultAt, [this] { first().host().set_broken(true); });
        event(kFaultAt + .1, [this] { first().end_container("container#0"); });
        event(kFaultAt + 60, [this] { first().host().set_broken(false); });
        break;
    }
  }
  [[nodiscard]] bool clean() const { return clean_; }

 private:
  template <typename T>
  T pick(std::initializer_list<T> from) {
    return *(from.begin() + static_cast<std::ptrdiff_t>(random_() % from.size()));
  }
  double between(double low, double high) { return std::uniform_real_distribution<>(low, high)(random_); }
  bool chance(double p) { return between(0, 1) < p; }
  SiteNode& first() { return site_->node(first_); }
  SiteNode& other() { return site_->node(other_); }

  template <typename F>
  void event(double when, F what) {
    last_ = std::max(last_, when);
    site_->at(seconds(when), what);
  }
  void verb(double when, std::size_t node, Verb verb) {
    event(when, [this, node, verb] { site_->node(node).run(verb); });
  }

  void move() {
    verb(1, first_, Verb::start);
    verb(kFaultAt, first_, Verb::stop);
    // Who starts too early finds that somebody answers, and is undone: it is started again.
    const double begin = kFaultAt + pick({between(0, .1), between(0, 1), 3.});
    verb(begin, other_, Verb::start);
    event(kFaultAt + 5, [this] {
      clean_ = clean_ && first().host().is_bare();
      if (other().last_failed()) clean_ = clean_ && other().host().is_bare(), other().run(Verb::start);
    });
    target_ = other_;
  }

  void hand_over() {
    verb(1, first_, Verb::start);
    keeps_containers_ = true;
    target_ = other_;
    const double activated = kFaultAt + between(0, 2);
    if (chance(.7)) verb(kFaultAt - 3, other_, Verb::prepare);
    if (fault_ == SiteFault::handover_cut) {
      event(kFaultAt - 4, [this] { site_->lan().set_group(other_, 1); });
      verb(activated, other_, Verb::activate);
      if (chance(.5)) event(kFaultAt - 1, [this] { first().yield_when_asked(); });
      // It gives up after 35 s of silence. Then the LAN heals: who had the addresses has them.
      event(kFaultAt + 45, [this] { site_->lan().set_group(other_, 0); });
      target_ = first_;
      return;
    }
    const bool migrates = fault_ == SiteFault::migrate || (fault_ == SiteFault::handover_killed && chance(.5));
    if (migrates)
      event(kFaultAt - 1, [this] { first().yield_when_asked(); });
    else
      verb(kFaultAt + between(-.5, 3), first_, Verb::stop);
    verb(activated, other_, Verb::activate);
    // Who was stopped too early has given them to nobody, and who waited for its word gives up: then it is known where
    // the service runs, nowhere, and it is started.
    if (fault_ == SiteFault::handover)
      event(activated + 38, [this] {
        if (other().last_failed()) other().run(Verb::start);
      });
    if (fault_ != SiteFault::handover_killed) return;
    const bool giver = chance(.5);
    event(activated + between(0, 1), [this, giver] { giver ? first().kill_verb() : other().kill_verb(); });
    // The decider: off here, and with all means there, since it knows that it is off.
    verb(kFaultAt + 6, first_, Verb::stop);
    verb(kFaultAt + 14, other_, Verb::stop);
    verb(kFaultAt + 22, other_, Verb::start);
  }

  void befall(double when, std::uint64_t what) {
    switch (what) {
      case 0:
        if (!containers_) return befall(when, 3);
        event(when, [this, which = chance(.6) ? "container#0" : "container#1"] { first().end_container(which); });
        break;
      case 1: {
        if (!containers_) return befall(when, 3);
        const double back = when + between(.5, 8);
        event(when, [this, back] { first().end_engine(seconds(back)); });
        last_ = std::max(last_, back);
        break;
      }
      case 2:
        event(when, [this] { first().kill_watcher(); });
        last_ = std::max(last_, when + 1);
        break;
      case 3: event(when, [this] { first().remove_address(); }); break;
      case 4:
        event(when, [this] { first().set_carrier(false); });
        event(when + between(.1, 5), [this] { first().set_carrier(true); });
        break;
      default:
        event(when, [this] { first().end_container("container#0"); });
        event(when + between(0, .3), [this] { first().kill_watcher(); });
        last_ = std::max(last_, when + 1.3);
    }
  }

  SiteFault fault_;
  std::mt19937_64 random_;
  std::unique_ptr<Site> site_;
  std::size_t first_ = 0;
  std::size_t other_ = 0;
  std::optional<std::size_t> target_;
  bool containers_ = true;
  bool keeps_containers_ = false;
  bool clean_ = true;
  double last_ = 0;
};

}  // namespace

std::string_view to_string(SiteFault fault) {
  constexpr std::array<std::string_view, kSiteFaults> kNames{"start killed",
                                                             "start fails",
                                                             "start hangs",
                                                             "two starts",
                                                             "stop killed",
                                                             "move",
                                                             "handover",
                                                             "migrate",
                                                             "handover cut",
                                                             "handover killed",
                                                             "container ends",
                                                             "engine ends",
                                                             "watcher killed",
                                                             "address removed",
                                                             "taken over",
                                                             "stranded",
                                                             "fenced",
                                                             "failing",
                                                             "many"};
  return kNames.at(static_cast<std::size_t>(fault));
}

SiteOutcome run_site_history(SiteFault fault, std::uint64_t seed, SiteSettings settings, bool trace) {
  SiteTeller teller(fault, seed, settings);
  auto& site = teller.site();
  site.trace(trace);
  teller.tell();
  SiteOutcome out;
  const Time last = seconds(teller.last());
  site.run(last);
  std::optional<Time> since;
  std::vector<std::size_t> whole;
  for (Time now = last; now <= last + seconds(kLongest); now += kGrid) {
    site.run(now);
    whole = site.whole();
    if (whole.size() != 1) since.reset();
    if (whole.size() == 1 && !since) since = now;
  }
  out.account = site.account();
  if (since && out.account.one_since) out.settled = std::max(*since, *out.account.one_since) - last;
  if (out.settled) out.settled = std::max(Time(0), *out.settled);
  out.right_place = !teller.target() || (whole.size() == 1 && whole.front() == *teller.target());
  out.clean = teller.clean();
  for (std::size_t i = 0; i < site.nodes() && whole.size() == 1; ++i) {
    const auto& node = site.node(i);
    if (i == whole.front() || !node.powered()) continue;
    if (!teller.keeps_containers() && fault != SiteFault::taken_over && fault != SiteFault::stranded)
      out.clean = out.clean && node.host().is_bare();
  }
  out.story = site.story();
  return out;
}

}  // namespace plumb::sim
