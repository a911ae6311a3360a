#include "specs/claim/machine.h"

#include <algorithm>
#include <array>

namespace plumb::claim {

namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using std::chrono::seconds;

// When the probes of a question go out, after its begin: those of a first question, and of one after a loss.
constexpr std::array<milliseconds, 3> kQuick{{0ms, 40ms, 80ms}};
constexpr std::array<milliseconds, 8> kPatient{{0ms, 40ms, 80ms, 200ms, 350ms, 500ms, 700ms, 900ms}};
constexpr milliseconds kAnswerTime{40};     // after the last probe
constexpr seconds kWitnessLimit{1};         // so long a question waits for the gateway, after its last probe
constexpr milliseconds kReservedProbe{50};  // between two while something is awaited
constexpr seconds kConfirm{3};              // owned so long without a rival: confirmed
constexpr milliseconds kAnswerEvery{20};    // hellos in answer to a rival's frames
constexpr seconds kDefendEvery{10};         // RFC 5227 section 2.4
constexpr seconds kQuietAfterLoss{4};       // then it is asked again
constexpr milliseconds kNoticedGap{300};    // a pause that is shorter is none
constexpr milliseconds kListen{200};        // between two requests to the gateway when nothing is heard
constexpr std::array<milliseconds, 4> kAnnounce{{0ms, 500ms, 1000ms, 2000ms}};

}  // namespace

void Machine::emit(Effect::Kind kind, std::string_view why) { effects_.push_back({kind, mine(), why}); }

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

// A claim of its own, that nothing is known of yet.
void Machine::begin(Time now) {
  listening_since_ = now;
  lost_to_.reset();
  rank_ = {0, chance_(), chance_()};
  ask(now, State::asking);
  listen(now);
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
  rank_ = kept.rank;
  highest_epoch_ = kept.highest_epoch;
  owned_since_ = now;
  state_ = State::owned;
  if (!on_link || !carrier) {
    doubt(now, "restart");
  } else {
    // The kernel has answered all the time: the claim goes on, and asks while it does.
    asked_well_ = true;
    attend(now, now);
  }
  listen(now);
}

// A question, for a first time or again. It ends in judge().
void Machine::ask(Time now, State as) {
  state_ = as;
  ask_begun_ = now;
  asked_well_ = false;
  for (const auto timer : {Timer::reserved_probe, Timer::self_probe, Timer::announce, Timer::confirm, Timer::mute,
                           Timer::probe, Timer::judge, Timer::hello})
    stop(timer);
  rivals_.forget_kernels();
  if (!carrier_) return;  // asked when it is back
  probes_left_ = static_cast<unsigned>(patient_ ? kPatient.size() : kQuick.size());
  probe_number_ = 0;
  set(Timer::probe, now);
}

void Machine::send_probe(Time now) {
  emit(Effect::Kind::probe);
  if (settings_.rules.hellos) emit(Effect::Kind::hello);
  last_probe_ = now;
  ++probe_number_;
  if (--probes_left_ > 0)
    return set(Timer::probe, ask_begun_ + (patient_ ? kPatient.at(probe_number_) : kQuick.at(probe_number_)));
  set(Timer::judge, now + kAnswerTime);
}

// The probes of this question are out, and nobody has spoken against it so far.
void Machine::judge(Time now) {
  if (!carrier_) return;
  if (settings_.rules.witness && gateway_heard_ < last_probe_ && now - last_probe_ < kWitnessLimit) {
    emit(Effect::Kind::ask_gateway);
    return set(Timer::judge, now + kAnswerTime);
  }
  // Who asks and says no hello is no plumb, and asks as RFC 5227 has it (section 2.1.1): a conflict.
  if (const auto mute = rivals_.mute_prober(now); mute != Rivals::Mute::nobody)
    return mute == Rivals::Mute::somebody ? lose(now, "probe") : set(Timer::judge, now + kHelloTime);
  // Who has it now may have given way to what this claim said before it was doubtful, so its GONE was waited for.
  if (rivals_.is_used()) return lose(now, "use");
  for (const auto& saying : rivals_.claims(now))
    if (yields_to(saying)) return lose(now, "rival", &saying.rank);
  if (const auto last = rivals_.last(now - kOld)) {
    // It has been outranked, or has died, or its word was lost: only time tells.
    probes_left_ = 1;
    return set(Timer::probe, *last + kOld + kAnswerTime);
  }
  asked_well_ = gateway_heard_ >= last_probe_;
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
  if (!settings_.rules.provisional && rank_.epoch == 0) rank_.epoch = highest_epoch_ + 1;
  if (!on_link_) emit(Effect::Kind::put_on);
  on_link_ = true;
  emit(Effect::Kind::keep);
  emit(Effect::Kind::report, "owned");
  attend(now, now + jittered(seconds{1}));
}

