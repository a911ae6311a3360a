#include "plugin/verb/doctor.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <span>
#include <sstream>
#include <utility>

#include "netns/address/firewall.h"
#include "netns/lan/probe.h"
#include "netns/link/link.h"
#include "plugin/engine/service_engine.h"
#include "plugin/verb/observer.h"
#include "specs/plan/own_macs.h"
#include "specs/plan/parent_link.h"
#include "specs/plan/planned_address.h"
#include "specs/service/uplink.h"

namespace plumb {

namespace {

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// BR_STATE_*, linux/if_bridge.h.
std::string port_state(const std::string& device) {
  static constexpr std::array<const char*, 5> kStates = {"disabled", "listening", "learning", "forwarding", "blocking"};
  const std::string state = first_line("/sys/class/net/" + device + "/brport/state");
  return state.size() == 1 && state[0] >= '0' && state[0] <= '4' ? kStates.at(static_cast<std::size_t>(state[0] - '0'))
                                                                 : "";
}

// The ports of /proc/PID/net/tcp and the like in a state: LISTEN (0A) for TCP, unconnected (07) for UDP
// (Documentation/networking/proc_net_tcp.rst), that are not on a loopback address.
void read_listeners(const std::string& path, std::string_view wanted, std::set<unsigned>& ports) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);  // the heading
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::string slot, local, remote, state;
    words >> slot >> local >> remote >> state;
    const auto colon = local.find(':');
    if (state != wanted || colon == std::string::npos) continue;
    const std::string address = local.substr(0, colon);
    if (address == "0100007F" || address == "00000000000000000000000001000000") continue;
    ports.insert(static_cast<unsigned>(std::strtoul(local.c_str() + colon + 1, nullptr, 16)));
  }
}

class Examination {
 public:
  Examination(const Service& service, const Observation& observation, std::stop_token stop)
      : service_(service), observation_(observation), stop_(std::move(stop)) {}

  Result<Evidence> run() {
    Evidence out;
    const auto node = TRY(netns::Namespace::current());
    for (const auto& ip : service_.ips) {
      if (ip.disable) continue;
      const netns::Namespace* ns = &node;
      if (ip.type != IpType::host) {
        const auto held = observation_.namespaces.find(ip.netns);
        if (held == observation_.namespaces.end()) continue;
        ns = held->second.get();
      }
      out[ip.id] = TRY(look_at(ip, *ns));
    }
    return out;
  }

 private:
  Result<IpEvidence> look_at(const IpResource& ip, const netns::Namespace& ns) {
    IpEvidence out;
    auto socket = TRY(netns::RouteSocket::open(ns));
    const auto name = TRY(IfName::parse(ip.type == IpType::netns ? planned_device(service_, ip) : uplink(ip)));
    const auto link = TRY(netns::find_link(socket, name));
    if (!link || !link->up) return out;
    out.macvlan_mode = link->macvlan_mode;
    if (link->kind == "veth" && planned_mode(ip, observation_.seen) == IpMode::bridge) look_at_bridge(*link, out);
    for (const auto& chain : TRY(netns::base_chains(ns)))
      if (chain.drops_by_default && (chain.hook == "input" || chain.hook == "prerouting" || chain.hook == "output"))
        out.dropping.push_back("table " + chain.family + " " + chain.table + ", chain " + chain.name);
    ask(ip, ns, link->index, out);
    const auto owner = observation_.seen.containers.find(ip.netns);
    const std::string process =
        owner == observation_.seen.containers.end() ? "self" : std::to_string(owner->second.pid);
    const std::string tables = "/proc/" + process + "/net/";
    for (const char* table : {"tcp", "tcp6"}) read_listeners(tables + table, "0A", out.tcp);
    for (const char* table : {"udp", "udp6"}) read_listeners(tables + table, "07", out.udp);
    out.listeners_known = true;
    return out;
  }

  void look_at_bridge(const netns::Link& link, IpEvidence& out) const {
    if (const auto* outer = observation_.seen.node.link(link.parent_index)) out.port_state = port_state(outer->name);
    out.bridged_is_filtered = first_line("/proc/sys/net/bridge/bridge-nf-call-iptables") == "1";
  }

  // From the address's own device. Where nobody resolves addresses there is nothing to ask.
  void ask(const IpResource& ip, const netns::Namespace& ns, int device, IpEvidence& out) {
    if (is_routed(ip.mode)) return;
    const auto addresses = planned_addresses(ip, observation_.seen);
    if (!addresses) return;
    const auto macs = own_macs(ip, observation_.seen);
    const std::vector<Mac> own(macs.begin(), macs.end());
    for (const auto& address : *addresses) {
      out.own.push_back(asked(ns, device, address.cidr.address(), own));
      if (address.gateway) out.gateway = asked(ns, device, *address.gateway, {});
    }
  }

  Asked asked(const netns::Namespace& ns, int device, const IpAddress& address, std::span<const Mac> ignore) {
    auto probed = netns::probe(ns, device, address, netns::kFastProbe, stop_, ignore);
    if (!probed) return {address, {}, probed.error().what};
    return {address, probed->rival ? std::optional<Mac>(probed->rival->mac) : std::nullopt, {}};
  }

  const Service& service_;
  const Observation& observation_;
  std::stop_token stop_;
};

}  // namespace

Result<std::vector<Finding>> examine(const Service& service, const std::stop_token& stop) {
  ServiceEngine engine(service);
  const auto observation = TRY(observe(service, engine, stop));
  const auto evidence = TRY(Examination(service, observation, stop).run());
  return diagnose(service, observation.seen, evidence);
}

}  // namespace plumb
