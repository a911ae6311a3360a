#include "tests/sim/verb_run.h"

#include <algorithm>

#include "specs/plan/planner.h"
#include "specs/status/status.h"

namespace plumb::sim {

namespace {

constexpr Time kSettle{400'000};
constexpr Time kRound{160'000};  // three probes, and what they bring
constexpr Time kBetweenProbes{40'000};

bool is_engines(const Step& step) {
  return step.is<ImageEnsure, ContainerRetire, ContainerCreate, ContainerStart, ContainerStop, ContainerRemove>();
}

}  // namespace

VerbRun::VerbRun(SiteNode& node, Service service, Verb verb, bool heals, bool withheld)
    : node_(node), service_(std::move(service)), verb_(verb), heals_(heals), withheld_(withheld) {}

void VerbRun::later(Time when, void (VerbRun::*what)()) {
  node_.site().at(when, [self = shared_from_this(), what] {
    if (self->alive_) (*self.*what)();
  });
}

void VerbRun::begin() {
  later(node_.site().now() + (node_.after_a_kill() ? kSettle : Time(0)), &VerbRun::observe_and_plan);
}

void VerbRun::die() {
  alive_ = false;
  claimant_.reset();
}

void VerbRun::observe_and_plan() { later(node_.site().now() + node_.site().between(.003, .04), &VerbRun::plan_now); }

void VerbRun::plan_now() {
  auto seen = node_.host().observe();
  if (withheld_) seen.withheld.insert(node_.host().address());
  if (free_) seen.probed_free.insert(node_.host().address());
  seen.after_a_kill = node_.after_a_kill() && !changed_;
  auto planned = plumb::plan(service_, seen, verb_);
  if (!planned) {
    failed_step_ = planned.error().what;
    return fail();
  }
  plan_ = *std::move(planned);
  if (plan_.empty()) return succeed();
  while (brings_up(verb_) && !plan_.steps.empty() && plan_.steps.back().tolerate) {
    tidying_.push_back(std::move(plan_.steps.back()));
    plan_.steps.pop_back();
  }
  for (auto& step : plan_.steps) {
    if (!node_.site().settings().claim_first && step.is<AddressAdd>())
      std::erase_if(step.after, [this](std::size_t i) { return plan_.steps[i].is<AddressProbe>(); });
    if (!node_.site().settings().gives_last && step.is<AddressYield>()) step.after.clear();
  }
  changed_ = true;
  begin_steps();
}

void VerbRun::begin_steps() {
  waiting_.clear();
  for (const auto& step : plan_.steps) waiting_.push_back(step.after.size());
  running_.assign(plan_.steps.size(), false);
  if (plan_.steps.empty()) return all_ended();
  for (std::size_t i = 0; i < plan_.steps.size(); ++i)
    if (plan_.steps[i].after.empty()) begin_step(i);
}

Time VerbRun::duration(const Step& step) {
  return is_engines(step) ? node_.site().between(.01, .25) : node_.site().between(.0002, .003);
}

void VerbRun::begin_step(std::size_t index) {
  if (failed_) return;
  const auto& step = plan_.steps[index];
  ++active_;
  running_[index] = true;
  node_.site().say(node_.index(), describe(step));
  auto& spoiled = node_.spoiled();
  Time takes = duration(step);
  if (spoiled && spoiled->step == begun_++ && !heals_) {
    const auto hang = spoiled->hang;
    spoiled.reset();
    if (!hang)
      return node_.site().at(node_.site().now() + takes, [self = shared_from_this(), index] {
        if (self->alive_) self->finish(index, false);
      });
    takes += *hang;
  }
  if (step.is<AddressProbe>()) return ask(index);
  if (step.is<AddressRequest>()) return request(index);
  node_.site().at(node_.site().now() + takes, [self = shared_from_this(), index] {
    const auto& its = self->plan_.steps[index];
    // An engine carries a request out though its client is gone.
    if (!self->alive_ && is_engines(its) && self->node_.powered() && self->node_.site().random()() % 2 == 0)
      self->node_.host().apply(its);
    if (self->alive_) self->effect(index);
  });
}

void VerbRun::effect(std::size_t index) {
  const auto& step = plan_.steps[index];
  auto& site = node_.site();
  if (step.is<AddressAdd>()) return add(index);
  if (step.is<AddressAnnounce>()) {
    if (node_.host().has_address()) site.claims(node_.index());
    if (node_.host().has_address()) site.lan().broadcast({.kind = Frame::Kind::use, .from = node_.index()});
    return finish(index, true);
  }
  if (step.is<AddressYield>()) {
    node_.give(claim::kAnybody);
    return site.at(site.now() + Time(80'000), [self = shared_from_this(), index] {
      if (self->alive_) self->finish(index, true);
    });
  }
  const bool well = node_.host().apply(step);
  if (!well) return finish(index, false);
  if (auto undo = node_.host().undo_of(step)) undo_.push_back(*std::move(undo));
  if (!step.is<LinkCreate>()) return finish(index, true);
  site.at(site.now() + site.between(.0001, .002), [self = shared_from_this(), index] {
    if (!self->alive_) return;
    self->node_.host().raise(std::get<LinkCreate>(self->plan_.steps[index].operation).link);
    self->finish(index, true);
  });
}

void VerbRun::finish(std::size_t index, bool well) {
  if (!running_[index]) return;
  running_[index] = false;
  --active_;
  const auto& step = plan_.steps[index];
  if (!well && !step.tolerate) {
    if (!failed_) failed_step_ = describe(step);
    failed_ = true;
    node_.site().say(node_.index(), "failed: " + describe(step));
    for (auto* waits : {&asking_, &adding_, &requesting_})
      if (const auto other = std::exchange(*waits, std::nullopt)) finish(*other, false);
  } else if (!failed_) {
    for (std::size_t i = 0; i < plan_.steps.size(); ++i) {
      const auto& after = plan_.steps[i].after;
      const auto mine = static_cast<std::size_t>(std::count(after.begin(), after.end(), index));
      if (mine > 0 && (waiting_[i] -= mine) == 0) begin_step(i);
    }
  }
  if (active_ == 0 && failed_) return fail();
  if (active_ == 0) all_ended();
}

void VerbRun::all_ended() {
  if (std::exchange(plan_, Plan{}).partial) return observe_and_plan();
  brings_up(verb_) ? verify() : succeed();
}

// --- the claim

void VerbRun::ask(std::size_t index) {
  asking_ = index;
  auto how = node_.site().settings().machine;
  how.announcements = 0;
  how.asks_again = false;
  how.retry = false;
  ClaimantHooks hooks;
  hooks.put_on = [this] {
    if (adding_) node_.host().apply(plan_.steps[*adding_]);
  };
  hooks.take_off = [this] { node_.host().take_address(); };
  hooks.keep = [this](const claim::Kept& kept) { node_.kept() = kept; };
  hooks.changed = [this] { claim_changed(); };
  claimant_ = node_.make_claimant(how, std::move(hooks));
  claimant_->machine().start(node_.site().now(), true);
  claimant_->carry_out();
}

void VerbRun::claim_changed() {
  const auto state = claimant_->state();
  if (asking_ && state != claim::State::asking) {
    const auto step = *std::exchange(asking_, std::nullopt);
    free_ = state != claim::State::lost;
    return finish(step, free_);
  }
  if (adding_ && (state == claim::State::owned || !claim::is_claiming(state)))
    return finish(*std::exchange(adding_, std::nullopt), state == claim::State::owned);
  if (!free_ || state != claim::State::lost || failed_) return;
  failed_ = true;  // what runs ends by itself
  failed_step_ = "lost";
  if (requesting_) finish(*std::exchange(requesting_, std::nullopt), false);
  if (!plan_.steps.empty() && active_ == 0) fail();
}

void VerbRun::add(std::size_t index) {
  const auto& step = plan_.steps[index];
  if (claimant_ && free_) {
    if (auto undo = node_.host().undo_of(step)) undo_.push_back(*std::move(undo));
    adding_ = index;
    claimant_->machine().ready(node_.site().now());
    return claimant_->carry_out();
  }
  const auto word = taker_ ? taker_->state() : claim::HandoverTaker::State::refused;
  if (word != claim::HandoverTaker::State::given && word != claim::HandoverTaker::State::forced)
    node_.site().unclaimed(node_.index(), "put on without a claim");
  if (word == claim::HandoverTaker::State::forced) node_.site().unclaimed(node_.index(), "taken in silence");
  const bool well = node_.host().apply(step);
  if (auto undo = node_.host().undo_of(step)) undo_.push_back(*std::move(undo));
  finish(index, well);
}

// --- the hand-over

void VerbRun::request(std::size_t index) {
  auto& site = node_.site();
  requesting_ = index;
  taker_.emplace(site.now(), site.random()() | 1U, !site.settings().word_needed, std::nullopt);
  taker_on(site.now());
}

void VerbRun::taker_on(Time when) {
  if (!alive_ || !requesting_) return;
  taker_->tick(when);
  const Frame frame{.kind = Frame::Kind::handover_request, .from = node_.index(), .number = taker_->number()};
  if (taker_->take_request()) node_.site().lan().broadcast(frame);
  if (taker_->is_over()) {
    const bool given =
        taker_->state() == claim::HandoverTaker::State::given || taker_->state() == claim::HandoverTaker::State::forced;
    return finish(*std::exchange(requesting_, std::nullopt), given);
  }
  if (taker_->state() == claim::HandoverTaker::State::waiting && !round_until_) round(false);
  node_.site().at(taker_->next(), [self = shared_from_this(), next = taker_->next()] {
    if (self->taker_ && self->taker_->next() == next) self->taker_on(next);
  });
}

// Whether somebody has the addresses, each second.
void VerbRun::round(bool answered) {
  auto& site = node_.site();
  if (!alive_ || !requesting_) return;
  if (round_until_) {
    taker_->look(site.now(), answered);
    taker_on(site.now());
    if (!requesting_) return;
  }
  const Time begin = site.now() + (round_until_ ? Time(1'000'000) : Time(0));
  round_until_ = begin + kRound;
  round_heard_ = false;
  for (int i = 0; i < 3; ++i)
    site.at(begin + i * kBetweenProbes, [self = shared_from_this()] {
      if (self->alive_) self->node_.site().lan().broadcast({.kind = Frame::Kind::probe, .from = self->node_.index()});
    });
  site.at(*round_until_, [self = shared_from_this()] { self->round(self->round_heard_); });
}

void VerbRun::hear(const Frame& frame) {
  if (claimant_) claimant_->hear(frame);
  if (frame.kind == Frame::Kind::use) round_heard_ = true;
  if (!requesting_ || frame.kind != Frame::Kind::handover_withdrawn) return;
  taker_->hear_withdrawn(frame.number);
  taker_on(node_.site().now());
}

// --- the end

void VerbRun::verify() { later(node_.site().now() + node_.site().between(.003, .03), &VerbRun::verify_now); }

void VerbRun::verify_now() {
  auto seen = node_.host().observe();
  std::erase_if(seen.leftovers, [](const ObservedContainer& c) { return c.name.ends_with(".retired"); });
  const auto status = evaluate(service_, seen);
  for (const auto& r : status.resources) {
    if (r.state == Availability::up || r.state == Availability::disabled) continue;
    if ((withheld_ && r.kind.starts_with("ip")) || (verb_ == Verb::prepare && r.kind != "container")) continue;
    failed_step_ = {};
    node_.site().say(node_.index(), "not up after its start: " + r.id);
    return fail();
  }
  if (failed_) return fail();
  succeed();
}

void VerbRun::succeed() {
  if (claimant_) node_.kept() = claimant_->machine().kept();
  claimant_.reset();
  for (const auto& step : tidying_) node_.host().apply(step);
  end(true);
}

void VerbRun::fail() {
  if (brings_up(verb_) && changed_ && service_.rollback) return undo_next();
  end(false);
}

void VerbRun::undo_next() {
  if (undo_.empty()) {
    if (claimant_) claimant_->withdraw();
    return end(false);
  }
  node_.host().apply(undo_.back());
  const bool engine = is_engines(undo_.back());
  undo_.pop_back();
  later(node_.site().now() + (engine ? node_.site().between(.01, .1) : Time(500)), &VerbRun::undo_next);
}

void VerbRun::end(bool well) {
  alive_ = false;
  node_.site().say(node_.index(), std::string(to_string(verb_)) + (well ? ": done" : ": failed: " + failed_step_));
  node_.ended(well, changed_, failed_step_);
}

}  // namespace plumb::sim
