#include "plugin/driver/record/network_options.h"

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "specs/language/keywords.h"
#include "specs/language/spelling.h"
#include "specs/service/link_value.h"
#include "specs/service/uplink.h"
#include "specs/value/scalar.h"
#include "specs/value/text.h"

namespace plumb::driver {

namespace {

constexpr std::string_view kEngineLabels = "com.docker.network.";
constexpr const char* kEngineMtu = "com.docker.network.driver.mtu";
constexpr const char* kEnginePrefix = "com.docker.network.container_iface_prefix";

// The engine shows one text to its user, so the remedy is part of the sentence.
Err refuse(std::string_view option, const std::string& why, const std::string& remedy = {}) {
  return Err{ErrorKind::spec,
             "option -o " + printable(option.substr(0, 80)) + ": " + why + (remedy.empty() ? "" : "; " + remedy)};
}

struct Setting {
  std::string_view name;  // as the user wrote it
  std::string_view value;
};

// The options of one network, read one by one.
class OptionReader {
 public:
  explicit OptionReader(const std::map<std::string, std::string>& options) : options_(options) {}

  [[nodiscard]] Result<void> check_names() const {
    static const std::vector<std::string> kKnown = {
        "parent",   "ipdev", "mode",     "mtu",         "vlan",         "vlan_tag",    "mac",           "vlan_mode",
        "conflict", "probe", "announce", "host_access", "macvlan_mode", "ipvlan_mode", "check_carrier", "gateway"};
    for (const auto& [name, value] : options_) {
      if (name.starts_with(kEngineLabels)) continue;
      if (std::find(kKnown.begin(), kKnown.end(), name) != kKnown.end()) continue;
      return refuse(name, "there is no such option", did_you_mean(name, kKnown));
    }
    return {};
  }

  // The setting under any of its names; empty values count as not set, as in a spec.
  [[nodiscard]] Result<std::optional<Setting>> setting(std::initializer_list<std::string_view> names) const {
    std::optional<Setting> out;
    for (const auto name : names) {
      const auto found = options_.find(std::string(name));
      if (found == options_.end() || found->second.empty()) continue;
      if (out && out->value != found->second)
        return refuse(name, in_quotes(found->second) + " is not what -o " + std::string(out->name) + " says",
                      "they are two names of one option: give one of them");
      if (!out) out = Setting{name, found->second};
    }
    return out;
  }

  // Its value, by any function that makes a Result<T> of a text.
  template <typename Parse>
  [[nodiscard]] auto value(std::initializer_list<std::string_view> names, Parse parse) const
      -> Result<std::optional<typename decltype(parse(std::string_view()))::value_type>> {
    using T = typename decltype(parse(std::string_view()))::value_type;
    const auto found = TRY(setting(names));
    if (!found) return std::optional<T>{};
    auto parsed = parse(found->value);
    if (!parsed) return refuse(found->name, parsed.error().what, parsed.error().next);
    return std::optional<T>(std::move(parsed).value());
  }

  // One of the candidates that the keyword of that name has in a spec; empty when it is not set.
  [[nodiscard]] Result<std::string> choice(const char* name) const {
    const auto* row = find_keyword(SectionKind::ip, name);
    const auto candidates = row == nullptr ? std::string_view() : row->candidates;
    const auto word = TRY(value({name}, [&](std::string_view text) { return parse_choice(text, candidates); }));
    return word.value_or(std::string());
  }

