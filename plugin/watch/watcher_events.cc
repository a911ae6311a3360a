// What the watcher does at each thing that it hears.
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "netns/link/link.h"
#include "plugin/watch/log.h"
#include "plugin/watch/watcher.h"

namespace plumb::watch {

namespace {

// RFC 5227 section 1.1: DEFEND_INTERVAL.
constexpr std::chrono::seconds kDefendInterval{10};
// The engine tells of a container's end when it has noticed it. One that is too slow for this is asked.
constexpr std::chrono::seconds kEngineNotices{1};

}  // namespace

NamespaceWatch* Watcher::find(Watched& watched, const std::string& key) {
  const auto found = std::find_if(watched.watches.begin(), watched.watches.end(),
                                  [&](const NamespaceWatch& watch) { return watch.key == key; });
  return found == watched.watches.end() ? nullptr : &*found;
}

void Watcher::hear_files() {
  alignas(inotify_event) std::array<char, 8192> buffer{};
  bool lost = false;
  for (;;) {
    const auto size = ::read(files_.get(), buffer.data(), buffer.size());
    if (size <= 0) break;
    for (std::size_t at = 0; at < static_cast<std::size_t>(size);) {
      const auto* event = reinterpret_cast<const inotify_event*>(&buffer.at(at));
      at += sizeof(inotify_event) + event->len;
      lost = lost || (event->mask & IN_Q_OVERFLOW) != 0;
      const auto service = service_of_started_file(event->len == 0 ? "" : static_cast<const char*>(event->name));
      if (service.empty()) continue;
      if ((event->mask & IN_MOVED_TO) != 0)
        services_[service].dirty = true;
      else if (services_.contains(service))
        forget(service);
    }
  }
  if (!lost) return;
  for (const auto& service : started_services()) services_[service];
  for (auto& [name, watched] : services_) watched.dirty = true;
}

// Of devices, what matters is that one is gone, or has another carrier: making a macvlan changes its parent, too. Of a
// service's ports all matters: they may be taken out of their bridge.
bool Watcher::concerns(const Watched& watched, const NodeChange& change) {
  if (change.device.empty()) return watched.on_node || watched.ailing;
  return (watched.uplinks.contains(change.device) && (change.gone || change.other_carrier || watched.ailing)) ||
         watched.ports.contains(change.device) || (change.gone && watched.on_node);
}

void Watcher::heed(Watched& watched, const NodeChange& change) {
  if (concerns(watched, change))
    watched.dirty = true;
  else if (watched.busy)
    watched.changes.insert(change);
}

void Watcher::hear_node() {
  const auto heard = node_.read();
  for (const auto& change : heard.changes) {
    const auto [before, fresh] = carriers_.try_emplace(change.name, change.carrier);
    const bool returned = !fresh && !before->second && change.carrier;
    const NodeChange what{change.name, change.gone, before->second != change.carrier};
    before->second = change.carrier;
    if (change.gone) carriers_.erase(before);
    for (auto& [name, watched] : services_) heed(watched, what);
    if (returned) carrier_returned(change.name);
  }
  if (heard.lost) look_at_carriers();
  for (auto& [name, watched] : services_) {
    if (heard.others) heed(watched, {});
    watched.dirty = watched.dirty || heard.lost;
  }
}

// From now on, what is heard is held against this.
void Watcher::look_at_carriers() {
  const auto links = []() -> Result<std::vector<netns::Link>> {
    const auto own = TRY(netns::Namespace::current());
    auto socket = TRY(netns::RouteSocket::open(own));
    return netns::links(socket);
  }();
  if (!links) return say({}, "cannot see which devices have a carrier: ", links.error());
  const auto before = std::exchange(carriers_, {});
  for (const auto& link : *links) {
    carriers_[link.name.str()] = link.carrier;
    const auto was = before.find(link.name.str());
    if (was != before.end() && !was->second && link.carrier) carrier_returned(link.name.str());
  }
}

void Watcher::carrier_returned(const std::string& device) {
  metrics_.count(Event::carrier_return);
  for (auto& [name, watched] : services_) {
    for (const auto& watch : watched.watches) announce_all(name, watch, device);
    if (watched.busy)
      watched.returned.insert(device);
    else if (watched.uplinks.contains(device))
      watched.memory.said.clear();  // should it be lost once more, it is news
  }
}

// Its addresses on the device.
void Watcher::announce_all(const std::string& service, const NamespaceWatch& watch, const std::string& device) {
  for (const auto& guarded : watch.claims) {
    if (!guarded.claim.uplinks.contains(device) || guarded.claim.announce.count == 0) continue;
    say(service, device + " has its carrier again: announcing " + guarded.claim.address.to_string());
    announce(service, watch, guarded.claim, guarded.claim.announce.count);
  }
}

// The container is gone: so that its namespace can go, too, nothing of it is held. The engine will tell.
void Watcher::hear_process(Watched& watched, const std::string& key) {
  const auto found = std::find_if(watched.watches.begin(), watched.watches.end(),
                                  [&](const NamespaceWatch& watch) { return watch.key == key; });
  close_later(std::move(*found));
  watched.watches.erase(found);
  const auto then = Clock::now() + kEngineNotices;
  watched.due = watched.due ? std::min(*watched.due, then) : then;
}

void Watcher::hear_claim(const std::string& service, NamespaceWatch& watch, GuardedClaim& guarded) {
  const auto mac = guarded.watch.read();
  if (!mac) return;
  auto& rival = guarded.rival;
  const auto now = Clock::now();
  const bool reports_only = guarded.claim.conflict == ConflictPolicy::warn;
  if (rival.named.size() < kNamedRivals &&
      std::find(rival.named.begin(), rival.named.end(), *mac) == rival.named.end()) {
    rival.named.push_back(*mac);
    metrics_.count(Event::rival);
    say(service, guarded.claim.resource + ": " + guarded.claim.address.to_string() + " is claimed by " +
                     mac->to_string() +
                     ", too: " + (reports_only ? "only reported (conflict = warn)" : "defending it") +
                     "; next: find that machine, and take the address from it");
  }
  rival.mac = mac;
  rival.heard = now;
  if (reports_only || (rival.defended && now - *rival.defended < kDefendInterval)) return;
  rival.defended = now;
  announce(service, watch, guarded.claim, 1);
}

// A rival that says nothing more is gone, or has been heard by everybody: the last word is ours.
void Watcher::rivals_on_time() {
  const auto now = Clock::now();
  for (auto& [name, watched] : services_)
    for (auto& watch : watched.watches)
      for (auto& guarded : watch.claims) {
        auto& rival = guarded.rival;
        if (!rival.mac || now < rival.heard + kRivalSilence) continue;
        say(name, guarded.claim.resource + ": " + rival.mac->to_string() + " has not claimed " +
                      guarded.claim.address.to_string() + " for " + std::to_string(kRivalSilence.count()) +
                      " s: announcing it");
        rival.mac.reset();
        rival.named.clear();
        announce(name, watch, guarded.claim, std::max(1U, guarded.claim.announce.count));
      }
}

void Watcher::announce(const std::string& service, const NamespaceWatch& watch, const Claim& claim, unsigned rounds) {
  if (auto done = rounds_.announce(service, watch, claim, rounds); !done) say(service, "not announced: ", done.error());
}

// Containers end with their engine, and sometimes are told of before it.
void Watcher::hear_engine(const std::string& socket, bool connected) {
  if (!connected) say({}, "the engine at " + socket + " is gone");
  if (connected) metrics_.count(Event::engine_reconnect);
  const bool again = !connected || !engines_heard_.insert(socket).second;
  if (connected) say({}, again ? "the engine at " + socket + " answers again" : "listening to the engine at " + socket);
  for (auto& [name, watched] : services_) {
    if (watched.engine_socket != socket) continue;
    if (!connected && watched.busy)
      watched.engine_lost = true;
    else if (!connected)
      engine_lost(watched.memory, Clock::now());
    // One of the service's own is part of it, and started again.
    const bool own = socket.starts_with("/run/plumb/" + name + "/");
    watched.dirty = watched.dirty || connected || own;
  }
}

}  // namespace plumb::watch
