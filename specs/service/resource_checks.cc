#include "specs/service/resource_checks.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "specs/service/namespace_checks.h"
#include "specs/value/text.h"

namespace plumb {

namespace {

std::optional<unsigned> netmask_of(const IpDraft& draft, const IpAddress& address) {
  return address.is_v6() ? draft.ip.netmask_v6 : draft.ip.netmask_v4;
}

std::string keyword_in(std::string_view keyword, const IpDraft& draft) {
  return std::string(keyword) + " in [" + draft.ip.id + "]: ";
}

bool is_network_itself(const Cidr& cidr) {
  // RFC 3021: a /31 has two hosts. RFC 4291 section 2.6.1: the all-zeros host is the routers' anycast address.
  if (cidr.prefix() + 1 >= cidr.address().bits()) return false;
  const auto bytes = cidr.address().bytes();
  for (unsigned bit = cidr.prefix(); bit < cidr.address().bits(); ++bit)
    if ((bytes[bit / 8] & (0x80U >> (bit % 8))) != 0) return false;
  return true;
}

// The subnet of one address of the resource and what follows from it for that address.
void check_address(const IpDraft& draft, const Placed<IpAddress>& address, Report& report) {
  const auto length = netmask_of(draft, address.value);
  if (!length) return;
  const auto cidr = Cidr::make(address.value, *length);
  if (!cidr) return;
  const std::string text = cidr->to_string();
  if (is_network_itself(*cidr))
    report.error(address.where,
                 keyword_in("ipname", draft) + text +
                     (address.value.is_v6() ? " is the anycast address of the subnet's routers"
                                            : " is the network itself, not a host in it"),
                 "use another address, or mend the netmask");
  if (cidr->broadcast() == address.value)
    report.error(address.where, keyword_in("ipname", draft) + text + " is the broadcast address of its network",
                 "use another address, or mend the netmask");
}

void check_gateway(const IpDraft& draft, Report& report) {
  if (!draft.gateway) return;
  const auto& [gateway, where] = *draft.gateway;
  const std::string text = gateway.to_string();
  const bool literal = draft.addresses.size() == draft.ip.names.size() && !draft.addresses.empty();
  bool family = false;
  bool reached = false;
  bool known = true;
  std::string subnets;
  for (const auto& [address, place] : draft.addresses) {
    if (address == gateway)
      return report.error(where, keyword_in("gateway", draft) + text + " is the service's own address",
                          "the gateway is the router of the network");
    if (address.is_v6() != gateway.is_v6()) continue;
    family = true;
    const auto length = netmask_of(draft, address);
    const auto cidr = length ? Cidr::make(address, *length) : Result<Cidr>(Err{Error{}});
    known = known && cidr.has_value();
    if (!cidr) continue;
    // The address of a host alone has no subnet: its gateway is on the link.
    reached = reached || cidr->contains(gateway) || *length == address.bits();
    subnets += (subnets.empty() ? "" : ", ") + cidr->to_string();
    const auto at_gateway = Cidr::make(gateway, *length);
    if (cidr->contains(gateway) &&
        (cidr->broadcast() == gateway || (at_gateway && !gateway.is_v6() && is_network_itself(*at_gateway))))
      report.error(
          where, keyword_in("gateway", draft) + text + " is the network or broadcast address of " + cidr->to_string());
  }
  if (!literal) return;
  if (!family)
    return report.error(where,
                        keyword_in("gateway", draft) + text + " is an " + (gateway.is_v6() ? "IPv6" : "IPv4") +
                            " address, but no ipname is",
                        "the gateway and the address are of one family");
  // A router's link-local address is on every link (RFC 4861 section 6.1.2).
  if (known && !reached && !(gateway.is_v6() && gateway.is_link_local()))
    report.error(where, keyword_in("gateway", draft) + text + " is not in the subnet of " + subnets,
                 "mend the netmask, the gateway or the address");
}

// One thing that only one resource can have.
class Unique {
 public:
  Unique(Report& report, std::string what) : report_(report), what_(std::move(what)) {}

  void take(const std::string& key, const std::string& shown, const std::string& resource, const Position& where) {
    const auto [first, fresh] = seen_.try_emplace(key, resource, where.line);
    if (fresh) return;
    report_.error(where, what_ + " " + shown + " of [" + resource + "] is [" + first->second.first +
                             "]'s already, at line " + std::to_string(first->second.second));
  }

