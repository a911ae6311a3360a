// Diagnosis: why an address of a service does not answer, and what to do about it.
//
// Pure: what was observed and what was asked of the network in; findings out, in the order of the way that a packet
// takes. Threads: any. Privilege: none.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "specs/plan/observed.h"
#include "specs/service/service.h"

namespace plumb {

enum class Verdict {
  ok,
  note,     // may be meant so, and explains why some do not reach the address
  problem,  // the address does not answer, or will not for long
};

[[nodiscard]] std::string_view to_string(Verdict verdict);

struct Finding {
  Verdict verdict = Verdict::ok;
  std::string subject;  // "engine", "container#0", "ip#0"
  std::string check;    // one word: "carrier", "rival"
  std::string text;     // a sentence
  std::string fix;      // a command, or what to do; empty where nothing is to be done
};

// An address that was asked for on the network.
struct Asked {
  IpAddress address;
  std::optional<Mac> answer;
  std::string error;  // it could not be asked
};

// What was looked at for one ip besides Observed.
struct IpEvidence {
  std::vector<Asked> own;             // its own addresses, asked for from its own device: nobody else may answer
  std::optional<Asked> gateway;       // asked for from its own device
  std::vector<std::string> dropping;  // chains of the namespace's firewall that drop by default
  std::string macvlan_mode;           // of its link; empty for other kinds
  std::string port_state;             // of the bridge port of its link: "forwarding", "blocking", ...
  bool bridged_is_filtered = false;   // bridged frames go through the node's iptables (br_netfilter)
  bool listeners_known = false;
  std::set<unsigned> tcp;  // the ports that somebody listens on, not on the loopback address alone
  std::set<unsigned> udp;
};
using Evidence = std::map<std::string, IpEvidence>;  // by the ip's id

[[nodiscard]] std::vector<Finding> diagnose(const Service& service, const Observed& seen, const Evidence& evidence);

}  // namespace plumb
