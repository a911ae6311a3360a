#include "plugin/cluster/ocf_code.h"

#include <algorithm>

namespace plumb {

OcfCode ocf_code(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::usage: return OcfCode::arguments;
    case ErrorKind::spec: return OcfCode::configured;
    case ErrorKind::permission: return OcfCode::permission;
    case ErrorKind::conflict:
    case ErrorKind::not_found:
    case ErrorKind::unsupported: return OcfCode::installed;
    case ErrorKind::exists:
    case ErrorKind::unreachable:
    case ErrorKind::refused:
    case ErrorKind::timeout:
    case ErrorKind::cancelled:
    case ErrorKind::failed: return OcfCode::generic;
  }
  return OcfCode::generic;
}

OcfCode ocf_code(Availability availability) {
  switch (availability) {
    case Availability::up: return OcfCode::success;
    case Availability::down:
    case Availability::disabled: return OcfCode::not_running;
    case Availability::degraded:
    case Availability::unknown: return OcfCode::generic;
  }
  return OcfCode::generic;
}

OcfVerdict verdict_without_engine(const KernelView& view, bool started, const std::string& why) {
  if (view.present > 0 && view.present == view.wanted)
    return {OcfCode::success, why + "; running: the kernel has all of its addresses on this node"};
  if (view.present > 0)
    return {OcfCode::generic, why + ", and the kernel has only " + std::to_string(view.present) + " of its " +
                                  std::to_string(view.wanted) + " addresses on this node"};
  if (view.abandoned > 0)
    return {OcfCode::generic, why + ", and the processes of the service are gone, but the kernel still answers for " +
                                  std::to_string(view.abandoned) + " of its " + std::to_string(view.wanted) +
                                  " addresses on this node"};
  if (!started) return {OcfCode::not_running, why + ", nothing was started here, and no address of it is on this node"};
  if (view.wanted > 0 && view.complete)
    return {OcfCode::generic, why + ", and no address of it is on this node, though it was started here"};
  return {OcfCode::success, why + "; taken as running: it was started here, was not stopped, and cannot be seen"};
}

bool proves_stopped(const KernelView& view, bool started) {
  if (started && view.containers) return false;
  return view.wanted > 0 && view.present == 0 && view.abandoned == 0 && view.complete && view.covers_all;
}

bool has_no_address(const ServiceStatus& status) {
  return std::all_of(status.resources.begin(), status.resources.end(), [](const ResourceStatus& r) {
    return r.kind != "ip" || r.standby || r.state == Availability::down || r.state == Availability::disabled;
  });
}

}  // namespace plumb
