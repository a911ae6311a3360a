// What the claims of a node hear on their LANs, and what they say.
#include <algorithm>
#include <cerrno>

#include "plugin/claim/claim_runner.h"

namespace plumb {

namespace {

using claim::Effect;
using claim::Heard;
using claim::Saying;
using claim::State;
using claim::Time;
using netns::HelloEntry;
using netns::LanFrame;

// A LAN that is never silent is not read for ever.
constexpr int kMostFrames = 10'000;
// A claim is told that others are there, not how much they say.
constexpr std::chrono::milliseconds kOthersEvery{20};
// So many of a LAN's owned addresses are asked for each time, in turn.
constexpr std::size_t kProbedEachTime = 16;
// Of an address that is expected, so many claims are remembered: one, or that of who takes it from that one.
constexpr std::size_t kMostExpected = 16;

std::uint64_t number_of(const Mac& mac) {
  std::uint64_t out = 0;
  for (const auto byte : mac.bytes()) out = out << 8U | byte;
  return out;
}

Saying saying_of(const HelloEntry& entry) {
  return {{entry.epoch, entry.nonce, entry.id},
          entry.state <= static_cast<std::uint8_t>(State::owned) ? static_cast<State>(entry.state) : State::withdrawn};
}

HelloEntry entry_of(HelloEntry::What what, const Saying& saying, const IpAddress& address, const Mac& mac,
                    std::uint64_t holder) {
  return {what,
          static_cast<std::uint8_t>(saying.state),
          address,
          mac,
          holder,
          saying.rank.epoch,
          saying.rank.nonce,
          saying.rank.id};
}

}  // namespace

void ClaimRunner::read_all(Time now) {
  for (auto& [key, lan] : lans_)
    for (int i = 0; i < kMostFrames; ++i) {
      const auto frame = lan.socket.read();
      if (!frame) break;
      dispatch(lan, *frame, now);
    }
}

// What one of this runner's own claims says tells the others nothing: a thousand that announce themselves on a bridge
// would each be told of all.
void ClaimRunner::dispatch(const Lan& lan, const LanFrame& frame, Time now) {
  const bool own = frame.what != LanFrame::What::hello && own_.contains(frame.mac);
  for (auto& [id, entry] : entries_)
    if (entry.lan == &lan && (!own || frame.address == entry.what.address)) hear(entry, frame, now);
}

void ClaimRunner::hear(Entry& entry, const LanFrame& frame, Time now) {
  entry.touched = true;
  if (frame.what == LanFrame::What::hello) return hear_hello(entry, frame, now);
  const bool about_it =
      frame.address == entry.what.address && (frame.what == LanFrame::What::use || frame.what == LanFrame::What::probe);
  if (about_it) {
    if (is_own(entry, frame.mac)) return;
    const bool uses = frame.what == LanFrame::What::use;
    // Who says hello too has a name, which stays, also when it asks: with the MAC of its hellos.
    if (!entry.rival || (entry.rival->mac != frame.mac && entry.rival_voice != frame.mac)) {
      entry.rival = ClaimRival{frame.mac, {}};
      entry.rival_voice.reset();
    }
    return entry.machine.hear(now, {uses ? Heard::Kind::use : Heard::Kind::probe, number_of(frame.mac), {}, {}});
  }
  if (own_.contains(frame.mac)) return;
  if (frame.what == LanFrame::What::use && frame.address == entry.what.gateway)
    return entry.machine.hear(now, {Heard::Kind::gateway, number_of(frame.mac), {}, {}});
  hear_others(entry, now);
}

// Of the same service: its other claims are of the same address only while one of them comes after the other.
bool ClaimRunner::is_own(const Entry& entry, const Mac& mac) const {
  if (mac == entry.lan->socket.mac() || entry.what.own.contains(mac)) return true;
  return std::any_of(entries_.begin(), entries_.end(), [&](const auto& other) {
    return other.second.mac == mac && other.second.what.holder == entry.what.holder;
  });
}

void ClaimRunner::hear_others(Entry& entry, Time now) {
  if (entry.others_heard > Time::min() && now - entry.others_heard < kOthersEvery) return;
  entry.others_heard = now;
  entry.machine.hear(now, {});
}

void ClaimRunner::hear_hello(Entry& entry, const LanFrame& frame, Time now) {
  std::vector<Saying> relayed;
  for (const auto& said : frame.hello.entries)
    if (said.what == HelloEntry::What::relayed && said.address == entry.what.address)
      relayed.push_back(saying_of(said));
  bool concerned = false;
  for (const auto& said : frame.hello.entries) {
    if (said.address != entry.what.address || said.what == HelloEntry::What::relayed) continue;
    concerned = true;
    if (said.holder == entry.what.holder) {
      for (const auto& mac : {said.mac, frame.mac}) entry.machine.hear(now, {Heard::Kind::own, number_of(mac), {}, {}});
      const bool claims = said.what == HelloEntry::What::claim && claim::is_claiming(saying_of(said).state);
      entry.succeeded = entry.succeeded || claims;
      continue;
    }
    if (entry.expected && entry.expected_from.size() < kMostExpected)
      entry.expected_from.insert_or_assign(said.holder, Expected{saying_of(said), {said.mac, frame.hello.node}});
    // Its watcher may not have heard yet of what a verb of its has given away.
    const bool late = entry.givers.contains(said.holder) && now - entry.given < claim::kOld;
    if (!late) {
      entry.rival = ClaimRival{said.mac, frame.hello.node};
      entry.rival_voice = frame.mac;
    }
    const auto kind = late || said.what == HelloEntry::What::gone ? Heard::Kind::gone : Heard::Kind::hello;
    entry.machine.hear(now, {kind, number_of(said.mac), saying_of(said), relayed});
  }
  if (!concerned && !own_.contains(frame.mac)) hear_others(entry, now);
}

// One frame for all claims of a LAN, as often as one of them wants it.
void ClaimRunner::say_hellos(Time now) {
  for (auto& [key, lan] : lans_) {
    if (lan.next_hello > now) continue;
    std::optional<Time> period;
    for (auto& [id, entry] : entries_) {
      if (entry.lan != &lan || !claim::is_claiming(entry.machine.state()) || entry.hello.count() == 0) continue;
      period = std::min(period.value_or(entry.hello), entry.hello);
      lan.hellos.push_back(entry_of(HelloEntry::What::claim, {entry.machine.rank(), entry.machine.state()},
                                    entry.what.address, entry.mac, entry.what.holder));
      for (const auto& other : entry.machine.relay(now))
        lan.hellos.push_back(entry_of(HelloEntry::What::relayed, other, entry.what.address, entry.mac, 0));
    }
    if (period) lan.next_hello = now + jittered(*period);
  }
}

// Whose kernel answers for one of them without a hello is no plumb, or has lost its process.
void ClaimRunner::probe_own(Time now) {
  for (auto& [key, lan] : lans_) {
    if (lan.next_probe > now) continue;
    lan.next_probe = now + jittered(kProbeOwn);
    // Its device was removed, and may be there again under the same name.
    if (lan.broken && !alone_) lan.broken = !reopen(lan);
    std::vector<Entry*> owned;
    for (auto& [id, entry] : entries_)
      if (entry.lan == &lan && entry.asks_itself && entry.machine.state() == State::owned) owned.push_back(&entry);
    std::set<IpAddress> gateways;
    for (std::size_t i = 0; i < std::min(owned.size(), kProbedEachTime); ++i) {
      auto& entry = *owned[(lan.next_probed + i) % owned.size()];
      send_probe(entry, true);
      if (entry.what.gateway && gateways.insert(*entry.what.gateway).second) send_probe(entry, false);
    }
    lan.next_probed += kProbedEachTime;
  }
}

void ClaimRunner::carry_out() {
  for (auto& [id, entry] : entries_)
    if (entry.touched) carry_out(entry);
  flush_hellos();
}

void ClaimRunner::carry_out(Entry& entry) {
  for (auto effects = entry.machine.take(); !effects.empty(); effects = entry.machine.take())
    for (const auto& effect : effects) carry_out(entry, effect);
  entry.due = entry.machine.next();
  entry.touched = false;
}

void ClaimRunner::carry_out(Entry& entry, const Effect& effect) {
  const auto call = [](const auto& hook, const auto&... arguments) {
    if (hook) hook(arguments...);
  };
  switch (effect.kind) {
    case Effect::Kind::probe:
      send_probe(entry, true);
      if (entry.what.gateway) send_probe(entry, false);
      return;
    case Effect::Kind::ask_gateway:
      if (entry.what.gateway) send_probe(entry, false);
      return;
    case Effect::Kind::announce:
    case Effect::Kind::defend: return call(entry.hooks.announce);
    case Effect::Kind::hello: return queue_hello(entry, effect.saying, false);
    case Effect::Kind::gone: return queue_hello(entry, effect.saying, true);
    case Effect::Kind::take_off: return call(entry.hooks.take_off);
    case Effect::Kind::keep: return call(entry.hooks.keep, entry.machine.kept());
    case Effect::Kind::report:
      return call(entry.hooks.report, ClaimReport{effect.why, effect.of_rival, effect.saying.state, entry.rival});
    case Effect::Kind::put_on: break;
  }
  if (!entry.hooks.put_on) return;
  if (auto done = entry.hooks.put_on(); !done) {
    entry.error = std::move(done).error();
    entry.hooks.take_off = {};
    entry.machine.withdraw();
  }
}

// For the address, or for its gateway, whose answer says that somebody could hear the question.
void ClaimRunner::send_probe(Entry& entry, bool address) {
  auto& lan = *entry.lan;
  const auto& asked = address ? entry.what.address : *entry.what.gateway;
  const int error = lan.socket.probe(asked);
  if (error == 0) entry.sent = entry.sent || address;
  lan.broken = error == ENXIO || error == ENODEV;
  // Silence after no question is no answer. A queue that is full is one for a moment.
  if (error == 0 || error == ENOBUFS || error == EAGAIN || entry.sent || entry.machine.state() != State::asking) return;
  Error failure = errno_error(error, "probe for " + asked.to_string() + " on " + lan.voice.device);
  if (error == ENETDOWN) {
    failure.kind = ErrorKind::refused;
    failure.next = "The device is down: bring it up first";
  }
  entry.error = std::move(failure);
}

void ClaimRunner::queue_hello(Entry& entry, const Saying& saying, bool gone) {
  auto& hellos = entry.lan->hellos;
  const auto what = gone ? HelloEntry::What::gone : HelloEntry::What::claim;
  const auto said = entry_of(what, saying, entry.what.address, entry.mac, entry.what.holder);
  if (std::find(hellos.begin(), hellos.end(), said) == hellos.end()) hellos.push_back(said);
}

// A device that is down says nothing: who could hear it asks.
void ClaimRunner::flush_hellos() {
  for (auto& [key, lan] : lans_) {
    if (lan.hellos.empty()) continue;
    [[maybe_unused]] const int error = lan.socket.hello(node_, lan.hellos);
    lan.hellos.clear();
  }
}

}  // namespace plumb
