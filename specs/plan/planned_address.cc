#include "specs/plan/planner.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>

#include "specs/plan/plan_builder.h"
#include "specs/service/run_args.h"
#include "specs/service/uplink.h"
#include "specs/value/dedicated_mark.h"

namespace plumb {

namespace {

// FNV-1a, 64 bits (RFC draft-eastlake-fnv): a fingerprint against change, not against an attacker.
class Fingerprint {
 public:
  void add(std::string_view text) {
    for (const char c : text) mix(static_cast<std::uint8_t>(c));
    mix(0xff);  // no UTF-8 text has this byte: fields cannot run into each other
  }
  void add(bool value) { add(value ? std::string_view("1") : std::string_view("0")); }
  void add(const std::vector<std::string>& list) {
    for (const auto& item : list) add(item);
    mix(0xfe);
  }
  void add(const std::map<std::string, std::string>& map) {
    for (const auto& [key, value] : map) {
      add(key);
      add(value);
    }
    mix(0xfe);
  }
  [[nodiscard]] std::string hex() const {
    std::array<char, 17> buffer{};
    std::snprintf(buffer.data(), buffer.size(), "%016llx", static_cast<unsigned long long>(state_));
    return buffer.data();
  }

 private:
  void mix(std::uint8_t byte) { state_ = (state_ ^ byte) * 0x100000001b3ULL; }
  std::uint64_t state_ = 0xcbf29ce484222325ULL;
};

Result<std::vector<IpAddress>> resolve(const IpResource& ip, const std::string& name, const Observed& seen) {
  if (auto literal = IpAddress::parse(name)) return std::vector<IpAddress>{*literal};
  if (const auto found = seen.names.find(name); found != seen.names.end() && !found->second.empty())
    return found->second;
  const auto error = seen.name_errors.find(name);
  return Err{ErrorKind::not_found,
             ip.id + ": ipname " + name + ": " +
                 (error == seen.name_errors.end() ? std::string("not resolved") : error->second.what),
             "put the name into DNS or /etc/hosts of " + std::string("this node, or write the address itself")};
}

Result<unsigned> prefix_for(const IpResource& ip, const IpAddress& address, const Observed& seen) {
  if (const auto& given = address.is_v6() ? ip.netmask_v6 : ip.netmask_v4) return *given;
  const ObservedNetns* home = &seen.node;
  if (ip.type == IpType::encap) {
    const auto owner = seen.containers.find(ip.netns);
    home = owner == seen.containers.end() || !owner->second.netns ? nullptr : &*owner->second.netns;
  }
  if (const auto* parent = home == nullptr ? nullptr : home->link(uplink(ip))) {
    for (const auto& a : home->addresses)
      if (a.link == parent->index && a.cidr.address().is_v6() == address.is_v6() &&
          !(address.is_v6() && a.cidr.address().is_link_local()) && a.cidr.address() != address)
        return a.cidr.prefix();
  }
  return Err{ErrorKind::spec,
             ip.id + ": no netmask is given for " + address.to_string() + ", and " + uplink(ip) + " has no " +
                 (address.is_v6() ? "IPv6" : "IPv4") + " address to take it from",
             "add netmask = <length> to [" + ip.id + "]"};
}

}  // namespace

std::string spec_hash(const ContainerResource& c) {
  Fingerprint f;
  for (const auto* text :
       {&c.name, &c.image, &c.netns, &c.userns, &c.pidns, &c.ipcns, &c.utsns, &c.hostname, &c.user, &c.cwd})
    f.add(*text);
  for (const bool flag : {c.builtin_pause, c.rm, c.privileged, c.read_only, c.init, c.interactive, c.tty, c.detach})
    f.add(flag);
  for (const auto* list : {&c.entrypoint, &c.command, &c.devices, &c.dns, &c.dns_search}) f.add(*list);
  f.add(canonical(c.options));
  f.add(c.environment);
  f.add(c.sysctl);
  for (const auto& m : c.volume_mounts) {
    f.add(m.source);
    f.add(m.target);
    f.add(m.options);
    f.add(m.read_only);
    if (m.must_exist) f.add(std::string_view("mount"));
  }
  f.add(c.stop_timeout ? std::to_string(c.stop_timeout->count()) : std::string("-"));
  return f.hex();
}

bool owns_namespace(const Service& service, const ContainerResource& container) {
  const auto is_it = [&](const auto& r) { return r.netns == container.id; };
  return std::any_of(service.ips.begin(), service.ips.end(), is_it) ||
         std::any_of(service.containers.begin(), service.containers.end(), is_it);
}

std::string planned_device(const Service& service, const IpResource& ip) {
  if (ip.nsdev) return ip.nsdev->str();
  const auto taken = [&](const std::string& name) {
    return std::any_of(service.ips.begin(), service.ips.end(), [&](const IpResource& other) {
      return other.netns == ip.netns && other.nsdev && other.nsdev->str() == name;
    });
  };
  unsigned number = 0;
  const auto next_free = [&] {
    while (taken("eth" + std::to_string(number))) ++number;
    return "eth" + std::to_string(number++);
  };
  for (const auto& other : service.ips) {
    if (other.netns != ip.netns || other.nsdev || other.disable) continue;
    auto name = next_free();
    if (other.id == ip.id) return name;
  }
  return next_free();
}

Result<std::vector<IpAddress>> resolved_addresses(const IpResource& ip, const Observed& seen) {
  std::vector<IpAddress> out;
  for (const auto& name : ip.names) {
    const auto some = TRY(resolve(ip, name, seen));
    out.insert(out.end(), some.begin(), some.end());
  }
  return out;
}

Result<std::vector<PlannedAddress>> planned_addresses(const IpResource& ip, const Observed& seen) {
  std::vector<PlannedAddress> out;
  for (const auto& address : TRY(resolved_addresses(ip, seen))) {
    const unsigned prefix = TRY(prefix_for(ip, address, seen));
    const Cidr cidr = TRY(Cidr::make(address, prefix));
    std::optional<IpAddress> gateway;
    const bool direct = ip.type == IpType::netns && is_routed(ip.mode) && !ip.has_tag("nonrouted");
    if (ip.type == IpType::netns && ip.gateway && !is_routed(ip.mode) && ip.gateway->is_v6() == address.is_v6()) {
      // A link-local gateway is on the link whatever the prefix says (RFC 4861 section 4.2).
      if (!cidr.contains(*ip.gateway) && !ip.gateway->is_link_local())
        return Err{ErrorKind::spec,
                   ip.id + ": gateway " + ip.gateway->to_string() + " is not in the subnet of " + cidr.to_string(),
                   "correct gateway or netmask in [" + ip.id + "]"};
      gateway = ip.gateway;
    }
    out.push_back({cidr, gateway, direct});
  }
  return out;
}

Result<Plan> plan(const Service& service, const Observed& seen, Verb verb) {
  return brings_up(verb) ? plan_start(service, seen, verb) : plan_stop(service, seen, verb);
}

Step step_for(StepKind kind, const Service& service, const IpResource& ip, const Observed& seen) {
  Step step;
  step.kind = kind;
  step.resource = ip.id;
  step.parent = uplink(ip);
  step.optional = ip.optional;
  if (ip.type == IpType::netns) {
    step.container = ip.netns;
    step.device = planned_device(service, ip);
    step.mode = planned_mode(ip, seen);
    step.probe_inside = probed_from_link(step.mode);
  } else {
    step.device = uplink(ip);
    step.probe_inside = ip.type == IpType::encap;
    if (step.probe_inside) step.container = ip.netns;
  }
  return step;
}

std::vector<Step> remove_stranded_links(const std::string& resource, const ObservedContainer& have) {
  std::vector<Step> out;
  if (!have.netns) return out;
  for (const auto& link : have.netns->links) {
    if (link.name == "lo") continue;
    Step step;
    step.kind = StepKind::link_remove;
    step.resource = resource;
    step.container = resource;
    step.device = link.name;
    if (const auto mark = DedicatedMark::parse(link.alias)) {
      step.mode = IpMode::dedicated;
      step.parent = mark->device;
    }
    out.push_back(std::move(step));
  }
  return out;
}

std::size_t PlanBuilder::add(Step step) {
  plan_.steps.push_back(std::move(step));
  return plan_.steps.size() - 1;
}

}  // namespace plumb