 private:
  const std::map<std::string, std::string>& options_;
};

Result<void> read_parent(const OptionReader& reader, IpResource& link) {
  const auto parent = TRY(reader.value({"parent", "ipdev"}, parse_device));
  if (!parent)
    return refuse("parent", "it is not set", "say which device of the node leads to the network: -o parent=eth0");
  if (parent->str() == "lo") return refuse("parent", "lo leads to no network", "name a device that does, such as eth0");
  link.ipdev = parent->str();
  return {};
}

// The words of the engine's own macvlan and ipvlan drivers are understood, so that their networks can be taken over as
// they are written.
Result<void> read_mode(const OptionReader& reader, IpResource& link) {
  link.mode = mode_of(TRY(reader.choice("mode")));
  const bool chosen = link.mode != IpMode::automatic;
  const std::string mode(mode_name(link.mode));
  if (const auto macvlan = TRY(reader.setting({"macvlan_mode"}))) {
    if (macvlan->value != "bridge")
      return refuse(macvlan->name, in_quotes(macvlan->value) + " is not a way that plumb makes a macvlan",
                    "the one there is is bridge: links of one parent reach each other");
    if (chosen && link.mode != IpMode::macvlan)
      return refuse(macvlan->name, "it has no meaning with mode=" + mode, "remove one of the two");
    link.mode = IpMode::macvlan;
  }
  if (const auto ipvlan = TRY(reader.setting({"ipvlan_mode"}))) {
    const auto word = parse_choice(ipvlan->value, "l2 l3 l3s");
    if (!word) return refuse(ipvlan->name, word.error().what, word.error().next);
    const IpMode wanted = mode_of("ipvlan-" + *word);
    if (link.mode != IpMode::automatic && link.mode != wanted)
      return refuse(ipvlan->name, in_quotes(*word) + " contradicts mode=" + std::string(mode_name(link.mode)),
                    "remove one of the two");
    link.mode = wanted;
  }
  return {};
}

Result<void> read_vlan(const OptionReader& reader, IpResource& link) {
  const std::string mode(mode_name(link.mode));
  const auto name = TRY(reader.setting({"vlan", "vlan_tag"}));
  link.vlan_tag =
      TRY(reader.value({"vlan", "vlan_tag"}, [](std::string_view text) { return parse_integer(text, 1, 4094); }));
  link.vlan_mode = TRY(reader.choice("vlan_mode"));
  if (!link.vlan_mode.empty() && link.mode != IpMode::ovs)
    return refuse("vlan_mode", "it is for ports of an Open vSwitch bridge", "add -o mode=ovs, or remove it");
  if (!link.vlan_tag) return {};
  if (link.mode == IpMode::bridge)
    return refuse(name->name, "not with mode=bridge", "set mode=macvlan: it is made on a VLAN device of the bridge");
  if (link.mode == IpMode::dedicated)
    return refuse(name->name, "not with mode=dedicated", "name the VLAN device itself as parent");
  if (link.mode != IpMode::ovs && !IfName::parse(uplink(link)))
    return refuse(name->name, in_quotes(uplink(link)) + " is too long for a device",
                  "make the VLAN device under a shorter name and set parent to that");
  return {};
}

Result<MacPolicy> read_mac(const OptionReader& reader, const IpResource& link) {
  const auto word =
      TRY(reader.value({"mac"}, [](std::string_view text) { return parse_choice(text, "random from-ip"); }));
  if (!word || *word == "random") return MacPolicy::random;
  if (is_ipvlan(link.mode))
    return refuse("mac", "an ipvlan has the MAC of its parent", "remove it, or set mode=macvlan");
  if (link.mode == IpMode::dedicated)
    return refuse("mac", "a dedicated device keeps its own MAC", "remove it, or set mode=macvlan");
  return MacPolicy::from_ip;
}

// For those that the engine takes for none (--gateway): outside of the subnet, or link-local.
Result<std::vector<IpAddress>> read_gateways(const OptionReader& reader, const IpResource& link) {
  std::vector<IpAddress> out;
  const auto written = TRY(reader.setting({"gateway"}));
  if (!written) return out;
  if (is_routed(link.mode))
    return refuse("gateway", "it has no meaning with mode=" + std::string(mode_name(link.mode)) + ": the node routes",
                  "remove one of the two");
  for (const auto word : split_at(written->value, ',')) {
    auto gateway = IpAddress::parse(word);
    if (!gateway)
      return refuse("gateway", gateway.error().what, "write an address of IPv4, one of IPv6, or ADDRESS,ADDRESS");
    if (gateway->is_any() || gateway->is_loopback() || gateway->is_multicast())
      return refuse("gateway", in_quotes(word) + " is no machine's address");
    for (const auto& other : out)
      if (other.is_v6() == gateway->is_v6())
        return refuse("gateway", other.to_string() + " and " + gateway->to_string() + " are of one family",
                      "give one of each");
    out.push_back(*std::move(gateway));
  }
  return out;
}

// The engine puts a number behind it.
Result<IfName> parse_interface_prefix(std::string_view text) {
  auto numbered = IfName::parse(std::string(text) + "999");
  if (!numbered)
    return Err{ErrorKind::spec, in_quotes(text) + " begins no name of a device: at most 12 bytes, none of them / or :"};
  return numbered;
}

Result<std::string> read_interface_prefix(const OptionReader& reader) {
  const auto numbered = TRY(reader.value({kEnginePrefix}, parse_interface_prefix));
  if (!numbered) return std::string("eth");
  return numbered->str().substr(0, numbered->str().size() - 3);
}

Result<void> read_policies(const OptionReader& reader, IpResource& link) {
  // RFC 791: 68. That IPv6 needs 1280 (RFC 8200 section 5) is for the subnets to say.
  link.mtu =
      TRY(reader.value({"mtu", kEngineMtu}, [](std::string_view text) { return parse_integer(text, 68, 65535); }));
  link.conflict = conflict_of(TRY(reader.choice("conflict")));
  link.probe = probe_of(TRY(reader.choice("probe")));
  if (const auto announce = TRY(reader.value({"announce"}, parse_announce))) link.announce = *announce;
  link.check_carrier = TRY(reader.value({"check_carrier"}, parse_bool)).value_or(true);
  link.host_access = TRY(reader.value({"host_access"}, parse_bool)).value_or(false);
  if (link.host_access && (link.mode == IpMode::bridge || probed_from_link(link.mode)))
    return refuse("host_access", "it is for macvlan and ipvlan, not for mode=" + std::string(mode_name(link.mode)),
                  "remove it");
  return {};
}

}  // namespace

Result<NetworkOptions> parse_options(const std::map<std::string, std::string>& options) {
  const OptionReader reader(options);
  TRY(reader.check_names());
  NetworkOptions out;
  out.link.type = IpType::netns;
  TRY(read_parent(reader, out.link));
  TRY(read_mode(reader, out.link));
  TRY(read_vlan(reader, out.link));
  out.mac = TRY(read_mac(reader, out.link));
  out.gateways = TRY(read_gateways(reader, out.link));
  out.interface_prefix = TRY(read_interface_prefix(reader));
  TRY(read_policies(reader, out.link));
  return out;
}

}  // namespace plumb::driver
