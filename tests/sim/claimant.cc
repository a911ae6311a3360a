#include "tests/sim/claimant.h"

#include <algorithm>

namespace plumb::sim {

using claim::Effect;
using claim::Heard;

void Claimant::hear(const Frame& frame) {
  Heard heard;
  heard.from = frame.from;
  heard.saying = frame.saying;
  heard.relayed = frame.relayed;
  if (frame.kind == Frame::Kind::gateway_answer) heard.kind = Heard::Kind::gateway;
  if (frame.kind == Frame::Kind::probe) heard.kind = Heard::Kind::probe;
  if (frame.kind == Frame::Kind::use) heard.kind = Heard::Kind::use;
  if (frame.kind == Frame::Kind::hello) heard.kind = Heard::Kind::hello;
  if (frame.kind == Frame::Kind::gone) heard.kind = Heard::Kind::gone;
  machine_.hear(time_.now(), heard);
  carry_out();
}

void Claimant::carry_out(const Effect& effect) {
  const Frame request{.kind = Frame::Kind::gateway_request, .from = node_};
  switch (effect.kind) {
    case Effect::Kind::probe:
      lan_.broadcast({.kind = Frame::Kind::probe, .from = node_});
      return lan_.unicast(request, lan_.gateway());
    case Effect::Kind::ask_gateway: return lan_.unicast(request, lan_.gateway());
    case Effect::Kind::announce:
    case Effect::Kind::defend: hooks_.claiming(); return lan_.broadcast({.kind = Frame::Kind::use, .from = node_});
    case Effect::Kind::hello:
      if (effect.saying.state == claim::State::owned) hooks_.claiming();
      return lan_.broadcast(
          {.kind = Frame::Kind::hello, .from = node_, .saying = effect.saying, .relayed = machine_.relay(time_.now())});
    case Effect::Kind::gone: return lan_.broadcast({.kind = Frame::Kind::gone, .from = node_, .saying = effect.saying});
    case Effect::Kind::put_on: return hooks_.put_on ? hooks_.put_on() : void();
    case Effect::Kind::take_off: return hooks_.take_off ? hooks_.take_off() : void();
    case Effect::Kind::keep: return hooks_.keep ? hooks_.keep(machine_.kept()) : void();
    case Effect::Kind::report: return;
  }
}

void Claimant::withdraw() {
  hooks_.put_on = hooks_.take_off = hooks_.changed = {};
  machine_.withdraw();
  carry_out();
}

void Claimant::carry_out() {
  const auto alive = shared_from_this();
  for (const auto& effect : machine_.take()) carry_out(effect);
  if (hooks_.changed) hooks_.changed();
  const auto next = machine_.next();
  if (!next) return;
  const Time when = std::max(*next, time_.now());
  if (tick_at_ > time_.now() && tick_at_ <= when) return;
  tick_at_ = when;
  time_.at(when, [weak = weak_from_this(), when] {
    const auto its = weak.lock();
    if (!its) return;
    if (its->tick_at_ == when) its->tick_at_ = Time(-1);
    its->machine_.tick(when);
    its->carry_out();
  });
}

}  // namespace plumb::sim
