#include "plugin/driver/claim/endpoint_claims.h"

#include <algorithm>
#include <set>
#include <string>

#include "plugin/claim/claim_settings.h"
#include "plugin/driver/log.h"
#include "plugin/node/bridge_port.h"
#include "plugin/node/device.h"
#include "plugin/verb/spec_file.h"
#include "specs/service/uplink.h"

namespace plumb::driver {

namespace {

// An engine makes the endpoint within milliseconds, or when it has got the addresses of the other families.
constexpr std::chrono::seconds kHeldFor{60};

claim::Settings settings_of(const NetworkRecord& network, IpMode mode) {
  const auto& link = network.parsed.link;
  auto out = claim_settings(link.probe, link.conflict, link.announce);
  out.retry = true;
  if (is_routed(mode)) out.announcements = 0;  // nobody resolves it
  if (link.probe == ProbeProfile::off) {
    // Somebody may be there who answers for everything.
    out.rules.doubt = false;
    out.self_probe = std::chrono::milliseconds{0};
  }
  return out;
}

Result<Voice> voice_at_home(const EndpointRecord& endpoint) {
  if (!probed_from_link(endpoint.mode)) return voice_on(endpoint.uplink, endpoint.mode);
  auto own = std::make_shared<const netns::Namespace>(TRY(netns::Namespace::current()));
  return voice_inside(std::move(own), {}, endpoint.device);
}

// Where it is heard once it has arrived, as `device`.
Result<Voice> voice_away(const EndpointRecord& endpoint, const IfName& device) {
  if (!probed_from_link(endpoint.mode)) return voice_on(endpoint.uplink, endpoint.mode);
  auto sandbox = std::make_shared<const netns::Namespace>(TRY(netns::Namespace::from_path(endpoint.sandbox)));
  return voice_inside(std::move(sandbox), endpoint.id, device.str());
}

std::uint64_t holder_of(const std::string& node, const NetworkRecord& network) {
  return claim_holder(node, "driver " + network.id);
}

}  // namespace

EndpointClaims::EndpointClaims(Metrics& metrics, Hooks hooks)
    : node_(node_name()),
      around_{metrics, announcements_, std::move(hooks.lost), std::move(hooks.keep)},
      announcements_(metrics) {}

Result<std::unique_ptr<EndpointClaims>> EndpointClaims::open(Metrics& metrics, Hooks hooks) {
  std::unique_ptr<EndpointClaims> out(new EndpointClaims(metrics, std::move(hooks)));  // NOLINT: private
  out->runner_ = TRY(ClaimRunner::open(out->node_));
  return out;
}

std::shared_ptr<EndpointAddress> EndpointClaims::make_address(const NetworkRecord& network, const IpAddress& address) {
  return std::make_shared<EndpointAddress>(address, gateway_of(network, address), around_);
}

Result<EndpointClaims::Claim> EndpointClaims::start(const NetworkRecord& network, IpMode mode, const Voice& voice,
                                                    const IpAddress& address, const EndpointRecord* endpoint) {
  auto its = make_address(network, address);
  ClaimedAddress what{address, its->gateway(), holder_of(node_, network), {}};
  if (endpoint != nullptr) its->belong(network, *endpoint);
  const auto id = TRY(runner_->ask(voice, std::move(what), settings_of(network, mode), its->hooks()));
  return Claim{id, std::move(its)};
}

// The answer, when it has come.
Result<std::optional<ClaimRival>> EndpointClaims::judge(const Claim& claim) {
  if (auto rival = TRY(runner_->await_answer(claim.id, {}))) return rival;
  if (!claim.address->is_lost()) return claim.address->contested();
  if (auto rival = claim.address->rival()) return rival;
  return Err{ErrorKind::conflict, "address " + claim.address->address().to_string() + ": another machine has it"};
}

Result<std::optional<ClaimRival>> EndpointClaims::hold(const NetworkRecord& network, IpMode mode,
                                                       const IpAddress& address) {
  const auto device = uplink(network.parsed.link);
  give_back(device, address);
  auto claim = TRY(start(network, mode, voice_on(device, mode), address, nullptr));
  auto rival = judge(claim);
  if (!rival || *rival) {
    runner_->withdraw(claim.id);
    return rival;
  }
  const std::lock_guard lock(mutex_);
  held_.insert_or_assign({device, address}, Held{std::move(claim), Clock::now() + kHeldFor});
  return rival;
}

std::optional<EndpointClaims::Claim> EndpointClaims::take_held(const std::string& uplink, const IpAddress& address) {
  const std::lock_guard lock(mutex_);
  const auto found = held_.find({uplink, address});
  if (found == held_.end()) return std::nullopt;
  auto out = std::move(found->second.claim);
  held_.erase(found);
  return out;
}

void EndpointClaims::give_back(const std::string& uplink, const IpAddress& address) {
  if (const auto held = take_held(uplink, address)) runner_->withdraw(held->id);
}

EndpointClaims::Clock::time_point EndpointClaims::expire() {
  std::vector<Claim> old;
  auto next = Clock::time_point::max();
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(held_, [&](const auto& one) {
      const bool over = one.second.until <= Clock::now();
      if (over) old.push_back(one.second.claim);
      if (!over) next = std::min(next, one.second.until);
      return over;
    });
  }
  for (const auto& claim : old) runner_->withdraw(claim.id);
  return next;
}