// What an owner does as long as it is one.
void Machine::attend(Time now, Time first_self_probe) {
  announcements_ = 0;
  announce(now);
  set(Timer::hello, now);
  set(Timer::self_probe, first_self_probe);
  set(Timer::confirm, now + kConfirm);
}

void Machine::announce(Time now) {
  emit(Effect::Kind::announce);
  ++announcements_;
  const Time next = announcements_ < kAnnounce.size()
                        ? Time(kAnnounce.at(announcements_) - kAnnounce.at(announcements_ - 1))
                        : jittered(settings_.announce);
  set(Timer::announce, now + next);
}

// Owned long enough without a rival, on a LAN that could be heard: from now on it outranks who claims blindly.
void Machine::confirm(Time now) {
  if (state_ != State::owned || rank_.epoch > 0) return stop(Timer::confirm);
  const bool witnessed = any_heard_ >= now - kConfirm && (asked_well_ || !gateway_is_known());
  if (!witnessed || listening_since_ > now - kConfirm || rivals_.last(now - kConfirm) || rivals_.is_used())
    return set(Timer::confirm, now + milliseconds{250});
  rank_.epoch = std::max(highest_epoch_ + 1, wall_());
  highest_epoch_ = rank_.epoch;
  stop(Timer::confirm);
  emit(Effect::Kind::keep);
  emit(Effect::Kind::hello);
}

// Where something was heard before, silence is doubt: a cut that only takes what comes in shows in nothing else.
void Machine::listen(Time now) {
  if (!settings_.deaf || !settings_.rules.doubt) return;
  if (is_claiming(state_) && carrier_ && any_heard_ > Time::min()) {
    const Time silence = now - any_heard_;
    if (silence > seconds{1}) emit(Effect::Kind::ask_gateway);
    // Once: where the gateway does not answer again, silence is how that LAN is.
    if (state_ == State::owned && asked_well_ && silence > *settings_.deaf) {
      doubt(now, "deaf");
      stop(Timer::probe);  // asked at the first frame that is heard
    }
  }
  set(Timer::listen, now + kListen);
}

void Machine::doubt(Time now, std::string_view why) {
  if (state_ == State::reserved) return ask(now, State::asking);
  if (state_ != State::owned) return;
  off();
  ask(now, State::doubtful);
  emit(Effect::Kind::report, why);
}

void Machine::lose(Time now, std::string_view why, const Rank* to) {
  off();
  state_ = State::lost;
  if (settings_.rules.hellos) emit(Effect::Kind::gone);
  emit(Effect::Kind::report, why);
  timers_.clear();
  lost_at_ = now;
  lost_to_ = to == nullptr ? std::nullopt : std::optional(*to);
  if (settings_.retry) set(Timer::retry, now + kQuietAfterLoss);
}

