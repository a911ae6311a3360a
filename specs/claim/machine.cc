#include "specs/claim/machine.h"

#include <algorithm>

#include "specs/claim/timing.h"

namespace plumb::claim {

void Machine::emit(Effect::Kind kind, std::string_view why) { effects_.push_back({kind, mine(), why}); }

void Machine::report_rival(std::string_view why) { effects_.push_back({Effect::Kind::report, mine(), why, true}); }

std::map<Machine::Timer, Time>::const_iterator Machine::first() const {
  return std::min_element(timers_.begin(), timers_.end(),
                          [](const auto& a, const auto& b) { return a.second < b.second; });
}

std::optional<Time> Machine::next() const {
  if (timers_.empty()) return std::nullopt;
  return first()->second;
}

Time Machine::jittered(Time period) const {
  const auto tenth = static_cast<std::uint64_t>(period.count() / 10);
  return period - Time(tenth) + Time(tenth == 0 ? 0 : chance_() % (2 * tenth));
}

void Machine::start(Time now, bool carrier) {
  if (is_claiming(state_)) return;
  ready_ = false;
  carrier_ = carrier;
  begin(now);
}

// By the states of a question, which is over now.
void Machine::take_over(Time now) {
  start(now - kQuick.back() - kAnswerTime, true);
  for (auto due = next(); state_ == State::asking && due && *due <= now; due = next()) tick(*due);
  effects_.clear();  // what it would have said then
}

// A claim of its own, that nothing is known of yet.
void Machine::begin(Time now) {
  listening_since_ = now;
  lost_to_.reset();
  rank_ = {0, chance_(), chance_()};
  ask(now, State::asking);
}

void Machine::off() {
  if (on_link_) emit(Effect::Kind::take_off);
  on_link_ = false;
}

void Machine::ready(Time now) {
  if (ready_) return;
  ready_ = true;
  if (state_ == State::reserved) own(now);
}

void Machine::withdraw() {
  const bool claiming = is_claiming(state_);
  off();
  state_ = State::withdrawn;
  if (claiming && settings_.rules.hellos) emit(Effect::Kind::gone);
  timers_.clear();
}

void Machine::resume(Time now, bool carrier, bool on_link, const Kept& kept) {
  ready_ = true;
  carrier_ = carrier;
  on_link_ = on_link;
  listening_since_ = now;
  timers_.clear();
  rank_ = kept.rank;
  highest_epoch_ = kept.highest_epoch;
  // An epoch that was kept says that it had been owned for long enough: it is no newcomer to who says no hello.
  owned_since_ = kept.rank.epoch > 0 ? now - kConfirm - kMute : now;
  state_ = State::owned;
  if (!on_link || !carrier) {
    doubt(now, "restart");
  } else {
    // The kernel has answered all the time: the claim goes on, and asks while it does.
    asked_well_ = true;
    // Nobody is told before somebody else could have answered.
    attend(now, now, now + kAnswerTime);
  }
}

// A question, for a first time or again. It ends in judge().
void Machine::ask(Time now, State as) {
  state_ = as;
  ask_begun_ = now;
  asked_well_ = waits_ = false;
  for (const auto timer : {Timer::reserved_probe, Timer::self_probe, Timer::announce, Timer::confirm, Timer::mute,
                           Timer::probe, Timer::judge, Timer::hello, Timer::gone, Timer::retry})
    stop(timer);
  rivals_.forget_kernels();
  if (!carrier_) return;  // asked when it is back
  const bool rfc = settings_.rfc && as == State::asking;
  probes_left_ = rfc ? kRfcProbes : static_cast<unsigned>(patient_ ? kPatient.size() : kQuick.size());
  answer_time_ = rfc ? Time(kRfcAnswer) : Time(kAnswerTime);
  probe_number_ = 0;
  set(Timer::probe, rfc ? now + by_chance(kRfcFirst) : now);
}

Time Machine::by_chance(Time most) const { return Time(chance_() % static_cast<std::uint64_t>(most.count() + 1)); }

// When the next probe of this question is due.
Time Machine::next_probe(Time now) const {
  if (answer_time_ == kRfcAnswer) return now + kRfcBetween + by_chance(kRfcBetween);
  return ask_begun_ + (patient_ ? kPatient.at(probe_number_) : kQuick.at(probe_number_));
}

void Machine::send_probe(Time now) {
  waits_ = false;
  emit(Effect::Kind::probe);
  if (settings_.rules.hellos) emit(Effect::Kind::hello);
  last_probe_ = now;
  ++probe_number_;
  if (--probes_left_ > 0) return set(Timer::probe, next_probe(now));
  set(Timer::judge, now + answer_time_);
}

// The probes of this question are out, and nobody has spoken against it so far.
void Machine::judge(Time now) {
  if (!carrier_) return;
  const bool asks_gateway = settings_.rules.witness && settings_.gateway;
  if (asks_gateway && gateway_heard_ < last_probe_ && now - last_probe_ < answer_time_ + kWitnessLimit) {
    emit(Effect::Kind::ask_gateway);
    return set(Timer::judge, now + kAnswerTime);
  }
  // Who asks and says no hello is no plumb, and asks as RFC 5227 has it (section 2.1.1): a conflict.
  if (const auto mute = rivals_.mute_prober(now); mute != Rivals::Mute::nobody)
    return mute == Rivals::Mute::somebody ? lose(now, "probe") : set(Timer::judge, now + kHelloTime);
  // Who has it now may have given way to what this claim said before it was doubtful, so its GONE was waited for.
  if (rivals_.is_used()) return lose(now, "use");
  // One that has said nothing since the question began is dead or has withdrawn: it would have answered.
  for (const auto& saying : rivals_.claims(now, ask_begun_))
    if (yields_to(saying)) return lose(now, "rival", &saying.rank);
  if (const auto last = rivals_.last(now - kOld); last && settings_.rules.waits_old) {
    // It has been outranked, or has died, or its word was lost: only time tells.
    probes_left_ = 1;
    waits_ = true;
    return set(Timer::probe, *last + kOld + kAnswerTime);
  }
  asked_well_ = !settings_.gateway || gateway_heard_ >= last_probe_;
  // What has run already waits for the first frame, off the link: while nobody is heard it misses nobody.
  if (state_ == State::doubtful && settings_.rules.witness && any_heard_ < ask_begun_) return;
  free_at_last(now);
}

void Machine::free_at_last(Time now) {
  patient_ = false;
  if (state_ == State::doubtful || ready_) return own(now);
  state_ = State::reserved;
  emit(Effect::Kind::report, "reserved");
  set(Timer::reserved_probe, now + kReservedProbe);
  set(Timer::hello, now);
}

void Machine::own(Time now) {
  if (state_ != State::doubtful) owned_since_ = now;
  state_ = State::owned;
  stop(Timer::reserved_probe);
  if (!settings_.rules.provisional && rank_.epoch == 0) rank_.epoch = higher_epoch();
  if (!on_link_) emit(Effect::Kind::put_on);
  on_link_ = true;
  emit(Effect::Kind::keep);
  emit(Effect::Kind::report, "owned");
  attend(now, now + jittered(settings_.self_probe), now);
}

// What an owner does as long as it is one.
void Machine::attend(Time now, Time first_self_probe, Time first_announcement) {
  announcements_ = 0;
  first_announcement > now ? set(Timer::announce, first_announcement) : announce(now);
  set(Timer::hello, now);
  if (settings_.self_probe.count() > 0) set(Timer::self_probe, first_self_probe);
  set(Timer::confirm, now + kConfirm);
}

void Machine::announce(Time now) {
  if (settings_.announcements == 0) return;
  emit(Effect::Kind::announce);
  ++announcements_;
  const bool again = announcements_ < settings_.announcements;
  if (again || settings_.announce.count() > 0)
    set(Timer::announce, now + (again ? Time(settings_.between_announcements) : jittered(settings_.announce)));
}

void Machine::announce_anew(Time now) {
  announcements_ = 0;
  announce(now);
}

// Than all that were heard. One that cannot be topped is a lie, or a clock gone mad: then chance decides.
std::uint64_t Machine::higher_epoch() const { return highest_epoch_ + (highest_epoch_ == UINT64_MAX ? 0 : 1); }

// Owned long enough without a rival, on a LAN that could be heard: from now on it outranks who claims blindly.
void Machine::confirm(Time now) {
  if (state_ != State::owned || rank_.epoch > 0) return stop(Timer::confirm);
  const bool witnessed = any_heard_ >= now - kConfirm && (asked_well_ || !gateway_is_known());
  if (!witnessed || listening_since_ > now - kConfirm || rivals_.last(now - kConfirm) || rivals_.is_used())
    return set(Timer::confirm, now + milliseconds{250});
  rank_.epoch = std::max(higher_epoch(), wall_());
  highest_epoch_ = rank_.epoch;
  stop(Timer::confirm);
  emit(Effect::Kind::keep);
  emit(Effect::Kind::hello);
}

void Machine::doubt(Time now, std::string_view why) {
  if (state_ == State::reserved) return ask(now, State::asking);
  if (state_ != State::owned) return;
  off();
  ask(now, State::doubtful);
  emit(Effect::Kind::report, why);
}

void Machine::lose(Time now, std::string_view why, const Rank* to) {
  if (!settings_.yields) return stay(now, why);
  off();
  state_ = State::lost;
  if (settings_.rules.hellos) emit(Effect::Kind::gone);
  report_rival(why);
  timers_.clear();
  if (settings_.rules.hellos && settings_.rules.gone_again) {
    gones_left_ = kGoneAgain;
    set(Timer::gone, now + kBetweenGone);
  }
  lost_at_ = now;
  lost_to_ = to == nullptr ? std::nullopt : std::optional(*to);
  if (settings_.retry) set(Timer::retry, now + kQuietAfterLoss);
}

// Its configuration says that it keeps the address whoever else has it.
void Machine::stay(Time now, std::string_view why) {
  contest(now, why);
  if (state_ == State::asking || state_ == State::doubtful) {
    stop(Timer::probe);
    stop(Timer::judge);
    asked_well_ = true;
    free_at_last(now);
  }
}

// There is a rival, and both stay.
void Machine::contest(Time now, std::string_view why) {
  report_rival(why);
  if (!settings_.defends || state_ != State::owned) return;
  if (defended_at_ > Time::min() && now - defended_at_ < kDefendEvery) return;
  defended_at_ = now;
  emit(Effect::Kind::defend);
}

// After silence, with a longer question: who was there may only have been slow.
void Machine::retry(Time now) {
  const auto last = std::max(lost_at_, rivals_.last(lost_at_).value_or(lost_at_));
  if (now - last < kQuietAfterLoss) return set(Timer::retry, last + kQuietAfterLoss + Time(chance_() % 100'000));
  patient_ = settings_.rules.patience;
  begin(now);
}

}  // namespace plumb::claim
