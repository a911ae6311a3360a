#include "specs/status/diagnosis.h"

#include <algorithm>

#include "specs/plan/default_route.h"
#include "specs/plan/parent_link.h"
#include "specs/plan/planned_address.h"
#include "specs/plan/plumbed.h"
#include "specs/plan/precondition.h"
#include "specs/service/uplink.h"

namespace plumb {

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::ok: return "ok";
    case Verdict::note: return "note";
    case Verdict::problem: return "problem";
  }
  return "problem";
}

namespace {

class Doctor {
 public:
  Doctor(const Service& service, const Observed& seen, const Evidence& evidence)
      : service_(service), seen_(seen), evidence_(evidence) {}

  std::vector<Finding> run() {
    check_place();
    const bool engine = check_engine();
    if (engine)
      for (const auto& c : service_.containers)
        if (!c.disable) check_container(c);
    for (const auto& ip : service_.ips)
      if (!ip.disable && (engine || ip.type == IpType::host)) check_ip(ip);
    return std::move(out_);
  }

 private:
  void ok(const std::string& subject, const std::string& check, std::string text) {
    out_.push_back({Verdict::ok, subject, check, std::move(text), {}});
  }
  void note(const std::string& subject, const std::string& check, std::string text, std::string fix) {
    out_.push_back({Verdict::note, subject, check, std::move(text), std::move(fix)});
  }
  // Returns false, for checks that the next ones depend on.
  bool problem(const std::string& subject, const std::string& check, std::string text, std::string fix) {
    out_.push_back({Verdict::problem, subject, check, std::move(text), std::move(fix)});
    return false;
  }
  // On a node that is prepared for a hand-over another one may have the addresses, and gives them: where none has them,
  // activate says what to do. Elsewhere a start asks the LAN, and is refused where another one has them.
  [[nodiscard]] std::string start() const {
    const bool prepared = service_.handover && seen_.unknown_here &&
                          std::any_of(seen_.containers.begin(), seen_.containers.end(),
                                      [](const auto& one) { return one.second.running; });
    return (prepared ? "plumb activate " : "plumb start ") + service_.name;
  }

  void check_place() {
    if (const auto here = check_node(service_); !here) problem("service", "node", here.error().what, here.error().next);
  }

  bool check_engine() {
    const auto& engine = seen_.engine;
    switch (engine.state) {
      case EngineState::unused:
      case EngineState::unasked: return true;
      case EngineState::up: ok("engine", "engine", "it answers on " + engine.socket); return true;
      case EngineState::down: return problem("engine", "engine", "the service's own engine is not running", start());
      case EngineState::crashed:
        return problem("engine", "engine", "the service's own engine is gone without having been stopped", start());
      case EngineState::unreachable: return problem("engine", "engine", engine.error.what, engine.error.next);
    }
    return false;
  }

  [[nodiscard]] const ObservedContainer* running(const std::string& id) const {
    const auto found = seen_.containers.find(id);
    return found != seen_.containers.end() && found->second.running ? &found->second : nullptr;
  }

  void check_container(const ContainerResource& c) {
    const auto* have = running(c.id);
    const auto found = seen_.containers.find(c.id);
    if (have == nullptr) {
      if (!c.detach && found != seen_.containers.end() && found->second.exit_code == 0)
        return ok(c.id, "running", c.name + " has done its work");
      const bool ended = found != seen_.containers.end() && found->second.state == "exited";
      problem(c.id, "running",
              c.name + (ended ? " ended with exit code " + std::to_string(found->second.exit_code) : " is not running"),
              ended ? "plumb logs " + service_.name + " " + c.id + "; " + start() : start());
      return;
    }
    const auto* owner = service_.container(c.netns);
    const auto* owner_seen = owner == nullptr ? nullptr : running(owner->id);
    if (owner != nullptr && have->netns && owner_seen != nullptr && owner_seen->netns &&
        !have->netns->same_as(*owner_seen->netns)) {
      problem(c.id, "namespace", c.name + " is in the network namespace of an earlier " + owner->id, start());
      return;
    }
    ok(c.id, "running", c.name + " is running");
  }

  void check_ip(const IpResource& ip) {
    if (ip.type != IpType::encap) check_way(ip);
    const ObservedNetns* ns = &seen_.node;
    if (ip.type != IpType::host) {
      const auto* owner = running(ip.netns);
      ns = owner == nullptr || !owner->netns ? nullptr : &*owner->netns;
      if (ns == nullptr) {
        problem(ip.id, "namespace", "it lives in " + ip.netns + ", which is not running", start());
        return;
      }
    }
    const auto* link = check_link(ip, *ns);
    if (link == nullptr) return;
    if (!check_addresses(ip, *ns)) return;
    const auto found = evidence_.find(ip.id);
    if (found == evidence_.end()) return;
    check_network(ip, *link, found->second);
    check_firewall(ip, found->second);
    check_listeners(ip, found->second);
  }

  // From the node's device outwards.
  void check_way(const IpResource& ip) {
    if (const auto way = check_uplink(service_, ip, seen_); !way) {
      std::string what = way.error().what;
      if (what.starts_with(ip.id + ": ")) what.erase(0, ip.id.size() + 2);
      problem(ip.id, "device", what, way.error().next);
    } else {
      ok(ip.id, "device",
         uplink(ip) + " of the node is as mode " + std::string(mode_name(planned_mode(ip, seen_))) + " needs it");
    }
  }

