// What the watcher does at each thing that it hears.
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "netns/link/link.h"
#include "plugin/claim/doubt_reason.h"
#include "plugin/watch/log.h"
#include "plugin/watch/watcher.h"

namespace plumb::watch {

namespace {

// The engine tells of a container's end when it has noticed it. One that is too slow for this is asked.
constexpr std::chrono::seconds kEngineNotices{1};
constexpr std::size_t kMostChanges = 256;

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
        started_again(services_[service]);
      else if (services_.contains(service))
        forget(service);
    }
  }
  if (!lost) return;
  for (const auto& service : started_services()) services_[service];
  for (auto& [name, watched] : services_) started_again(watched);
}

// With another engine, perhaps.
void Watcher::started_again(Watched& watched) {
  watched.away = false;
  soil(watched);
}

// Of devices, what matters is that one is gone, or has another carrier: making a macvlan changes its parent, too. Of a
// service's ports all matters: they may be taken out of their bridge. Of what is on a device, what is the service's
// own; to one that is not as it should be, anything there may be what it lacks.
bool Watcher::concerns(const Watched& watched, const NodeChange& change) {
  if (change.on_it)
    return (change.address && watched.addresses.contains(*change.address)) ||
           (watched.ailing && (change.device.empty() || watched.uplinks.contains(change.device)));
  return (watched.uplinks.contains(change.device) && (change.gone || change.other_carrier || watched.ailing)) ||
         watched.ports.contains(change.device);
}

// One that waits for long need not know all that has happened by then.
void Watcher::heed(Watched& watched, const NodeChange& change) {
  if (concerns(watched, change) || watched.changes.size() >= kMostChanges)
    soil(watched);
  else if (watched.busy)
    watched.changes.insert(change);
}

std::string Watcher::device_at(int index) const {
  const auto found =
      std::find_if(carriers_.begin(), carriers_.end(), [&](const auto& one) { return one.second.index == index; });
  return found == carriers_.end() ? std::string() : found->first;
}

void Watcher::hear_node() {
  const auto heard = node_.read();
  reading_.expire();
  for (const auto& change : heard.changes) {
    const Carrier now{change.carrier, change.carrier_downs, change.index};
    const auto before = carriers_.find(change.name);
    const auto became = carrier_change(before == carriers_.end() ? std::nullopt : std::optional(before->second), now);
    const NodeChange what{change.name, change.gone, became.changed, false, {}};
    const bool concerns_claims = became.fresh || change.gone || became.changed || became.flapped;
    if (change.gone)
      carriers_.erase(change.name);
    else
      carriers_.insert_or_assign(change.name, now);
    for (auto& [name, watched] : services_) heed(watched, what);
    if (became.returned) carrier_returned(change.name);
    // Each macvlan that is made changes its parent, on which a thousand claims may be.
    if (!concerns_claims) continue;
    with_claims_on(change.name, [&](const GuardedClaim& guarded) {
      guarded.held->carrier(has_carrier(guarded.claim));
      if (became.flapped) guarded.held->flapped();
    });
    if (change.gone) continue;
    with_claims_on(change.name, [&](const GuardedClaim& guarded) {
      guarded.held->note({change.name, change.index, change.carrier_downs});
    });
  }
  for (const auto& port : heard.forwarding) {
    with_claims_on(port, [](const GuardedClaim& guarded) { guarded.held->forwards(); });
    for (const auto& [name, watched] : services_)
      if (watched.ports.contains(port))
        for (const auto& watch : watched.watches)
          for (const auto& guarded : watch.claims) guarded.held->forwards();
  }
  if (heard.lost) look_at_carriers();
  for (const auto& change : heard.addresses) {
    const NodeChange what{device_at(change.index), false, false, true, change.address};
    for (auto& [name, watched] : services_) heed(watched, what);
  }
  if (heard.lost)
    for (auto& [name, watched] : services_) soil(watched);
}

// Where the uplink is a bridge, one of its ports has to have it, too: ports of containers keep the bridge's own.
bool Watcher::has_carrier(const Claim& claim) const {
  const auto has = [&](const std::string& device) {
    const auto found = carriers_.find(device);
    return found != carriers_.end() && found->second.there;
  };
  if (!claim.minds_carrier) return true;
  return has(claim.uplink) && (claim.ports.empty() || std::any_of(claim.ports.begin(), claim.ports.end(), has));
}

template <typename F>
void Watcher::with_claims_on(const std::string& device, F&& what) {
  for (const auto& [name, watched] : services_)
    for (const auto& watch : watched.watches)
      for (const auto& guarded : watch.claims)
        if (guarded.claim.uplink == device || guarded.claim.ports.contains(device)) what(guarded);
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
    carriers_[link.name.str()] = {link.carrier, link.carrier_downs, link.index};
    const auto was = before.find(link.name.str());
    if (was != before.end() && !was->second.there && link.carrier) carrier_returned(link.name.str());
  }
  for (const auto& [name, watched] : services_)
    for (const auto& watch : watched.watches)
      for (const auto& guarded : watch.claims) {
        if (!guarded.claim.uplink.empty()) guarded.held->carrier(has_carrier(guarded.claim));
        hold_against(guarded);
      }
}

