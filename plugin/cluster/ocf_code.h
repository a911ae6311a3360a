// The one table that turns an error or a state into what Pacemaker sees: the exit codes of an OCF resource agent.
//
// Threads: pure. Privilege: none.
#pragma once

#include <cstddef>
#include <string>

#include "specs/status/status.h"
#include "specs/value/result.h"

namespace plumb {

// OCF resource agent API 1.1, section 3.5. What Pacemaker makes of a start that failed ("Pacemaker Explained", how OCF
// return codes are interpreted): 1 may be tried again, here or elsewhere; 2, 4 and 5 bar this node; 6 bars every node.
enum class OcfCode : int {
  success = 0,
  generic = 1,
  arguments = 2,
  unimplemented = 3,
  permission = 4,
  installed = 5,
  configured = 6,
  not_running = 7,
};

// A conflict bars this node only, and until somebody has looked: with `generic` a service whose address somebody else
// has would go round the nodes for ever, with `configured` it could start nowhere though only one node sees the rival.
[[nodiscard]] OcfCode ocf_code(ErrorKind kind);
// `unknown` is a failure here; who can tell more without the engine asks verdict_without_engine().
[[nodiscard]] OcfCode ocf_code(Availability availability);

struct OcfVerdict {
  OcfCode code = OcfCode::success;
  std::string reason;  // a sentence for the administrator; with `success` a warning, or empty
};

// What the kernel shows of a service whose engine does not answer.
struct KernelView {
  std::size_t wanted = 0;   // addresses that count
  std::size_t present = 0;  // of them, those that a namespace of this node has which a process is in
  bool complete = true;     // every namespace was looked at, and every name of an address resolved
  bool covers_all = false;  // each container lives in a namespace that has one of the addresses: none there, none runs
  // Of them, those that are only in a namespace without a process, which somebody has bound to a file: nothing of the
  // service runs there, but the kernel answers for the address.
  std::size_t abandoned = 0;
  bool containers = false;  // a process of a container runs on this node, of whomever
};

// The verdict of a monitor. `started`: a start has succeeded here since the boot, and nobody has stopped it.
[[nodiscard]] OcfVerdict verdict_without_engine(const KernelView& view, bool started, const std::string& why);

// Whether nothing of the service can run: then a stop is done, although the engine does not answer. Only for a service
// of which no start has left a record of what it has made (plugin/verb/traces.h). `started`: a plumb that wrote none
// has started it; then a container that runs may be its, without its address.
[[nodiscard]] bool proves_stopped(const KernelView& view, bool started);

// Whether none of its own addresses is here, as of a service that is prepared for a hand-over: another node has them.
[[nodiscard]] bool has_no_address(const ServiceStatus& status);

}  // namespace plumb
