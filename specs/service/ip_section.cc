#include "specs/service/ip_section.h"

#include <algorithm>

#include "specs/service/link_value.h"
#include "specs/service/resource_section.h"
#include "specs/service/uplink.h"
#include "specs/value/host_name.h"
#include "specs/value/scalar.h"
#include "specs/value/text.h"

namespace plumb {

namespace {

std::string in_section(const SectionReader& reader) { return " in [" + reader.section().name + "]"; }

// Why an address cannot be a service's, or nothing. RFC 1122 section 3.2.1.3, RFC 4291 section 2.
std::string_view unusable(const IpAddress& address) {
  const auto bytes = address.bytes();
  if (address.is_any()) return "is the unspecified address";
  if (address.is_loopback()) return "is a loopback address";
  if (address.is_multicast()) return "is a multicast address";
  if (!address.is_v6() && bytes[0] == 0) return "is in the network 0.0.0.0/8";
  const auto is_ones = [](std::uint8_t byte) { return byte == 0xff; };
  if (!address.is_v6() && std::all_of(bytes.begin(), bytes.end(), is_ones)) return "is the limited broadcast address";
  if (!address.is_v6() && bytes[0] >= 240) return "is in the reserved network 240.0.0.0/4";
  const bool mapped = address.is_v6() &&
                      std::all_of(bytes.begin(), bytes.begin() + 10, [](auto b) { return b == 0; }) &&
                      bytes[10] == 0xff && bytes[11] == 0xff;
  if (mapped) return "is an IPv4 address written as IPv6";
  return {};
}

// A name of ipname: an address that a service can have, or a host name.
Result<IpName> parse_name(std::string_view text) {
  if (const auto slash = text.find('/'); slash != std::string_view::npos && IpAddress::parse(text.substr(0, slash)))
    return Err{ErrorKind::spec, in_quotes(text) + " has a prefix length",
               "write ipname = " + std::string(text.substr(0, slash)) +
                   " and netmask = " + std::string(text.substr(slash + 1))};
  if (const auto zone = text.find('%'); zone != std::string_view::npos && IpAddress::parse(text.substr(0, zone)))
    return Err{ErrorKind::spec, in_quotes(text) + " has a zone",
               "ipdev says which device; drop " + in_quotes(text.substr(zone))};
  auto name = IpName::parse(text);
  if (!name || name->address() == nullptr) return name;
  if (const auto why = unusable(*name->address()); !why.empty())
    return Err{ErrorKind::spec, std::string(text) + " " + std::string(why) + " and cannot be a service's"};
  return name;
}

Result<Mac> parse_mac(std::string_view text) {
  const Mac mac = TRY(Mac::parse(text));
  if (mac.is_multicast())
    return Err{ErrorKind::spec, in_quotes(text) + " is a multicast address: the lowest bit of its first byte is set",
               "an address of your own begins with 02"};
  const auto bytes = mac.bytes();
  if (std::all_of(bytes.begin(), bytes.end(), [](auto b) { return b == 0; }))
    return Err{ErrorKind::spec, in_quotes(text) + " is no address at all", "an address of your own begins with 02"};
  return mac;
}

Result<IpAddress> parse_gateway(std::string_view text) {
  auto address = IpAddress::parse(text);
  if (!address && text.find_first_of(" \t\n") != std::string_view::npos)
    return Err{ErrorKind::spec, in_quotes(text) + " is more than one address", "one gateway can be given"};
  if (!address && HostName::parse(text))
    return Err{ErrorKind::spec, in_quotes(text) + " is a host name", "a gateway is given by its address"};
  if (!address) return address;
  if (const auto why = unusable(*address); !why.empty())
    return Err{ErrorKind::spec, std::string(text) + " " + std::string(why) + " and cannot be a gateway"};
  return address;
}

void read_names(SectionReader& reader, IpDraft& draft) {
  for (auto& name : reader.list("ipname", parse_name)) {
    const auto [first, fresh] = draft.ip.name_positions.try_emplace(name.value, name.where);
    if (!fresh) {
      reader.report().error(name.where,
                            "ipname" + in_section(reader) + ": " + name.value.to_string() + " is given twice");
      continue;
    }
    if (const auto* address = name.value.address()) draft.addresses.push_back({*address, name.where});
    draft.ip.names.push_back(std::move(name.value));
  }
}

// One or two netmasks, for the families of the names.
class Netmasks {
 public:
  Netmasks(SectionReader& reader, IpDraft& draft) : reader_(reader), draft_(draft) {
    for (const auto& [address, where] : draft.addresses) (address.is_v6() ? v6_ : v4_) = true;
    // A host name may resolve to either family.
    names_ = draft.ip.names.size() > draft.addresses.size();
  }

  void read() {
    const auto words = reader_.words("netmask");
    if (words.size() > 2) return refuse(words[2].where, "more than two netmasks", "give one for each family");
    if (words.size() == 2) {
      take(words[0], false);
      take(words[1], true);
    } else if (words.size() == 1) {
      take_one(words[0]);
    }
  }