 private:
  Report& report_;
  std::string what_;
  std::map<std::string, std::pair<std::string, int>> seen_;
};

void check_ips(const Draft& draft, Report& report) {
  Unique addresses(report, "address");
  Unique names(report, "host name");
  Unique devices(report, "nsdev");
  Unique macs(report, "macaddr");
  for (const auto& one : draft.ips) {
    if (one.ip.disable) continue;
    for (const auto& address : one.addresses) {
      check_address(one, address, report);
      addresses.take(address.value.to_string(), address.value.to_string(), one.ip.id, address.where);
    }
    for (const auto& [name, where] : one.ip.name_positions)
      if (const auto* host = name.host()) names.take(*host, *host, one.ip.id, where);
    check_gateway(one, report);
    if (one.ip.type != IpType::netns) continue;
    if (one.ip.nsdev)
      devices.take(one.ip.netns + " " + one.ip.nsdev->str(), one.ip.nsdev->str(), one.ip.id, one.place("nsdev"));
    if (one.ip.macaddr)
      macs.take(one.ip.ipdev + " " + one.ip.macaddr->to_string(), one.ip.macaddr->to_string(), one.ip.id,
                one.place("macaddr"));
  }
}

// What creates a container is without effect on one that exists already.
void check_existing(const ContainerDraft& draft, Report& report) {
  static constexpr std::array<std::string_view, 8> kKept = {"type",    "name",     "start_timeout", "stop_timeout",
                                                            "standby", "optional", "disable",       "tags"};
  for (const auto& [keyword, where] : draft.places) {
    const auto* row = find_keyword(SectionKind::container, keyword);
    if (std::find(kKept.begin(), kKept.end(), keyword) != kKept.end() || row->support != Support::yes) continue;
    if (keyword == "netns") continue;  // checked with the other namespaces
    report.warning(where,
                   keyword + " in [" + draft.container.id + "] has no effect: without an image, " +
                       in_quotes(draft.container.name) + " is a container that exists already",
                   "add an image to let plumb make it");
  }
}

// The container that the spec leaves unsaid: the only one, or the only one that exists already.
void choose_container(IpDraft& one, const Draft& draft, Report& report) {
  std::vector<const ContainerDraft*> all;
  std::vector<const ContainerDraft*> existing;
  for (const auto& c : draft.containers) {
    if (c.container.disable) continue;
    all.push_back(&c);
    if (c.container.existing) existing.push_back(&c);
  }
  const auto& chosen = all.size() == 1 ? all : existing;
  if (chosen.size() == 1) {
    one.ip.netns = chosen.front()->container.id;
    return;
  }
  std::string names;
  for (const auto* c : all) names += (names.empty() ? "" : ", ") + c->container.id;
  report.error(one.ip.where, "[" + one.ip.id + "] is encapsulated, and it is not said in which container",
               all.empty() ? "add a section such as [container#0] for the container that has the device " + one.ip.ipdev
                           : "add netns = with one of " + names);
}

void check_encapsulated(Draft& draft, Report& report) {
  for (auto& one : draft.ips)
    if (one.ip.type == IpType::encap && !one.ip.disable && one.ip.netns.empty()) choose_container(one, draft, report);
}

void check_containers(Draft& draft, Report& report) {
  std::set<std::string> targets;
  for (const auto& one : draft.ips) targets.insert(one.ip.netns);
  for (const auto& one : draft.containers)
    if (one.container.netns != one.container.id) targets.insert(one.container.netns);
  Unique names(report, "container name");
  for (auto& one : draft.containers) {
    auto& c = one.container;
    names.take(c.name, in_quotes(c.name), c.id, one.place("name"));
    if (c.builtin_pause && !c.detach)
      report.error(one.place("detach"),
                   "detach in [" + c.id + "]: the built-in pause never ends, and the start would wait for that",
                   "remove it");
    if (one.has_image) continue;
    if (one.has_name) {
      c.existing = true;
      c.detach = true;  // said to be without effect
      check_existing(one, report);
    } else if (targets.contains(c.id)) {
      c.builtin_pause = true;
    } else if (!draft.service.has_node(draft.service.node)) {
      c.disable = true;  // it may have them on the service's nodes
    } else if (!c.disable) {
      report.error(c.where, "[" + c.id + "] has neither an image nor a name",
                   "add an image to make a container from, or the name of a container that exists already");
    }
  }
}

// run_args may name a container of the service by its name in the engine, as docker does.
void names_to_ids(Draft& draft) {
  static constexpr std::array<std::pair<std::string_view, std::string ContainerResource::*>, 3> kJoining = {
      {{"netns", &ContainerResource::netns},
       {"pidns", &ContainerResource::pidns},
       {"ipcns", &ContainerResource::ipcns}}};
  for (auto& one : draft.containers)
    for (const auto& [keyword, member] : kJoining) {
      if (!one.flags.contains(keyword)) continue;
      for (const auto& other : draft.containers)
        if (other.container.name == one.container.*member) one.container.*member = other.container.id;
    }
}

// Two nodes speak with each other on the devices that the addresses are plumbed on, while one of them has no container
// with an address yet; and a program that is started before its address is there must be able to listen on it.
void check_handover(Draft& draft, Report& report) {
  if (!draft.service.handover) return;
  if (draft.service.topology == "flex")
    report.error(draft.handover, "handover in [DEFAULT]: a flex service has an address of its own on each node",
                 "remove handover, or write topology = failover");
  for (const auto& one : draft.ips) {
    const bool encap = one.ip.type == IpType::encap;
    if (one.ip.disable || one.ip.standby) continue;
    if (encap || one.ip.mode == IpMode::dedicated)
      report.error(one.place(encap ? "tags" : "mode"),
                   "[" + one.ip.id + "] cannot be handed over (handover = true): its device is " +
                       (encap ? "a container's own" : "in the container") + ", not the node's",
                   "remove handover, and the service is moved by a stop and a start");
    if (one.ip.type != IpType::netns) continue;
    for (auto& c : draft.containers) {
      if (c.container.id != one.ip.netns || c.container.existing) continue;
      c.container.sysctl.try_emplace("net.ipv4.ip_nonlocal_bind", "1");
      const bool v6 = std::any_of(one.addresses.begin(), one.addresses.end(),
                                  [](const auto& address) { return address.value.is_v6(); });
      if (v6) c.container.sysctl.try_emplace("net.ipv6.ip_nonlocal_bind", "1");
    }
  }
}

}  // namespace

void check_across(Draft& draft, Report& report) {
  names_to_ids(draft);
  check_containers(draft, report);
  check_encapsulated(draft, report);
  check_ips(draft, report);
  check_namespaces(draft, report);
  check_handover(draft, report);
}

}  // namespace plumb
