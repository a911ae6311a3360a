#include "tests/sim/site_node.h"

#include <algorithm>

#include "tests/sim/verb_run.h"

namespace plumb::sim {

SiteNode::SiteNode(Site& site, std::size_t index, Service service)
    : site_(site), index_(index), host_(std::move(service)) {}

SiteNode::~SiteNode() = default;

std::shared_ptr<Claimant> SiteNode::make_claimant(const claim::Settings& settings, ClaimantHooks hooks) {
  hooks.claiming = [this] { site_.claims(index_); };
  return std::make_shared<Claimant>(site_.time(), site_.lan(), site_.random(), index_, settings, std::move(hooks));
}

// --- verbs

void SiteNode::run(Verb verb) {
  if (!powered_) return;
  asked_.push_back({verb});
  if (!run_) begin_next();
}

void SiteNode::begin_next() {
  run_.reset();
  if (!powered_) return;
  if (asked_.empty()) return look();
  const auto next = asked_.front();
  asked_.erase(asked_.begin());
  // Another verb has come first: its file is gone.
  if (next.yields_to != 0 && !yields_) return begin_next();
  yields_ = false;
  if (!brings_up(next.verb)) forget();
  run_heals_ = false;
  run_yields_to_ = next.yields_to;
  site_.say(index_, "plumb " + std::string(to_string(next.verb)));
  run_ = std::make_shared<VerbRun>(*this, host_.service(), next.verb, false, false);
  verb_ = next.verb;
  run_->begin();
}

void SiteNode::ended(bool well, bool changed, const std::string& failed_step) {
  after_a_kill_ = false;
  const bool heals = run_heals_;
  if (heals) {
    watch::heal_ended(memory_, well, failed_step, watch_time());
  } else {
    last_failed_ = !well;
    if (well && (verb_ == Verb::start || verb_ == Verb::activate)) started_ = true;
  }
  const auto number = std::exchange(run_yields_to_, 0);
  if (well && number != 0 && claim::HandoverGiver::may_speak(changed, !host_.has_address())) give(number);
  site_.at(site_.now(), [this, heals, generation = generation_] {
    if (heals && generation == generation_) {
      busy_ = false;
      dirty_ = true;
    }
    begin_next();
    wake_watcher(site_.between(.0002, .005));
  });
}

void SiteNode::kill_verb() {
  if (!run_ || run_heals_) return;
  site_.say(index_, "verb killed");
  run_->die();
  run_yields_to_ = 0;
  after_a_kill_ = true;
  begin_next();
}

void SiteNode::spoil(unsigned step, std::optional<Time> hang) { spoiled_ = Spoiled{step, hang}; }

// --- the hand-over

void SiteNode::yield_when_asked() {
  if (powered_) yields_ = true;
}

void SiteNode::give(std::uint64_t number) {
  giver_.emplace(site_.now(), number);
  give_on();
}

void SiteNode::give_on() {
  if (!giver_ || !powered_) return;
  giver_->tick(site_.now());
  if (const auto word = giver_->take_word())
    site_.lan().broadcast({.kind = Frame::Kind::handover_withdrawn, .from = index_, .number = *word});
  if (giver_->is_over(site_.now())) return giver_.reset();
  site_.at(giver_->next(), [this, next = giver_->next()] {
    if (giver_ && giver_->next() == next) give_on();
  });
}

// --- the LAN

void SiteNode::hear(const Frame& frame) {
  if (!powered_) return;
  if (frame.kind == Frame::Kind::probe && host_.has_address())
    site_.lan().unicast({.kind = Frame::Kind::use, .from = index_}, frame.from);
  if (const auto held = held_) held->hear(frame);
  if (const auto run = run_) run->hear(frame);
  if (frame.kind != Frame::Kind::handover_request) return;
  if (giver_) {
    giver_->hear_request(site_.now(), frame.number);
    return give_on();
  }
  if (!yields_ || std::any_of(asked_.begin(), asked_.end(), [](const Asked& a) { return a.yields_to != 0; })) return;
  if (run_) return;  // the lock is taken: that verb ends the yielding
  if (!site_.settings().gives_last) give(frame.number);
  asked_.push_back({Verb::withdraw, frame.number});
  begin_next();
}

bool SiteNode::is_contradicted() const {
  if (!powered_ || !host_.has_it_in_place()) return false;
  if (held_ && !run_ && held_->state() != claim::State::owned) return true;
  return run_ && run_->claimant() != nullptr && run_->claimant()->state() == claim::State::lost;
}

// --- the watcher

watch::Time SiteNode::watch_time() const { return watch::Time{} + std::chrono::hours(1) + site_.now(); }

void SiteNode::wake_watcher(Time later) {
  site_.at(site_.now() + later, [this, generation = generation_] {
    if (generation != generation_) return;
    dirty_ = true;
    look();
  });
}

void SiteNode::look() {
  if (!watches_ || !powered_ || busy_ || !dirty_ || !started_) return;
  dirty_ = false;
  busy_ = true;
  site_.at(site_.now() + site_.between(.005, .04), [this, generation = generation_] {
    if (generation == generation_) look_now();
  });
}

void SiteNode::look_now() {
  busy_ = false;
  if (!started_ || !powered_) return;
  auto seen = host_.observe();
  const bool withheld = off_;
  if (withheld) seen.withheld.insert(host_.address());
  if (!site_.settings().watcher_waits) memory_.not_before = {};
  const auto decision = watch::decide(host_.service(), seen, memory_, watch_time());
  if (decision.due)
    wake_watcher(std::chrono::ceil<Time>(std::max(watch::Time::duration(0), *decision.due - watch_time())));
  if (decision.heal && run_) {
    dirty_ = true;  // looked at again when that verb has ended
    return;
  }
  if (decision.heal) return heal(decision, withheld);
  if (!decision.away) listen();
  look();
}

void SiteNode::heal(const watch::Decision& decision, bool withheld) {
  busy_ = true;
  ++site_.count().heals;
  site_.say(index_, "heals: " + (decision.reasons.empty() ? std::string("not whole") : decision.reasons.front()));
  watch::heal_begins(memory_, decision, watch_time());
  run_heals_ = true;
  verb_ = Verb::start;
  run_ = std::make_shared<VerbRun>(*this, decision.service, Verb::start, true, withheld);
  run_->begin();
}

void SiteNode::listen() {
  if (run_) return;
  if (held_ && held_->state() != claim::State::owned && host_.has_it_in_place()) {
    off_ = false;
    held_->machine().resume(site_.now(), carrier_seen_, true, held_->machine().kept());
    held_->carry_out();
  }
  if (!held_ && host_.has_it_in_place()) open_held();
}

void SiteNode::open_held() {
  ClaimantHooks hooks;
  hooks.put_on = [this] {
    off_ = false;
    host_.put_address();
    site_.say(index_, "put back");
  };
  hooks.take_off = [this] {
    off_ = true;
    host_.take_address();
    site_.say(index_, "taken off");
  };
  hooks.keep = [this](const claim::Kept& kept) { kept_ = kept; };
  auto how = site_.settings().machine;
  how.retry = true;
  held_ = make_claimant(how, std::move(hooks));
  if (kept_.rank.id == 0) kept_.rank = {0, site_.random()(), site_.random()()};
  held_->machine().resume(site_.now(), carrier_seen_, true, kept_);
  held_->carry_out();
}

// It was stopped here.
void SiteNode::forget() {
  started_ = false;
  site_.at(site_.now() + site_.between(.0002, .005), [this] {
    if (started_ || !held_) return;
    held_->withdraw();
    held_.reset();
    off_ = false;
  });
}

void SiteNode::kill_watcher() {
  if (!watches_ || !powered_) return;
  site_.say(index_, "watcher killed");
  watches_ = busy_ = off_ = false;
  ++generation_;
  held_.reset();
  memory_ = {};
  if (run_ && run_heals_) {
    run_->die();
    after_a_kill_ = true;
    begin_next();
  }
  site_.at(site_.now() + Time(1'000'000), [this] {
    watches_ = true;
    carrier_seen_ = site_.lan().carrier(index_);
    downs_seen_ = downs_;
    wake_watcher(Time(0));
  });
}

void SiteNode::set_carrier(bool up) {
  site_.lan().set_carrier(index_, up);
  host_.set_carrier(up);
  site_.say(index_, up ? "carrier" : "no carrier");
  if (!up) ++downs_;
  site_.at(site_.now() + (up ? site_.between(.0005, .01) : Time(5000)), [this, up, generation = generation_] {
    if (generation != generation_ || !powered_ || site_.lan().carrier(index_) != up) return;
    if (held_ && carrier_seen_ != up) held_->machine().carrier(site_.now(), up);
    if (held_ && carrier_seen_ == up && up && downs_ != downs_seen_) held_->machine().flapped(site_.now());
    carrier_seen_ = up;
    downs_seen_ = downs_;
    if (held_) held_->carry_out();
    wake_watcher(Time(0));
  });
}

// --- what happens to its service

void SiteNode::end_container(const std::string& resource) {
  host_.end_container(resource);
  site_.say(index_, resource + " ends");
  if (held_ && !host_.has_place()) {
    held_.reset();
    off_ = false;
  }
  wake_watcher(site_.between(.001, .05));
}

void SiteNode::end_engine(Time until) {
  host_.end_engine();
  site_.say(index_, "engine gone");
  if (held_ && !host_.has_place()) {
    held_.reset();
    off_ = false;
  }
  watch::engine_lost(memory_, watch_time());
  wake_watcher(site_.between(.001, .05));
  site_.at(until, [this] {
    host_.begin_engine();
    wake_watcher(site_.between(.001, .05));
  });
}

void SiteNode::remove_address() {
  host_.take_address();
  site_.say(index_, "a stranger removes the address");
  wake_watcher(site_.between(.0005, .01));
}

void SiteNode::power_off() {
  site_.say(index_, "power off");
  powered_ = watches_ = started_ = false;
  ++generation_;
  if (run_) run_->die();
  run_.reset();
  asked_.clear();
  held_.reset();
  giver_.reset();
  host_.power_off();
}

}  // namespace plumb::sim
