#include "plugin/driver/network_methods.h"

#include <array>

#include "docker_client/json.h"
#include "plugin/driver/endpoint_link.h"
#include "plugin/driver/log.h"
#include "plugin/driver/record/subnet.h"
#include "specs/service/uplink.h"

namespace plumb::driver {

namespace {

using docker::Json;

constexpr const char* kGeneric = "com.docker.network.generic";
constexpr const char* kInternalLabel = "com.docker.network.internal";
constexpr const char* kPortsLabel = "com.docker.network.portmap";
constexpr const char* kMacLabel = "com.docker.network.endpoint.macaddress";

struct Call {
  Networks& networks;
  Pools& pools;
  const Json& body;
};

Err bad(const std::string& what) { return Err{ErrorKind::usage, what}; }

// An id that the engine has made; it becomes part of a path.
Result<std::string> id_in(const Json& body, const char* name) {
  auto id = docker::text_of(body, name);
  if (!is_record_id(id)) return bad(std::string(name) + ": \"" + id.substr(0, 80) + "\" is no id");
  return id;
}

// The host part of the gateway may be all 0: that is how Pools says that there is none.
Result<std::optional<IpAddress>> gateway_in(const Json& data, const Cidr& pool) {
  const auto text = docker::text_of(data, "Gateway");
  if (text.empty()) return std::optional<IpAddress>{};
  const auto gateway = TRY(IpAddress::parse(std::string_view(text).substr(0, text.find('/'))));
  return gateway == pool.address() ? std::nullopt : std::optional(gateway);
}

Result<void> add_subnets(const Json& list, std::vector<Subnet>& out) {
  if (!list.is_array()) return {};  // null for a family that the network does not have
  for (const auto& data : list) {
    const auto pool = TRY(parse_subnet(docker::text_of(data, "Pool"), "--subnet"));
    // 0.0.0.0/0: no address management at all (--ipam-driver null).
    if (pool.prefix() == 0) continue;
    const auto gateway = TRY(gateway_in(data, pool));
    Subnet subnet{pool, gateway, {}};
    for (const auto& [name, value] : docker::pairs_of(data, "AuxAddresses"))
      subnet.auxiliaries.push_back(TRY(IpAddress::parse(std::string_view(value).substr(0, value.find('/')))));
    out.push_back(std::move(subnet));
  }
  return {};
}

Result<Json> create_network(const Call& call) {
  const auto id = TRY(id_in(call.body, "NetworkID"));
  const auto& options = docker::member(call.body, "Options");
  std::vector<Subnet> subnets;
  TRY(add_subnets(docker::member(call.body, "IPv4Data"), subnets));
  TRY(add_subnets(docker::member(call.body, "IPv6Data"), subnets));
  // Its pools first: by them the network is found that a driver was killed over.
  TRY(call.pools.bind(NetworkRecord{id, {}, {}, false, subnets}));
  TRY(call.networks.create_network(id, docker::pairs_of(options, kGeneric), docker::flag_of(options, kInternalLabel),
                                   subnets));
  return Json::object();
}

Result<Json> delete_network(const Call& call) {
  const auto id = TRY(id_in(call.body, "NetworkID"));
  TRY(call.networks.delete_network(id));
  return Json::object();
}

// Ports are an engine's to publish on the node's own address; this container has one of its own.
void say_of_ports(const Call& call) {
  const auto& ports = docker::member(docker::member(call.body, "Options"), kPortsLabel);
  if (ports.is_array() && !ports.empty())
    say_of_endpoint(docker::text_of(call.body, "EndpointID"),
                    "publishing a port (-p) has no effect here: its address is on the LAN, with all its ports");
}

Result<Json> create_endpoint(const Call& call) {
  const auto network = TRY(id_in(call.body, "NetworkID"));
  const auto id = TRY(id_in(call.body, "EndpointID"));
  const auto& interface = docker::member(call.body, "Interface");
  WantedInterface wanted;
  for (const char* name : {"Address", "AddressIPv6"})
    if (const auto text = docker::text_of(interface, name); !text.empty())
      wanted.addresses.push_back(TRY(Cidr::parse(text)));
  auto mac = docker::text_of(interface, "MacAddress");
  const bool in_options = mac.empty();
  if (in_options) mac = docker::text_of(docker::member(call.body, "Options"), kMacLabel);
  if (!mac.empty()) wanted.mac = TRY(Mac::parse(mac));
  const auto made = TRY(call.networks.create_endpoint(network, id, wanted));
  say_of_ports(call);
  // Only what was empty may be filled in: anything else is "driver modified interface" to the engine.
  Json answer = Json::object();
  if (in_options && made.mac) answer["Interface"] = {{"MacAddress", made.mac->to_string()}};
  return answer;
}

Result<Json> delete_endpoint(const Call& call) {
  const auto id = TRY(id_in(call.body, "EndpointID"));
  TRY(call.networks.delete_endpoint(id));
  return Json::object();
}

// Never an error, which would undo a start in older engines, and nothing of a type that somebody might expect
// otherwise.
Result<Json> endpoint_info(const Call& call) {
  Json value = Json::object();
  if (const auto known = call.networks.find_endpoint(docker::text_of(call.body, "EndpointID")))
    value = {{"plumb.parent", known->uplink}, {"plumb.mode", std::string(mode_name(known->mode))}};
  return Json{{"Value", std::move(value)}};
}

Result<Json> join(const Call& call) {
  const auto id = TRY(id_in(call.body, "EndpointID"));
  const auto joined = TRY(call.networks.join(id, docker::text_of(call.body, "SandboxKey")));
  // No second interface behind anybody's back (docker_gwbridge): the network has the way out that it was given.
  Json answer{{"InterfaceName", {{"SrcName", joined.device}, {"DstPrefix", joined.prefix}}},
              {"DisableGatewayService", true}};
  if (joined.way.gateway_v4) answer["Gateway"] = joined.way.gateway_v4->to_string();
  if (joined.way.gateway_v6) answer["GatewayIPv6"] = joined.way.gateway_v6->to_string();
  return answer;
}

Result<Json> leave(const Call& call) {
  call.networks.leave(TRY(id_in(call.body, "EndpointID")));
  return Json::object();
}

// The last call of a start: in newer engines the link is in the container then.
Result<Json> connect_outside(const Call& call) {
  TRY(call.networks.check_start(docker::text_of(call.body, "EndpointID")));
  return Json::object();
}

Result<Json> nothing(const Call& /*call*/) { return Json::object(); }

Result<Json> capabilities(const Call& /*call*/) {
  return Json{{"Scope", "local"}, {"ConnectivityScope", "global"}, {"GwAllocChecker", true}};
}

// A gateway is a machine of the LAN: never an address that address management is to find.
Result<Json> gateway_check(const Call& /*call*/) { return Json{{"SkipIPv4", true}, {"SkipIPv6", true}}; }

struct Method {
  std::string_view name;
  Result<Json> (*run)(const Call&);
  bool needs_body;
};

constexpr std::array<Method, 13> kMethods{{{"GetCapabilities", capabilities, false},
                                           {"GwAllocCheck", gateway_check, false},
                                           {"CreateNetwork", create_network, true},
                                           {"DeleteNetwork", delete_network, true},
                                           {"CreateEndpoint", create_endpoint, true},
                                           {"EndpointOperInfo", endpoint_info, false},
                                           {"DeleteEndpoint", delete_endpoint, true},
                                           {"Join", join, true},
                                           {"Leave", leave, true},
                                           {"DiscoverNew", nothing, false},
                                           {"DiscoverDelete", nothing, false},
                                           {"ProgramExternalConnectivity", connect_outside, false},
                                           {"RevokeExternalConnectivity", nothing, false}}};

}  // namespace

Result<std::optional<std::string>> network_call(Networks& networks, Pools& pools, std::string_view method,
                                                const std::string& body) {
  for (const auto& known : kMethods) {
    if (known.name != method) continue;
    Json parsed = Json::object();
    if (known.needs_body || !body.empty()) {
      parsed = Json::parse(body, nullptr, false);
      if (body.empty() && (known.run == create_network || known.run == delete_network)) networks.network_call_was_cut();
      if (!parsed.is_object() && known.needs_body)
        return bad(body.empty() ? "the request has no body" : "the request's body is no JSON object");
    }
    return std::optional(docker::dump(TRY(known.run({networks, pools, parsed}))));
  }
  return std::optional<std::string>{};
}

}  // namespace plumb::driver