void EndpointClaims::know(const NetworkRecord& network, const EndpointRecord& endpoint) {
  const std::lock_guard lock(mutex_);
  known_.try_emplace(endpoint.id, Known{network, endpoint, false, false, {}});
}

std::optional<EndpointClaims::Known> EndpointClaims::find(const std::string& endpoint) {
  const std::lock_guard lock(mutex_);
  const auto found = known_.find(endpoint);
  return found == known_.end() ? std::nullopt : std::optional(found->second);
}

void EndpointClaims::keep(const std::string& endpoint, std::vector<Claim> claims) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = known_.find(endpoint);
    if (found != known_.end() && !found->second.left) {
      found->second.claims.swap(claims);
      std::erase_if(claims, [&](const Claim& before) {
        return std::any_of(found->second.claims.begin(), found->second.claims.end(),
                           [&](const Claim& now) { return now.id == before.id; });
      });
    }
  }
  for (const auto& claim : claims) runner_->withdraw(claim.id);
}

std::vector<EndpointClaims::Claim> EndpointClaims::take_claims(const std::string& endpoint) {
  const std::lock_guard lock(mutex_);
  const auto found = known_.find(endpoint);
  return found == known_.end() ? std::vector<Claim>{} : std::exchange(found->second.claims, {});
}

Result<void> EndpointClaims::begin(const std::string& endpoint) {
  const auto known = find(endpoint);
  if (!known) return {};
  const auto& record = known->endpoint;
  const auto voice = TRY(voice_at_home(record));
  std::vector<Claim> claims;
  Result<void> started;
  for (const auto& cidr : record.addresses) {
    if (auto held = take_held(record.uplink, cidr.address())) {
      held->address->belong(known->network, record);
      claims.push_back(*std::move(held));
      continue;
    }
    auto claim = start(known->network, record.mode, voice, cidr.address(), &record);
    if (!claim) {
      started = Err{std::move(claim).error()};
      break;
    }
    claims.push_back(*std::move(claim));
  }
  keep(endpoint, std::move(claims));
  if (probed_from_link(record.mode)) {
    const std::lock_guard lock(mutex_);
    if (const auto found = known_.find(endpoint); found != known_.end()) found->second.on_node = true;
  }
  if (!record.sandbox.empty()) join(record);
  return started;
}

Result<std::vector<EndpointClaims::Rival>> EndpointClaims::ask(const std::string& endpoint,
                                                               const std::function<bool(const Mac&)>& again) {
  TRY(begin(endpoint));
  std::vector<Rival> out;
  const auto known = find(endpoint);
  if (!known) return out;
  const auto voice = TRY(voice_at_home(known->endpoint));
  auto claims = known->claims;
  for (auto& claim : claims) {
    for (;;) {
      const auto rival = TRY(judge(claim));
      if (rival && again(rival->mac)) {
        runner_->withdraw(claim.id);
        claim = TRY(start(known->network, known->endpoint.mode, voice, claim.address->address(), &known->endpoint));
        keep(endpoint, claims);
        continue;
      }
      if (rival) out.push_back({claim.address->address(), rival->to_string()});
      break;
    }
  }
  return out;
}

// Nothing is heard any more where the link was.
void EndpointClaims::drop_on_node(const std::string& endpoint) {
  for (const auto& claim : take_claims(endpoint)) runner_->drop(claim.id);
  const std::lock_guard lock(mutex_);
  if (const auto found = known_.find(endpoint); found != known_.end()) found->second.on_node = false;
}

std::optional<EndpointClaims::Rival> EndpointClaims::loss(const std::string& endpoint) {
  const auto known = find(endpoint);
  if (!known) return std::nullopt;
  for (const auto& claim : known->claims)
    if (claim.address->is_lost()) {
      const auto rival = claim.address->rival();
      return Rival{claim.address->address(), rival ? rival->to_string() : "another machine"};
    }
  return std::nullopt;
}

void EndpointClaims::join(const EndpointRecord& endpoint) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = known_.find(endpoint.id);
    if (found == known_.end()) return;
    found->second.endpoint = endpoint;
    found->second.left = false;
  }
  const auto known = find(endpoint.id);
  if (!known) return;
  for (const auto& claim : known->claims) {
    claim.address->belong(known->network, endpoint);
    if (endpoint.mac) runner_->own(claim.id, *endpoint.mac);
  }
}