  const ObservedLink* check_link(const IpResource& ip, const ObservedNetns& ns) {
    const std::string name = ip.type == IpType::netns ? planned_device(service_, ip) : uplink(ip);
    const auto* link = ns.link(name);
    if (link == nullptr) {
      problem(ip.id, "link", "there is no device " + name + (ip.netns.empty() ? "" : " in " + ip.netns), start());
      return nullptr;
    }
    if (ip.type == IpType::netns && !link_fits(ip, *link, seen_))
      problem(ip.id, "link", name + " is not the link that the configuration asks for",
              "plumb restart " + service_.name);
    if (is_unplugged(ip, *link, seen_)) {
      problem(ip.id, "link", "the port of " + name + " is not in the bridge " + uplink(ip), start());
      return nullptr;
    }
    if (!link->up) {
      problem(ip.id, "link", name + " is down", start());
      return nullptr;
    }
    if (!link->carrier) {
      problem(ip.id, "carrier", name + " has no carrier",
              "ip link show " + uplink(ip) + "; check its cable, and the port of the switch");
      return nullptr;
    }
    ok(ip.id, "carrier", name + " is up, with a carrier");
    return link;
  }

  bool check_addresses(const IpResource& ip, const ObservedNetns& ns) {
    const auto wanted = planned_addresses(ip, seen_);
    if (!wanted) return problem(ip.id, "name", wanted.error().what, wanted.error().next);
    bool all = true;
    for (const auto& address : *wanted) {
      const std::string text = address.cidr.address().to_string();
      const auto* have = ns.address(address.cidr.address());
      if (have == nullptr) {
        all = problem(ip.id, "address", text + " is not there", start());
      } else if (have->dadfailed) {
        all = problem(ip.id, "address", text + " is a duplicate, says the kernel (dadfailed), and not used",
                      "stop the other host that has it; then plumb restart " + service_.name);
      } else if (have->tentative) {
        all = problem(ip.id, "address", text + " is tentative: duplicate address detection goes on", "wait a second");
      } else {
        ok(ip.id, "address", have->cidr.to_string() + " is there");
      }
      if (!has_planned_route(service_, ip, ns, address))
        problem(ip.id, "route",
                "no default route" + (address.gateway ? " via " + address.gateway->to_string() : std::string{}) +
                    ": other networks get no answer",
                start());
    }
    return all;
  }

  void check_network(const IpResource& ip, const ObservedLink& link, const IpEvidence& seen) {
    for (const auto& asked : seen.own) {
      const std::string text = asked.address.to_string();
      if (asked.answer)
        problem(ip.id, "rival", asked.answer->to_string() + " answers for " + text + ", too",
                "stop the service there, or fence that node; the switch's table of MAC addresses shows its port");
      else if (asked.error.empty())
        ok(ip.id, "rival", "nobody else answers for " + text);
      else
        note(ip.id, "rival", text + " could not be asked for: " + asked.error, {});
    }
    if (seen.gateway && seen.gateway->answer)
      ok(ip.id, "gateway", seen.gateway->address.to_string() + " answers, at " + seen.gateway->answer->to_string());
    else if (seen.gateway)
      problem(ip.id, "gateway",
              "the gateway " + seen.gateway->address.to_string() + " does not answer on " + link.name +
                  (seen.gateway->error.empty() ? "" : ": " + seen.gateway->error),
              "check the gateway, the VLAN of the port, and whether the switch admits more than one MAC");
    if (!seen.macvlan_mode.empty() && seen.macvlan_mode != "bridge")
      problem(ip.id, "macvlan", link.name + " is a macvlan in mode " + seen.macvlan_mode + ", not bridge",
              "plumb restart " + service_.name);
    if (seen.macvlan_mode == "bridge" && !ip.host_access)
      note(ip.id, "macvlan", "the node itself does not reach a macvlan; other machines do",
           "host_access = true in [" + ip.id + "], if it should");
    if (!seen.port_state.empty() && seen.port_state != "forwarding")
      problem(ip.id, "bridge", "its port of " + uplink(ip) + " is " + seen.port_state,
              "bridge link show; the spanning tree, or another port with its MAC, blocks it");
    if (seen.bridged_is_filtered)
      note(ip.id, "bridge", "frames on bridges go through the node's iptables, where Docker drops what it forwards",
           "sysctl net.bridge.bridge-nf-call-iptables=0, or iptables -I FORWARD -m physdev --physdev-is-bridged -j "
           "ACCEPT");
  }

  void check_firewall(const IpResource& ip, const IpEvidence& seen) {
    if (seen.dropping.empty()) return ok(ip.id, "firewall", "no chain of its namespace drops by default");
    std::string list;
    for (const auto& chain : seen.dropping) list += (list.empty() ? "" : ", ") + chain;
    note(ip.id, "firewall", "its namespace drops what no rule accepts: " + list,
         ip.type == IpType::host ? "nft list ruleset" : "plumb enter " + service_.name + " -- nft list ruleset");
  }

  void check_listeners(const IpResource& ip, const IpEvidence& seen) {
    if (!seen.listeners_known) return;
    for (const auto& port : ip.expose)
      if (!(port.udp ? seen.udp : seen.tcp).contains(port.port))
        problem(ip.id, "listener",
                "no program listens on port " + std::to_string(port.port) + (port.udp ? "/udp" : "/tcp") + " (expose)",
                "plumb logs " + service_.name);
    std::string ports;
    for (const auto port : seen.tcp) ports += (ports.empty() ? "" : ", ") + std::to_string(port);
    if (ports.empty() && ip.expose.empty())
      note(ip.id, "listener", "no program listens on a TCP port of it", "plumb logs " + service_.name);
    if (!ports.empty()) ok(ip.id, "listener", "somebody listens on TCP " + ports);
  }

  const Service& service_;
  const Observed& seen_;
  const Evidence& evidence_;
  std::vector<Finding> out_;
};

}  // namespace

std::vector<Finding> diagnose(const Service& service, const Observed& seen, const Evidence& evidence) {
  return Doctor(service, seen, evidence).run();
}

}  // namespace plumb
