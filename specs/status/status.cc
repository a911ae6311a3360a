#include "specs/status/status.h"

#include <algorithm>
#include <set>

#include "specs/plan/default_route.h"
#include "specs/plan/host_access.h"
#include "specs/plan/init_container.h"
#include "specs/plan/parent_link.h"
#include "specs/plan/planned_address.h"
#include "specs/plan/plumbed.h"
#include "specs/service/uplink.h"

namespace plumb {

std::string_view to_string(Availability availability) {
  switch (availability) {
    case Availability::up: return "up";
    case Availability::down: return "down";
    case Availability::degraded: return "degraded";
    case Availability::unknown: return "unknown";
    case Availability::disabled: return "disabled";
  }
  return "unknown";
}

namespace {

// Resources by their state.
struct Count {
  std::size_t all = 0;
  std::size_t up = 0;
  std::size_t down = 0;
};

class Evaluation {
 public:
  Evaluation(const Service& service, const Observed& seen) : service_(service), seen_(seen) {}

  ServiceStatus run() {
    ServiceStatus out;
    out.service = service_.name;
    out.node = service_.node;
    out.engine = engine();
    if (seen_.engine.state == EngineState::unreachable) out.problems.push_back(seen_.engine.error.what);
    if (seen_.engine.state == EngineState::crashed)
      out.problems.emplace_back(
          "the service's engine is gone without having been stopped; its containers may still run");
    for (const auto& ip : service_.ips) out.resources.push_back(judge(ip));
    for (const auto& c : service_.containers) out.resources.push_back(judge(c));
    for (const auto& left : seen_.leftovers)
      out.problems.push_back("container " + left.name + " (" + left.state + ") is left over from an earlier start");
    out.state = overall(out);
    return out;
  }

 private:
  [[nodiscard]] std::string engine() const {
    if (seen_.engine.state == EngineState::unused) return {};
    std::string text = seen_.engine.is_private ? "private" : "shared";
    switch (seen_.engine.state) {
      case EngineState::up: text += ", " + seen_.engine.version; break;
      case EngineState::unasked: text += ", not asked"; break;
      case EngineState::down: text += ", not running"; break;
      case EngineState::crashed: text += ", crashed"; break;
      case EngineState::unreachable: text += ", does not answer"; break;
      case EngineState::unused: break;
    }
    return text + ", " + seen_.engine.socket;
  }

  [[nodiscard]] bool engine_unknown() const {
    return seen_.engine.state == EngineState::unreachable || seen_.engine.state == EngineState::crashed;
  }

  ResourceStatus judge(const ContainerResource& c) {
    ResourceStatus out;
    out.id = c.id;
    out.kind = "container";
    out.optional = c.optional;
    out.standby = c.standby;
    out.label = c.name + (c.builtin_pause   ? std::string(" (built-in pause)")
                          : c.image.empty() ? std::string{}
                                            : " (" + c.image + ")");
    if (service_.container(c.netns) != nullptr) out.joins = c.netns;
    if (c.disable) {
      out.state = Availability::disabled;
      return out;
    }
    if (engine_unknown()) {
      out.state = Availability::unknown;
      return out;
    }
    const auto found = seen_.containers.find(c.id);
    if (found == seen_.containers.end()) return out;
    const auto& have = found->second;
    if (!c.existing && have.service != service_.name) {
      out.problems.push_back("the name " + c.name + " is taken by a container that is not this service's");
      return out;
    }
    if (ended_well(service_, seen_, c)) {
      out.label += ", done (exit code 0)";
      out.state = Availability::up;
      return out;
    }
    if (!have.running) {
      if (!c.detach && have.state == "exited" && have.exit_code != 0)
        out.problems.push_back("it ended with exit code " + std::to_string(have.exit_code));
      if (have.state != "exited" && have.state != "created") out.problems.push_back("the engine says: " + have.state);
      return out;
    }
    out.label += ", pid " + std::to_string(have.pid);
    if (c.existing && have.netns) out.label += own_addresses(*have.netns);
    out.state = Availability::up;
    if (have.state == "paused") fault(out, "it is paused");
    if (!c.detach) fault(out, "it has not ended yet, and the start waits for that (detach = false)");
    judge_namespace(c, have, out);
    return out;
  }

  // What a container that plumb has not made brings with it; the service's own addresses have lines of their own.
  [[nodiscard]] std::string own_addresses(const ObservedNetns& ns) const {
    std::set<IpAddress> ours;
    for (const auto& ip : service_.ips)
      if (const auto addresses = resolved_addresses(ip, seen_)) ours.insert(addresses->begin(), addresses->end());
    std::string out;
    for (const auto& address : ns.addresses) {
      const auto& ip = address.cidr.address();
      const auto* link = ns.link(address.link);
      if (link == nullptr || ip.is_loopback() || ip.is_link_local() || ours.contains(ip)) continue;
      out += ", " + address.cidr.to_string() + " on " + link->name;
    }
    return out;
  }

  void judge_namespace(const ContainerResource& c, const ObservedContainer& have, ResourceStatus& out) const {
    if (out.joins.empty()) return;
    const auto owner = seen_.containers.find(c.netns);
    if (owner == seen_.containers.end() || !owner->second.running)
      return fault(out, "its namespace's owner " + c.netns + " is not running");
    if (!have.netns || !owner->second.netns) return fault(out, "its network namespace could not be read");
    if (!have.netns->same_as(*owner->second.netns))
      fault(out, "it is not in the network namespace of " + c.netns + ", but in one of an earlier start");
  }

