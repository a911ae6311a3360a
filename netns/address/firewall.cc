#include "netns/address/firewall.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <cerrno>

#include "netns/socket/attributes.h"
#include "netns/socket/dump.h"

namespace plumb::netns {

namespace {

std::string family_name(std::uint8_t family) {
  switch (family) {
    case NFPROTO_INET: return "inet";
    case NFPROTO_IPV4: return "ip";
    case NFPROTO_ARP: return "arp";
    case NFPROTO_NETDEV: return "netdev";
    case NFPROTO_BRIDGE: return "bridge";
    case NFPROTO_IPV6: return "ip6";
    default: return std::to_string(family);
  }
}

std::string hook_name(std::uint8_t family, std::uint32_t hook) {
  if (family == NFPROTO_ARP || family == NFPROTO_NETDEV) return {};  // these count otherwise
  switch (hook) {
    case NF_INET_PRE_ROUTING: return "prerouting";
    case NF_INET_LOCAL_IN: return "input";
    case NF_INET_FORWARD: return "forward";
    case NF_INET_LOCAL_OUT: return "output";
    case NF_INET_POST_ROUTING: return "postrouting";
    default: return {};
  }
}

// nfnetlink's numbers are big-endian.
std::uint32_t number(const Attributes<NFTA_CHAIN_MAX>& chain, int attribute) {
  return ntohl(chain.u32(attribute).value_or(0));
}

std::optional<BaseChain> decode_chain(const nlmsghdr& message) {
  const auto header = family_header<nfgenmsg>(message);
  if (!header || message.nlmsg_type != ((NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_NEWCHAIN)) return std::nullopt;
  const Attributes<NFTA_CHAIN_MAX> chain(message, sizeof(nfgenmsg));
  if (!chain.has(NFTA_CHAIN_HOOK)) return std::nullopt;
  const Attributes<NFTA_HOOK_MAX> hook(chain.get(NFTA_CHAIN_HOOK));
  return BaseChain{family_name(header->nfgen_family), chain.text(NFTA_CHAIN_TABLE), chain.text(NFTA_CHAIN_NAME),
                   hook_name(header->nfgen_family, ntohl(hook.u32(NFTA_HOOK_HOOKNUM).value_or(0))),
                   number(chain, NFTA_CHAIN_POLICY) == NF_DROP && chain.has(NFTA_CHAIN_POLICY)};
}

}  // namespace

Result<std::vector<BaseChain>> base_chains(const Namespace& ns) {
  auto socket = TRY(RouteSocket::open(ns, RouteSocket::Protocol::netfilter));
  const auto request = [] {
    const nfgenmsg header{NFPROTO_UNSPEC, NFNETLINK_V0, 0};
    return Message((NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETCHAIN, NLM_F_DUMP, header);
  };
  // EINVAL, EOPNOTSUPP: no such subsystem in this kernel (nfnetlink_rcv_msg, net/netfilter/nfnetlink.c).
  return dump<BaseChain>(socket, request, decode_chain, "list the chains of nftables", {EINVAL, EOPNOTSUPP, ENOENT});
}

}  // namespace plumb::netns