 private:
  void refuse(const Position& where, const std::string& why, std::string hint = {}) {
    reader_.report().error(where, "netmask" + in_section(reader_) + ": " + why, std::move(hint));
  }

  void take_one(const Placed<std::string>& word) {
    const bool dotted = word.value.find('.') != std::string::npos;
    if (v4_ && v6_)
      return refuse(word.where, "one netmask for addresses of both families",
                    "give that of IPv4, then that of IPv6: netmask = 24 64");
    const bool long_one = !dotted && Cidr::parse_netmask(word.value, true).value_or(0) > 32;
    take(word, v6_ || (names_ && !v4_ && long_one));
  }

  void take(const Placed<std::string>& word, bool v6) {
    const auto length = Cidr::parse_netmask(word.value, v6);
    if (!length) return refuse(word.where, length.error().what, length.error().next);
    if (*length == 0)
      return refuse(word.where, "a network of every address there is", "the usual lengths are 24 and 64");
    (v6 ? draft_.ip.netmask_v6 : draft_.ip.netmask_v4) = *length;
  }

  SectionReader& reader_;
  IpDraft& draft_;
  bool v4_ = false;
  bool v6_ = false;
  bool names_ = false;
};

void read_vlan(SectionReader& reader, IpDraft& draft) {
  auto& ip = draft.ip;
  if (const auto tag = reader.integer("vlan_tag", 1, 4094)) ip.vlan_tag = tag->value;
  if (draft.places.contains("vlan_mode")) ip.vlan_mode = reader.choice("vlan_mode");
  if (!ip.vlan_mode.empty() && ip.mode != IpMode::ovs)
    reader.report().warning(draft.place("vlan_mode"), "vlan_mode" + in_section(reader) + " has no effect",
                            "it is for mode = ovs");
  if (!ip.vlan_tag || ip.mode == IpMode::ovs) return;
  if (ip.type == IpType::encap)
    return reader.report().error(draft.place("vlan_tag"),
                                 "vlan_tag" + in_section(reader) + ": not for a device inside a container",
                                 "name the container's VLAN device as ipdev");
  const std::string mode = std::string(mode_name(ip.mode));
  if (ip.mode == IpMode::bridge || ip.mode == IpMode::dedicated) {
    reader.report().error(draft.place("vlan_tag"), "vlan_tag" + in_section(reader) + ": not with mode = " + mode,
                          ip.mode == IpMode::bridge ? "set mode = macvlan: it is made on a VLAN device of the bridge"
                                                    : "name the VLAN device itself as ipdev");
  } else if (!IfName::parse(uplink(ip))) {
    reader.report().error(draft.place("vlan_tag"),
                          "vlan_tag" + in_section(reader) + ": " + in_quotes(uplink(ip)) + " is too long for a device",
                          "make the VLAN device under a shorter name and set ipdev to that");
  }
}

void read_link(SectionReader& reader, IpDraft& draft) {
  auto& ip = draft.ip;
  ip.mode = mode_of(reader.choice("mode"));
  if (ip.has_tag("dedicated") && ip.mode == IpMode::automatic) ip.mode = IpMode::dedicated;
  if (ip.type != IpType::netns) {
    ip.mode = IpMode::automatic;
    if (ip.has_tag("dedicated"))
      reader.report().warning(draft.place("tags"), "tag \"dedicated\" of [" + ip.id + "] has no effect",
                              "it is for type netns");
  }
  read_vlan(reader, draft);
  if (auto name = reader.single("nsdev", parse_device)) {
    if (name->value.str() == "lo")
      reader.report().error(name->where,
                            "nsdev" + in_section(reader) + ": lo is the loopback device of every namespace");
    ip.nsdev = name->value;
  }
  if (auto mac = reader.single("macaddr", parse_mac)) {
    ip.macaddr = mac->value;
    if (is_ipvlan(ip.mode))
      reader.report().error(mac->where, "macaddr" + in_section(reader) + ": an ipvlan has the MAC of its device",
                            "remove it, or set mode = macvlan");
  }
  const bool v6 =
      std::any_of(draft.addresses.begin(), draft.addresses.end(), [](const auto& a) { return a.value.is_v6(); });
  // RFC 8200 section 5: IPv6 needs 1280 bytes; the kernel drops the address of a link with less. RFC 791: 68.
  if (const auto mtu = reader.integer("mtu", v6 ? 1280 : 68, 65535)) ip.mtu = mtu->value;
}

// "443/tcp", "53/udp"; OpenSVC adds ":8443" for a port of the node.
void read_exposed(SectionReader& reader, IpResource& ip) {
  for (const auto& word : reader.words("expose")) {
    const std::string_view text = word.value;
    const auto colon = text.find(':');
    const std::string_view own = text.substr(0, colon);
    const auto slash = own.find('/');
    const std::string_view protocol = slash == std::string_view::npos ? "tcp" : own.substr(slash + 1);
    const auto port = parse_integer(own.substr(0, slash), 1, 65535);
    if (!port || (protocol != "tcp" && protocol != "udp")) {
      reader.report().error(word.where, "expose" + in_section(reader) + ": " + in_quotes(text) + " is not a port",
                            "write it as 443/tcp or 53/udp");
      continue;
    }
    if (colon != std::string_view::npos)
      reader.report().warning(word.where,
                              "expose" + in_section(reader) + ": " + in_quotes(text.substr(colon)) + " has no effect",
                              "the service has an address of its own: no port of the node leads to it");
    ip.expose.push_back({*port, protocol == "udp"});
  }
}

void read_policies(SectionReader& reader, IpResource& ip) {
  ip.conflict = conflict_of(reader.choice("conflict"));
  ip.probe = probe_of(reader.choice("probe"));
  ip.hello = hello_of(reader.choice("hello"));
  if (const auto announce = reader.single("announce", parse_announce)) ip.announce = announce->value;
  ip.del_net_route = reader.boolean("del_net_route");
  ip.check_carrier = reader.boolean("check_carrier");
  ip.alias = reader.boolean("alias");
  ip.source = reader.boolean("source");
  ip.host_access = reader.boolean("host_access");
  ip.accept_ra = reader.boolean("accept_ra");
  if (const auto wait = reader.duration("wait_dns", true)) ip.wait_dns = *wait;
  read_exposed(reader, ip);
}

// One of the two that there are; OpenSVC has more.
bool has_known_type(SectionReader& reader) {
  const auto type = reader.text("type");
  return !type || type->value == "host" || type->value == "netns";
}

void check_required(SectionReader& reader, IpDraft& draft) {
  const std::string section = "[" + draft.ip.id + "]";
  const auto missing = [&](std::string_view keyword, const std::string& example) {
    if (reader.may_be_mistyped(keyword)) return;
    const auto scopes = reader.scopes(keyword);
    if (!scopes.empty() && reader.is_elsewhere()) {
      draft.ip.disable = true;
      return;
    }
    reader.report().error(draft.ip.where,
                          section + " has no " + std::string(keyword) + " on node " + in_quotes(reader.node()),
                          scopes.empty() ? "add a line such as " + std::string(keyword) + " = " + example
                                         : "it is set only for " + scopes);
  };
  const auto need = [&](std::string_view keyword, const std::string& example) {
    if (const auto where = reader.emptied(keyword))
      reader.report().error(*where,
                            std::string(keyword) + in_section(reader) + " is empty once its references are replaced",
                            "it needs a value such as " + example);
    else if (!draft.places.contains(keyword))
      missing(keyword, example);
  };
  if (!has_known_type(reader)) return;  // what it needs is not known either
  need("ipname", "10.0.3.3");
  need("ipdev", "eth0");
  if (draft.ip.type == IpType::netns) need("netns", "container#0");
  if (draft.ip.type == IpType::netns && draft.ip.ipdev == "lo") {
    reader.report().error(draft.place("ipdev"),
                          "ipdev" + in_section(reader) + ": a link in a container cannot be made on lo");
  }
  if (draft.ip.type == IpType::netns) return;
  if (draft.ip.type == IpType::host && draft.places.contains("netns"))
    reader.report().error(draft.place("netns"), section + " has a netns but its type is host",
                          "add type = netns, or remove the netns");
  for (const std::string_view keyword : {"mode", "nsdev", "macaddr", "mtu", "host_access", "accept_ra", "vlan_mode"})
    if (draft.places.contains(keyword))
      reader.report().warning(draft.place(keyword),
                              std::string(keyword) + in_section(reader) + " has no effect on an address of type " +
                                  (draft.ip.type == IpType::host ? "host" : "host, encapsulated or not"),
                              "it is for the link of type netns");
}

}  // namespace

IpDraft read_ip(SectionReader& reader, const std::vector<std::string>& containers) {
  IpDraft draft;
  read_resource(reader, draft.ip);
  const bool encap = reader.boolean("encap") || draft.ip.has_tag("encap");
  if (encap) reader.as_guest(containers);
  for (const auto& keyword : keywords_of(SectionKind::ip))
    if (const auto where = reader.place(keyword.name)) draft.places.emplace(keyword.name, *where);
  draft.ip.type = reader.choice("type") == "host" ? IpType::host : IpType::netns;
  if (encap && draft.ip.type == IpType::netns)
    reader.report().error(draft.place("type"),
                          "[" + draft.ip.id + "] is encapsulated, and of type netns: plumb makes no link inside a link",
                          "remove the type: the address goes on ipdev, a device of the container");
  if (encap) draft.ip.type = IpType::encap;
  read_names(reader, draft);
  if (const auto device = reader.single("ipdev", parse_device)) draft.ip.ipdev = device->value.str();
  Netmasks(reader, draft).read();
  draft.gateway = reader.single("gateway", parse_gateway);
  if (draft.gateway && !draft.ip.has_tag("nonrouted")) draft.ip.gateway = draft.gateway->value;
  if (const auto netns = reader.text("netns")) draft.ip.netns = netns->value;
  read_link(reader, draft);
  read_policies(reader, draft.ip);
  if (!draft.ip.disable) check_required(reader, draft);
  reader.as_guest({});
  return draft;
}

}  // namespace plumb
