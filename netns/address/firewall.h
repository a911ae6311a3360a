// Firewall: the base chains of a namespace's nftables, to say why nothing comes through. Only looked at.
//
// Threads: safe from any. Privilege: CAP_NET_ADMIN over the namespace, CAP_SYS_ADMIN to enter it.
#pragma once

#include <string>
#include <vector>

#include "netns/namespace/namespace.h"
#include "specs/value/result.h"

namespace plumb::netns {

// A chain that the kernel's hooks call (NFT_MSG_GETCHAIN, linux/netfilter/nf_tables.h). iptables-nft makes such chains,
// too; those of legacy iptables are not seen.
struct BaseChain {
  std::string family;  // "ip", "ip6", "inet", "arp", ...: as nft(8) names them
  std::string table;
  std::string name;
  std::string hook;               // "prerouting", "input", "forward", "output", "postrouting"; empty: another one
  bool drops_by_default = false;  // policy drop
};

// None where the kernel has no nftables. Errors: permission; the kernel's.
[[nodiscard]] Result<std::vector<BaseChain>> base_chains(const Namespace& ns);

}  // namespace plumb::netns