// Carriers may have been lost, and be back, since the claim has noted them.
void Watcher::hold_against(const GuardedClaim& guarded) {
  std::vector<CarrierSeen> now;
  for (const auto& [device, carrier] : carriers_) now.push_back({device, carrier.index, carrier.downs});
  guarded.held->compare(now);
}

void Watcher::carrier_returned(const std::string& device) {
  metrics_.count(Event::carrier_return);
  for (auto& [name, watched] : services_) {
    if (watched.busy)
      watched.returned.insert(device);
    else if (watched.uplinks.contains(device))
      watched.memory.said.clear();  // should it be lost once more, it is news
    for (const auto& watch : watched.watches) tell_return(name, watch, device);
  }
}

void Watcher::tell_return(const std::string& service, const NamespaceWatch& watch, const std::string& device) {
  for (const auto& guarded : watch.claims)
    if (guarded.claim.uplink == device || guarded.claim.ports.contains(device))
      say(service,
          device + " has its carrier again: asking whether somebody has " + guarded.claim.cidr.address().to_string());
}

// The container is gone: so that its namespace can go, too, nothing of it is held. The engine will tell.
void Watcher::hear_process(Watched& watched, const std::string& key) {
  const auto found = std::find_if(watched.watches.begin(), watched.watches.end(),
                                  [&](const NamespaceWatch& watch) { return watch.key == key; });
  end_namespace_watch(std::move(*found));
  watched.watches.erase(found);
  const auto then = Clock::now() + kEngineNotices;
  watched.due = watched.due ? std::min(*watched.due, then) : then;
}

// What has become of a claim.
void Watcher::hear_claim(const ClaimNews& news) {
  const auto found = services_.find(news.service);
  if (found == services_.end()) return;
  const std::string what = news.resource + ": " + news.address.to_string();
  if (news.error) return say(news.service, what + " could not be put back: ", *news.error);
  GuardedClaim* guarded = nullptr;
  for (auto& watch : found->second.watches)
    for (auto& claim : watch.claims)
      if (claim.claim.cidr.address() == news.address) guarded = &claim;
  if (guarded == nullptr) return;
  if (news.state == claim::State::lost) return hear_loss(news, *guarded);
  if (news.why == "owned") {
    guarded->named.clear();
    guarded->lost_to.clear();
    return say(news.service, what + ": nobody else has it: it is on its link again, and announced");
  }
  if (news.state == claim::State::owned) return hear_rival(news, *guarded);
  if (news.state != claim::State::doubtful) return;
  metrics_.count(Event::doubt);
  say(news.service,
      what + ": " + std::string(doubt_reason(news.why)) + ": off its link until it is known that nobody else has it");
}

void Watcher::hear_loss(const ClaimNews& news, GuardedClaim& guarded) {
  const auto rival = news.rival ? news.rival->to_string() : std::string("another host");
  if (news.rival && !is_news(guarded.lost_to, news.rival->mac)) return;
  metrics_.count(Event::loss);
  say(news.service, news.resource + ": " + news.address.to_string() + " belongs to " + rival +
                        ": taken off its link here, and asked for again when that is silent; next: stop the service "
                        "on one of the two, or take the address from that machine");
}

void Watcher::hear_rival(const ClaimNews& news, GuardedClaim& guarded) {
  if (!news.rival || !is_news(guarded.named, news.rival->mac)) return;
  metrics_.count(Event::rival);
  const bool reports_only = news.conflict == ConflictPolicy::warn;
  say(news.service, news.resource + ": " + news.address.to_string() + " is claimed by " + news.rival->to_string() +
                        ", too: " + (reports_only ? "only reported (conflict = warn)" : "defending it") +
                        "; next: find that machine, and take the address from it");
}

// Each is named once as a rival, and once as the owner, until the address is nobody else's again.
bool Watcher::is_news(std::vector<Mac>& named, const Mac& mac) {
  if (named.size() >= kNamedRivals || std::find(named.begin(), named.end(), mac) != named.end()) return false;
  named.push_back(mac);
  return true;
}

// Containers end with their engine, and sometimes are told of before it.
void Watcher::hear_engine(const std::string& socket, bool connected) {
  if (connected) {
    metrics_.count(Event::engine_reconnect);
    const bool again = engines_lost_.erase(socket) > 0;
    say({}, again ? "the engine at " + socket + " answers again" : "listening to the engine at " + socket);
  } else {
    engines_lost_.insert(socket);
    say({}, "the engine at " + socket + " is gone");
  }
  for (auto& [name, watched] : services_) {
    if (watched.engine_socket != socket) continue;
    if (!connected && watched.busy)
      watched.engine_lost = true;
    else if (!connected)
      engine_lost(watched.memory, Clock::now());
    if (connected) watched.away = false;
    // One of the service's own is part of it, and started again.
    if (connected || watched.engine_is_its_own) soil(watched);
  }
}

}  // namespace plumb::watch