// After silence, with a longer question: who was there may only have been slow.
void Machine::retry(Time now) {
  const auto last = std::max(lost_at_, rivals_.last(lost_at_).value_or(lost_at_));
  if (now - last < kQuietAfterLoss) return set(Timer::retry, last + kQuietAfterLoss + Time(chance_() % 100'000));
  patient_ = true;
  begin(now);
}

void Machine::answer(Time now) {
  if (!settings_.rules.hellos || (answered_at_ > Time::min() && now - answered_at_ < kAnswerEvery)) return;
  answered_at_ = now;
  emit(Effect::Kind::hello);
}

bool Machine::yields_to(const Saying& other) const {
  const auto own = mine();
  if (!settings_.rules.rank) return other.state >= own.state;
  return other.outranks(own);
}

void Machine::heard_claim(Time now, const Saying& saying, std::uint64_t from, bool first_hand) {
  if (saying.rank.id == rank_.id) return;
  highest_epoch_ = std::max(highest_epoch_, saying.rank.epoch);
  if (!rivals_.say(now, saying, from, first_hand)) return;
  if (!is_claiming(state_)) return;
  // In doubt nothing is lost by waiting for the end of the question: the other may just have become doubtful, too.
  if (state_ != State::doubtful && yields_to(saying))
    return lose(now, first_hand ? "rival" : "rival, by hearsay", &saying.rank);
  answer(now);
}

// A kernel has the address. If it is a plumb's, its hello decides; else, or if that plumb is dead, time does.
void Machine::heard_use(Time now, std::uint64_t from) {
  if (state_ == State::asking || state_ == State::reserved) return lose(now, "use");
  if (state_ != State::owned && state_ != State::doubtful) return;
  answer(now);
  rivals_.use(now, from);
  if (state_ == State::owned && !timers_.contains(Timer::mute)) set(Timer::mute, now + kMute);
}

void Machine::settle_mute(Time now) {
  stop(Timer::mute);
  if (state_ != State::owned) return;
  const auto mute = rivals_.mute_user(now);
  if (rivals_.is_used()) set(Timer::mute, now + kMute);
  if (mute != Rivals::Mute::somebody) return;
  // Who has never been confirmed had a rival all the time, or nobody to hear one.
  if (settings_.rules.young_yields && (rank_.epoch == 0 || now - owned_since_ < kConfirm + kMute))
    return lose(now, "rival without hellos");
  emit(Effect::Kind::report, "contested");
  if (defended_at_ > Time::min() && now - defended_at_ < kDefendEvery) return;
  defended_at_ = now;
  emit(Effect::Kind::defend);
}

void Machine::heard_probe(Time now, std::uint64_t from) {
  if (!is_claiming(state_)) return;
  if (state_ == State::reserved) emit(Effect::Kind::probe);
  if (state_ == State::asking || state_ == State::reserved) rivals_.probe(now, from);
  answer(now);
}

void Machine::hear(Time now, const Heard& heard) {
  const bool was_deaf = any_heard_ == Time::min() || (settings_.deaf && now - any_heard_ > *settings_.deaf);
  if (was_deaf) listening_since_ = std::max(listening_since_, now);
  const bool unheard = any_heard_ < ask_begun_;
  any_heard_ = now;
  if (heard.kind == Heard::Kind::gateway) gateway_heard_ = now;
  switch (heard.kind) {
    case Heard::Kind::hello:
      if (!settings_.rules.hellos) break;
      heard_claim(now, heard.saying, heard.from, true);
      for (const auto& saying : heard.relayed) heard_claim(now, saying, heard.from, false);
      break;
    case Heard::Kind::gone:
      rivals_.go(now, heard.saying.rank.id, heard.from);
      if (state_ == State::lost && lost_to_ && lost_to_->id == heard.saying.rank.id && settings_.retry) {
        lost_at_ = now - kQuietAfterLoss;
        set(Timer::retry, now + kAnswerEvery);
      }
      break;
    case Heard::Kind::use: heard_use(now, heard.from); break;
    case Heard::Kind::probe: heard_probe(now, heard.from); break;
    case Heard::Kind::gateway:
    case Heard::Kind::other: break;
  }
  if (!is_claiming(state_) || !carrier_) return;
  // It was asked where nobody could hear it, and now somebody is there.
  if (state_ == State::owned && !asked_well_ && settings_.rules.witness &&
      (unheard || heard.kind == Heard::Kind::gateway))
    return doubt(now, "first answer");
  if (state_ == State::doubtful && !timers_.contains(Timer::probe) && !timers_.contains(Timer::judge))
    ask(now, State::doubtful);
}

void Machine::carrier(Time now, bool up) {
  if (carrier_ == up) return;
  carrier_ = up;
  if (!settings_.rules.doubt) return;
  if (!up) {
    if (state_ == State::owned) doubt(now, "carrier");
    return;
  }
  listening_since_ = now;
  gateway_heard_ = any_heard_ = Time::min();
  if (state_ == State::owned) return doubt(now, "carrier");
  if (state_ == State::reserved) return ask(now, State::asking);
  if (state_ == State::asking || state_ == State::doubtful) ask(now, state_);
}

void Machine::flapped(Time now) {
  if (!settings_.rules.doubt) return;
  listening_since_ = now;
  doubt(now, "carrier");
}

void Machine::forwards(Time now) {
  if (!is_claiming(state_)) return;
  listening_since_ = now;
  if (state_ == State::owned && !asked_well_ && settings_.rules.witness) return doubt(now, "forwarding");
  if (state_ != State::owned) return;
  announcements_ = 0;
  announce(now);
}

void Machine::stood_still(Time now, Time gap) {
  if (gap < kNoticedGap || !settings_.rules.doubt) return;
  listening_since_ = now;
  if (state_ == State::asking || state_ == State::doubtful) return ask(now, state_);
  doubt(now, "stood still");
}

void Machine::due(Time now, Timer timer) {
  switch (timer) {
    case Timer::probe: return send_probe(now);
    case Timer::judge: return judge(now);
    case Timer::reserved_probe: emit(Effect::Kind::probe); return set(Timer::reserved_probe, now + kReservedProbe);
    case Timer::hello:
      if (!settings_.rules.hellos) return;
      emit(Effect::Kind::hello);
      return set(Timer::hello, now + jittered(settings_.hello));
    case Timer::self_probe:
      if (!settings_.rules.self_probe) return;
      emit(Effect::Kind::probe);
      return set(Timer::self_probe, now + jittered(seconds{1}));
    case Timer::announce: return announce(now);
    case Timer::confirm: return confirm(now);
    case Timer::retry: return retry(now);
    case Timer::mute: return settle_mute(now);
    case Timer::listen: return listen(now);
  }
}

void Machine::tick(Time now) {
  for (;;) {
    const auto soonest = first();
    if (soonest == timers_.end() || soonest->second > now) return;
    const auto timer = soonest->first;
    timers_.erase(soonest);
    due(now, timer);
  }
}

}  // namespace plumb::claim