  static void fault(ResourceStatus& out, std::string problem) {
    out.state = Availability::degraded;
    out.problems.push_back(std::move(problem));
  }

  ResourceStatus judge(const IpResource& ip) {
    ResourceStatus out;
    out.id = ip.id;
    out.kind = ip.type == IpType::host ? "ip host" : ip.type == IpType::encap ? "ip encap" : "ip netns";
    out.joins = ip.netns;
    out.optional = ip.optional;
    out.standby = ip.standby;
    for (const auto& name : ip.names) out.label += (out.label.empty() ? "" : " ") + name.to_string();
    if (ip.disable) {
      out.state = Availability::disabled;
      return out;
    }
    const ObservedNetns* ns = &seen_.node;
    if (ip.type != IpType::host) {
      out.label += (ip.type == IpType::encap ? " on " + ip.ipdev : std::string{}) + " in " + ip.netns;
      if (engine_unknown()) {
        out.state = Availability::unknown;
        return out;
      }
      const auto owner = seen_.containers.find(ip.netns);
      if (owner == seen_.containers.end() || !owner->second.running) return out;
      if (!owner->second.netns) {
        fault(out, ip.netns + " has no network namespace that could be read: it ends, or it runs in the node's");
        return out;
      }
      ns = &*owner->second.netns;
    } else {
      out.label += " on " + uplink(ip);
    }
    judge_addresses(ip, *ns, out);
    return out;
  }

  void judge_addresses(const IpResource& ip, const ObservedNetns& ns, ResourceStatus& out) const {
    const auto wanted = resolved_addresses(ip, seen_);
    if (!wanted) {
      out.state = Availability::unknown;
      out.problems.push_back(wanted.error().what);
      return;
    }
    std::size_t present = 0;
    std::string label;
    for (const auto& address : *wanted) {
      const auto* have = ns.address(address);
      if (have == nullptr) {
        out.problems.push_back("address " + address.to_string() + " is not there");
        continue;
      }
      ++present;
      judge_address(ip, ns, *have, out);
      const auto* link = ns.link(have->link);
      label += (label.empty() ? "" : " ") + have->cidr.to_string() + " on " +
               (link == nullptr ? std::string("?") : link->name);
    }
    if (present > 0) {
      if (ip.type == IpType::netns)
        label += " (" + std::string(link_words(planned_mode(ip, seen_))) + uplink(ip) + ") in " + ip.netns;
      if (ip.type == IpType::encap) label += " in " + ip.netns;
      out.label = label;
      out.state = out.problems.empty() ? Availability::up : Availability::degraded;
    } else if (ip.type != IpType::netns || ns.link(planned_device(service_, ip)) == nullptr) {
      out.state = Availability::down;
      out.problems.clear();  // nothing of it is there: that is down, not broken
    } else {
      out.state = Availability::degraded;
    }
  }

  void judge_address(const IpResource& ip, const ObservedNetns& ns, const ObservedAddress& have,
                     ResourceStatus& out) const {
    const std::string text = have.cidr.address().to_string();
    if (have.dadfailed)
      out.problems.push_back(text + ": duplicate address detected (dadfailed)");
    else if (have.tentative)
      out.problems.push_back(text + ": still tentative");
    const auto* link = ns.link(have.link);
    if (link == nullptr || !link->up)
      out.problems.push_back(text + ": its device is down");
    else if (ip.check_carrier && !link->carrier)
      out.problems.push_back(text + ": device " + link->name + " has no carrier");
    if (link != nullptr && is_unplugged(ip, *link, seen_))
      out.problems.push_back(text + ": the port of " + link->name + " is not in the bridge " + uplink(ip));
    if (ip.type != IpType::netns && link != nullptr && link != ns.link(uplink(ip)))
      out.problems.push_back(text + ": it is on " + link->name + ", not on " + uplink(ip));
    if (lacks_host_access(ip, have.cidr.address(), seen_))
      out.problems.push_back(text + ": the node itself cannot reach it: its route or its link is gone (host_access)");
    judge_route(ip, ns, have.cidr, out);
  }

  void judge_route(const IpResource& ip, const ObservedNetns& ns, const Cidr& cidr, ResourceStatus& out) const {
    const auto planned = planned_addresses(ip, seen_);
    if (!planned) return;  // said already
    for (const auto& address : *planned)
      if (address.cidr.address() == cidr.address() && !has_planned_route(service_, ip, ns, address))
        out.problems.push_back(address.gateway ? "no default route via " + address.gateway->to_string()
                                               : "no default route");
  }

  // What is on standby is up everywhere, so it does not say whether the service is up here; a service that is nothing
  // else is judged by it.
  static Availability overall(const ServiceStatus& status) {
    Count running;
    Count standby;
    for (const auto& r : status.resources) {
      if (r.state == Availability::disabled || r.optional) continue;
      if (r.state == Availability::unknown) return Availability::unknown;
      Count& count = r.standby ? standby : running;
      ++count.all;
      if (r.state == Availability::up) ++count.up;
      if (r.state == Availability::down) ++count.down;
    }
    const Count& deciding = running.all == 0 ? standby : running;
    if (deciding.down == deciding.all) return Availability::down;
    return running.up == running.all && standby.up == standby.all ? Availability::up : Availability::degraded;
  }

  const Service& service_;
  const Observed& seen_;
};

}  // namespace

ServiceStatus evaluate(const Service& service, const Observed& seen) { return Evaluation(service, seen).run(); }

}  // namespace plumb