// The first claim of an address that is in its container.
Result<EndpointClaims::Claim> EndpointClaims::take_up(const Known& known, const Voice& voice, const Cidr& cidr,
                                                      const Mac& mac, bool carrier, bool on_link) {
  auto its = make_address(known.network, cidr.address());
  its->belong(known.network, known.endpoint);
  its->arrived(on_link);
  auto hooks = its->hooks();
  hooks.put_on = [its] { return its->put_on(); };
  hooks.take_off = [its] { its->take_off(); };
  ClaimedAddress what{cidr.address(), its->gateway(), holder_of(node_, known.network), {mac}};
  const auto kept = known.endpoint.claims.find(cidr.address());
  const auto id = TRY(runner_->resume(voice, std::move(what), mac, settings_of(known.network, known.endpoint.mode),
                                      std::move(hooks), carrier, on_link,
                                      kept == known.endpoint.claims.end() ? claim::Kept{} : kept->second));
  return Claim{id, std::move(its)};
}

Result<void> EndpointClaims::resume(const std::string& endpoint, const netns::Link& link,
                                    const std::vector<Cidr>& present, bool carrier) {
  const auto known = find(endpoint);
  if (!known || known->left || !link.mac) return {};
  std::vector<Claim> claims;
  const auto voice = TRY(voice_away(known->endpoint, link.name));
  for (const auto& cidr : known->endpoint.addresses) {
    const bool on_link = std::find(present.begin(), present.end(), cidr) != present.end();
    auto claim = take_up(*known, voice, cidr, *link.mac, carrier, on_link);
    if (!claim) {
      for (const auto& begun : claims) runner_->drop(begun.id);
      return Err{std::move(claim).error()};
    }
    claims.push_back(*std::move(claim));
  }
  keep(endpoint, std::move(claims));
  return {};
}

void EndpointClaims::arrived(const std::string& endpoint, const netns::Link& link) {
  const auto known = find(endpoint);
  if (!known || known->left || !link.mac) return;
  if (known->on_node) drop_on_node(endpoint);
  if (known->claims.empty() || known->on_node) {
    if (auto resumed = resume(endpoint, link, known->endpoint.addresses, true); !resumed)
      say_of_endpoint(endpoint, "its address is not claimed: " + resumed.error().what);
    return;
  }
  for (const auto& claim : known->claims) {
    claim.address->arrived();
    runner_->arrived(
        claim.id, *link.mac, [its = claim.address] { return its->put_on(); },
        [its = claim.address] { its->take_off(); });
  }
}

void EndpointClaims::leave(const std::string& endpoint) {
  announcements_.forget(endpoint);
  std::vector<Claim> claims;
  std::vector<Claim> inside;  // their namespaces are let go
  {
    const std::lock_guard lock(mutex_);
    const auto found = known_.find(endpoint);
    if (found == known_.end()) return;
    found->second.left = true;
    claims = found->second.claims;
    if (probed_from_link(found->second.endpoint.mode)) inside.swap(found->second.claims);
  }
  for (const auto& claim : claims) claim.address->leave();
  for (const auto& claim : inside) runner_->withdraw(claim.id);
  announcements_.forget(endpoint);
}

void EndpointClaims::withdraw(const std::string& endpoint) {
  leave(endpoint);
  const auto claims = take_claims(endpoint);
  for (const auto& claim : claims) runner_->withdraw(claim.id);
  const std::lock_guard lock(mutex_);
  known_.erase(endpoint);
}

void EndpointClaims::carrier(const std::string& device, bool up, bool flapped) {
  std::vector<ClaimRunner::Id> doubted;
  std::vector<ClaimRunner::Id> claims;
  std::set<std::string> own_ports;
  {
    const std::lock_guard lock(mutex_);
    bool bridge = false;
    for (const auto& [id, known] : known_) {
      if (known.endpoint.uplink != device || probed_from_link(known.endpoint.mode)) continue;
      // A bridge has the carrier of its ports, and the container's may be the first.
      const bool its = known.endpoint.mode == IpMode::bridge;
      bridge = bridge || its;
      if (its) own_ports.insert(known.endpoint.outer);
      for (const auto& claim : known.claims) {
        claims.push_back(claim.id);
        if (!its && known.network.parsed.link.check_carrier) doubted.push_back(claim.id);
      }
    }
    for (const auto& [where, held] : held_)
      if (where.first == device && !bridge) doubted.push_back(held.claim.id);
  }
  for (const auto id : doubted) {
    runner_->carrier(id, up);
    if (flapped) runner_->flapped(id);
  }
  if (!up) return;
  // On a bridge of these containers alone nobody is there who could not be heard before; the engine, which is starting
  // the first of them, must not find its address taken off.
  if (!own_ports.empty())
    if (auto node = open_node())
      if (const auto others = has_other_ports(*node, device, own_ports); others && !*others) return;
  // Those that were not in doubt: a bridge's, those that do not ask, and those that began without a carrier.
  for (const auto id : claims) runner_->forwards(id);
}

}  // namespace plumb::driver
