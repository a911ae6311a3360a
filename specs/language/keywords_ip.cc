// The keywords of [ip#N]: an address of the service.
#include "specs/language/keyword_tables.h"

namespace plumb::tables {

namespace {

constexpr auto kSection = SectionKind::ip;

constexpr Keyword kRows[] = {
    {.section = kSection,
     .name = "type",
     .type = ValueType::choice,
     .default_value = "host",
     .candidates = "host netns docker",
     .example = "netns",
     .text = "host: the address is added to `ipdev` of the node itself. netns (docker is its older name): a link on "
             "`ipdev` is "
             "made inside the network namespace of the container that `netns` names, and the address is added there."},
    {.section = kSection,
     .name = "ipname",
     .aliases = "name",
     .type = ValueType::addresses,
     .required = true,
     .example = "10.0.3.3",
     .text = "The address of the service, or a host name that resolves to it; should the resolver not answer, the "
             "addresses of the last start count, with a warning. Several, separated by spaces, are all "
             "added to "
             "the same link: an IPv4 and an IPv6 address make the service dual stack. Scopes give each site or "
             "instance its "
             "own: `ipname@nodes`, `ipname@drpnodes`, `ipname@n1`."},
    {.section = kSection,
     .name = "ipdev",
     .aliases = "dev",
     .type = ValueType::device,
     .required = true,
     .example = "eth0",
     .text =
         "The network device of the node that reaches the network of the address. For type host the address is added "
         "to "
         "it. For type netns it is the parent of the link in the container: a bridge gets a port, any other device a "
         "macvlan."},
    {.section = kSection,
     .name = "netmask",
     .type = ValueType::netmask,
     .default_text = "that of the first address of `ipdev` in the same family",
     .example = "255.255.255.0",
     .text = "The length of the network prefix, as a number (24) or dotted (255.255.255.0). For a service with "
             "addresses of "
             "both families write two: the one of IPv4, then the one of IPv6 (24 64)."},
    {.section = kSection,
     .name = "gateway",
     .type = ValueType::address,
     .default_text = "none: no default route is made",
     .example = "10.0.3.1",
     .text =
         "The router for the default route in the container's network namespace. It must be in the subnet of `ipname` "
         "and `netmask`, unless that is 32 (128 for IPv6), an address without a subnet: then it is on the link, as "
         "hosters "
         "route failover addresses. For type host it makes no route; it is told about the address when it is "
         "announced. With `tags = "
         "nonrouted` it is left out."},
    {.section = kSection,
     .name = "netns",
     .aliases = "container_rid",
     .type = ValueType::resource,
     .default_text = "none; required for type netns",
     .example = "container#0",
     .text = "For type netns: the container whose network namespace gets the address. Other containers join that "
             "namespace with "
             "their own `netns = container#0` and so share the address."},
    {.section = kSection,
     .name = "mode",
     .type = ValueType::choice,
     .default_text = "bridge when `ipdev` is a bridge, else macvlan",
     .candidates = "bridge macvlan ipvlan-l2 ipvlan-l3 ipvlan-l3s dedicated ovs",
     .example = "macvlan",
     .text =
         "For type netns: how the link in the container is made. bridge: a veth pair with its outer end on the bridge "
         "`ipdev`. macvlan: a macvlan in bridge mode on `ipdev`; the node itself cannot reach the address without "
         "`host_access`. ipvlan-l2: like macvlan, with the MAC of `ipdev`, for networks that allow one MAC for each "
         "port. ipvlan-l3 and ipvlan-l3s (with the node's netfilter): the node routes for the address, which nobody "
         "resolves by ARP, so the network's routers need a route to it by the node; it is not announced. dedicated: "
         "`ipdev` itself is moved into the container, and back out under its old name when the service stops, or after "
         "its container died. ovs: a veth pair with its outer end on the Open vSwitch bridge `ipdev`. A device is the "
         "parent of macvlans or of ipvlans of one mode, not of both."},
    {.section = kSection,
     .name = "nsdev",
     .type = ValueType::device,
     .default_text = "the first free eth<n>",
     .example = "front",
     .text = "For type netns: the name of the link in the container, at most 15 bytes."},
    {.section = kSection,
     .name = "macaddr",
     .type = ValueType::mac,
     .default_text = "chosen by the kernel",
     .example = "02:00:0a:00:03:03",
     .text = "For type netns: the Ethernet address of the link in the container. With a fixed one, neighbours need not "
             "learn "
             "anything when the service moves."},
    {.section = kSection,
     .name = "mtu",
     .type = ValueType::integer,
     .default_text = "that of `ipdev`",
     .example = "1400",
     .origin = Origin::plumb,
     .text = "For type netns: the largest packet of the link in the container, in bytes, from 68 (1280 with an IPv6 "
             "address) to "
             "65535. It cannot be more than that of `ipdev`."},
    {.section = kSection,
     .name = "conflict",
     .type = ValueType::choice,
     .default_value = "fail",
     .candidates = "fail warn takeover",
     .example = "warn",
     .origin = Origin::plumb,
     .text =
         "What to do when another machine answers for the address. fail: refuse to start and name its hardware "
         "address. "
         "warn: start all the same and say so. takeover: the same; the announcements point the network here, until "
         "the rival speaks again. Of a service that runs, `plumb watch` reports the rival and defends the address, but "
         "with warn only reports it."},
    {.section = kSection,
     .name = "probe",
     .type = ValueType::choice,
     .default_value = "fast",
     .candidates = "fast rfc off",
     .example = "rfc",
     .origin = Origin::plumb,
     .text =
         "How the network is asked whether somebody has the address already. fast: three probes and an answer within "
         "about "
         "120 ms, while the containers start. rfc: the timers of RFC 5227, which take 4 to 7 seconds and find rivals "
         "that are slow to answer. off: nobody is asked."},
    {.section = kSection,
     .name = "hello",
     .type = ValueType::choice,
     .default_value = "1s",
     .candidates = "1s 500ms 250ms off",
     .example = "250ms",
     .origin = Origin::plumb,
     .text =
         "How often the watcher tells the LAN which addresses this node claims, in one broadcast frame of EtherType "
         "0x88b5 for all of them (the shortest of a LAN counts). By these frames two nodes find out within that time "
         "that both have an address after a partition, and who gives way. off: none is sent, and only announcements "
         "and probes tell."},
    {.section = kSection,
     .name = "announce",
     .type = ValueType::announce,
     .default_value = "5 500ms 1m",
     .example = "10 1s",
     .origin = Origin::plumb,
     .text =
         "How many times (1 to 100) the new place of the address is announced to the network, and how long to wait "
         "between "
         "two announcements (10ms to 1m). The first one is immediate and the others do not delay the start. The third "
         "word is the period in which the watcher announces it again while nothing happens (10s to 1h, 0: never), "
         "since switches and routers forget hosts that are quiet."},
    {.section = kSection,
     .name = "check_carrier",
     .type = ValueType::boolean,
     .default_value = "true",
     .example = "false",
     .text = "Refuse to start, and report the address as down, when `ipdev` has no carrier (the cable is out, or the "
             "port of "
             "the switch is off); and the watcher takes the address off its link until the carrier is back and the LAN "
             "has been asked."},
    {.section = kSection,
     .name = "alias",
     .type = ValueType::boolean,
     .default_value = "true",
     .example = "false",
     .support = Support::ignored,
     .text = "In OpenSVC, false adds the address as the primary one of its device. With plumb the address is added "
             "with its "
             "netmask and the kernel orders the addresses of a device, so this keyword has no effect."},
    {.section = kSection,
     .name = "source",
     .type = ValueType::boolean,
     .default_value = "false",
     .example = "true",
     .origin = Origin::plumb,
     .text =
         "Let the node use an IPv6 address of type host as the source of its own connections. Without it the address "
         "is "
         "added with a preferred lifetime of 0, so that what the node sends comes from its own address, wherever the "
         "service runs. IPv4 has no such choice: the first address of a subnet is the source."},
    {.section = kSection,
     .name = "del_net_route",
     .type = ValueType::boolean,
     .default_value = "false",
     .example = "true",
     .text =
         "Leave out the route to the address's own network that the kernel makes with an address. Useful when several "
         "addresses of one network would give several equal routes."},
    {.section = kSection,
     .name = "host_access",
     .type = ValueType::boolean,
     .default_value = "false",
     .example = "true",
     .origin = Origin::plumb,
     .text =
         "Let the node itself reach an address on a macvlan or ipvlan, which the kernel does not do by itself: "
         "plumb makes one more of these on the node (plh and the number of `ipdev`), shared by all services on that "
         "device, with a route for each address, and removes it with the last of them. On a bridge the node's own "
         "address on the bridge does that, and the keyword has no effect."},
    {.section = kSection,
     .name = "accept_ra",
     .type = ValueType::boolean,
     .default_value = "false",
     .example = "true",
     .origin = Origin::plumb,
     .text = "For type netns: take addresses and routes from IPv6 router advertisements on the link, beside the "
             "service's own. Otherwise they are refused: any machine of the network could give the service another "
             "default route."},
    {.section = kSection,
     .name = "vlan_tag",
     .type = ValueType::integer,
     .default_text = "none",
     .example = "44",
     .text =
         "The 802.1q tag, 1 to 4094. With mode ovs it is that of the port. Otherwise the link, or the address of "
         "type host, is put on the VLAN device `ipdev`.`vlan_tag` (eth0.44), as if `ipdev` were set to that. A VLAN "
         "device that is missing is made, shared by the services of the node, and removed with its last user; one "
         "that was there already is left."},
    {.section = kSection,
     .name = "vlan_mode",
     .type = ValueType::choice,
     .default_value = "native-untagged",
     .candidates = "access native-tagged native-untagged",
     .example = "access",
     .text =
         "For mode ovs: how the port treats tags, in Open vSwitch's own words (ovs-vswitchd.conf.db(5), vlan_mode)."},
    {.section = kSection,
     .name = "network",
     .example = "10.0.3.0",
     .support = Support::ignored,
     .text = "In OpenSVC, the network to allocate an address from, or its number. plumb takes the network from "
             "`ipname` and "
             "`netmask`; this keyword has no effect."},
    {.section = kSection,
     .name = "wait_dns",
     .type = ValueType::duration,
     .default_value = "0",
     .example = "10s",
     .text = "How long a start waits for a host name in `ipname` that does not resolve yet, for a DNS that comes up "
             "beside the service. In OpenSVC, how long it waits for its cluster's DNS."},
    {.section = kSection,
     .name = "dns_name_suffix",
     .example = "front",
     .support = Support::ignored,
     .text = "In OpenSVC, a suffix for the name that its cluster DNS publishes. plumb has no DNS of its own; this "
             "keyword has no "
             "effect."},
    {.section = kSection,
     .name = "expose",
     .type = ValueType::words,
     .default_text = "none",
     .example = "443/tcp",
     .text =
         "The ports that the service is for, each as 443/tcp or 53/udp. The containers own the address with all its "
         "ports, so nothing has to be opened or mapped; `plumb doctor` says which of these nobody listens on. "
         "OpenSVC's port of the node after a colon (443/tcp:8443) has no effect."},
    {.section = kSection,
     .name = "tags",
     .type = ValueType::words,
     .example = "nonrouted",
     .text = "Words that mark the resource. nonrouted: make no default route, whatever `gateway` says. encap: the "
             "address goes on a device that the service's container has already, `ipdev` being that device; `netns` "
             "says which container where there are several, and settings for @encapnodes or for the container's name "
             "win. dedicated: the same as `mode = dedicated`. Other words are free."},
    {.section = kSection,
     .name = "standby",
     .type = ValueType::boolean,
     .default_value = "false",
     .example = "true",
     .text = "Keep the address up on every node, also where the service is not started: `plumb boot` plumbs it, `plumb "
             "shutdown` takes it away, `plumb stop` leaves it. It is meant for addresses of a node's own, as "
             "`ipname@n1` gives them."},
    {.section = kSection,
     .name = "encap",
     .type = ValueType::boolean,
     .default_value = "false",
     .example = "true",
     .text = "The same as `tags = encap`: the address goes on a device that the service's container has already."},
    {.section = kSection,
     .name = "optional",
     .type = ValueType::boolean,
     .default_value = "false",
     .example = "true",
     .text = "A failure of this resource does not fail the start of the service, and its state does not count in the "
             "service's."},
    {.section = kSection,
     .name = "disable",
     .type = ValueType::boolean,
     .default_value = "false",
     .example = "false",
     .text = "Leave this resource out of every action. `disable@n1 = true` does so on one node."},
    {.section = kSection,
     .name = "restart",
     .type = ValueType::integer,
     .default_value = "0",
     .example = "2",
     .text =
         "How often OpenSVC brings the resource back when it goes down, 0 to 1000. `plumb watch` puts an address, its "
         "link and its route back whatever the number."},
    {.section = kSection,
     .name = "monitor",
     .type = ValueType::boolean,
     .default_value = "false",
     .example = "true",
     .support = Support::ignored,
     .text = "Let the failure of this resource trigger the relocation of the service. `plumb watch` puts it back and "
             "reports it, but moves no service: that is the cluster's, so the keyword has no effect."},
};

}  // namespace

std::span<const Keyword> ip_rows() { return kRows; }

}  // namespace plumb::tables
