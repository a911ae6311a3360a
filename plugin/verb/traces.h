// Traces: what the kernel knows a started service by. The agent's stop goes by them when the engine does not answer
// (plugin/cluster/remains.h): that an address is not seen is no proof that nothing runs.
//
// A file for each service, /run/plumb/SERVICE.traces, written whole by each verb that brings it up, the watcher's heals
// included: these make containers anew. As long as such a verb changes something there is SERVICE.unsettled beside it:
// what was recorded before is not all then. Whoever is killed leaves it. Both go with the end of a stop, and mean
// nothing in another boot.
//
// Threads: safe from any, under the service's lock. Privilege: write access to the run directory; CAP_SYS_ADMIN and
// CAP_SYS_PTRACE for traces_of().
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "netns/namespace/namespace.h"
#include "plugin/verb/observer.h"
#include "specs/service/service.h"
#include "specs/value/ip.h"
#include "specs/value/result.h"

namespace plumb {

// A network namespace, by its inode, which may come back when it is gone, and by its number, which does not.
struct TracedNamespace {
  netns::NamespaceId id;
  std::optional<std::uint64_t> cookie;  // netns/socket/route_socket.h

  friend bool operator==(const TracedNamespace&, const TracedNamespace&) = default;
};

struct TracedContainer {
  std::string resource;  // "container#0"
  pid_t pid = 0;         // of its first process
  std::uint64_t start_ticks = 0;
  std::vector<std::string> cgroups;   // as /proc/PID/cgroup has them, where they are the container's alone
  std::optional<TracedNamespace> ns;  // none: it is in the node's own

  friend bool operator==(const TracedContainer&, const TracedContainer&) = default;
};

struct TracedAddress {
  std::string resource;  // "ip#0"
  IpAddress address;     // as its name was resolved

  friend bool operator==(const TracedAddress&, const TracedAddress&) = default;
};

struct Traces {
  std::string boot;  // plugin/node/boot.h
  std::vector<TracedContainer> containers;
  std::vector<TracedAddress> addresses;

  [[nodiscard]] std::vector<IpAddress> addresses_of(std::string_view resource) const;
  friend bool operator==(const Traces&, const Traces&) = default;
};

// Pure: the file's text, and back. nullopt when it is not one.
[[nodiscard]] std::string encode_traces(const Traces& traces);
[[nodiscard]] std::optional<Traces> decode_traces(std::string_view text);
// The same of SERVICE.unsettled: whether the text says so in this boot, as one of a later plumb always does.
[[nodiscard]] std::string encode_unsettled(const std::string& boot);
[[nodiscard]] bool unsettles(std::string_view text, const std::string& boot);

// Of all that a stop ends: neither what is disabled nor what is on standby. Errors: the kernel's.
[[nodiscard]] Result<Traces> traces_of(const Service& service, const Observation& observation);

// Before the first change of a verb: from now on what is recorded is not all. Errors: the kernel's; what was recorded
// is gone then.
[[nodiscard]] Result<void> unsettle_traces(const std::string& service);
// The verb has taken all back: what was recorded before counts again.
void resettle_traces(const std::string& service);
// The verb has come to its end. Errors: the kernel's; then it stays unsettled.
[[nodiscard]] Result<void> record_traces(const std::string& service, const Traces& traces);
void forget_traces(const std::string& service);

// nullopt: none were recorded, or by a plumb whose file this one does not read.
[[nodiscard]] std::optional<Traces> read_traces(const std::string& service);
// Whether a verb of this boot has begun to change something, and has come to no end.
[[nodiscard]] bool traces_unsettled(const std::string& service);

}  // namespace plumb
