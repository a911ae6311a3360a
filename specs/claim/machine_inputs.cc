// What a claim makes of each thing that it hears of, and of the time.
#include <algorithm>

#include "specs/claim/machine.h"
#include "specs/claim/timing.h"

namespace plumb::claim {

void Machine::answer(Time now) {
  if (!settings_.rules.hellos || (answered_at_ > Time::min() && now - answered_at_ < kAnswerEvery)) return;
  answered_at_ = now;
  emit(Effect::Kind::hello);
  // The other may have come with a LAN that was cut off so far, and the gateway with it.
  if (state_ == State::owned && !asked_well_ && settings_.gateway && settings_.asks_again)
    emit(Effect::Kind::ask_gateway);
}

bool Machine::yields_to(const Saying& other) const {
  const auto own = mine();
  if (!settings_.rules.rank) return other.state >= own.state;
  return settings_.rules.order ? other.outranks(own) : other.rank > own.rank;
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
  contest(now, "contested");
}

void Machine::heard_probe(Time now, std::uint64_t from) {
  if (!is_claiming(state_)) return;
  if (state_ == State::reserved) emit(Effect::Kind::probe);
  if (state_ == State::asking || state_ == State::reserved) rivals_.probe(now, from);
  answer(now);
}

void Machine::hear(Time now, const Heard& heard) {
  if (any_heard_ == Time::min()) listening_since_ = std::max(listening_since_, now);
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
      // What it has said of itself is still in the caches of those who heard it last.
      if (rivals_.go(now, heard.saying.rank.id, heard.from) && state_ == State::owned) announce_anew(now);
      if (waits_ && timers_.contains(Timer::probe) && !rivals_.last(now - kOld)) set(Timer::probe, now);
      if (state_ == State::lost && lost_to_ && lost_to_->id == heard.saying.rank.id && settings_.retry) {
        lost_at_ = now - kQuietAfterLoss;
        set(Timer::retry, now + kAnswerEvery);
      }
      break;
    case Heard::Kind::use: heard_use(now, heard.from); break;
    case Heard::Kind::probe: heard_probe(now, heard.from); break;
    case Heard::Kind::own: rivals_.forget(heard.from); break;
    case Heard::Kind::gateway:
    case Heard::Kind::other: break;
  }
  if (!is_claiming(state_) || !carrier_) return;
  // It was asked where nobody could hear it, and now somebody is there.
  if (state_ == State::owned && !asked_well_ && settings_.rules.witness && settings_.asks_again &&
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
  if (state_ == State::owned) announce_anew(now);
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
      if (settings_.hello.count() > 0) set(Timer::hello, now + jittered(settings_.hello));
      return;
    case Timer::self_probe:
      if (!settings_.rules.self_probe) return;
      emit(Effect::Kind::probe);
      return set(Timer::self_probe, now + jittered(settings_.self_probe));
    case Timer::announce: return announce(now);
    case Timer::confirm: return confirm(now);
    case Timer::retry: return retry(now);
    case Timer::mute: return settle_mute(now);
    case Timer::gone:
      emit(Effect::Kind::gone);
      if (--gones_left_ > 0) set(Timer::gone, now + kBetweenGone);
      return;
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
