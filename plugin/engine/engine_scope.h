// EngineScope: the unit of systemd that a service's own engine lives in, plumb-engine-SERVICE.scope. It has its own
// control group then, whoever has started it: a stop, a limit or an accounting of the watcher's unit, or of a login
// session, is none of the engine's.
//
// libsystemd speaks to systemd. It is opened when it is needed: a plumb without private engines never loads it, and a
// machine without systemd need not have it. Threads: safe from any. Privilege: root.
#pragma once

#include <chrono>
#include <string>

#include "specs/value/result.h"

namespace plumb {

// Where systemd is spoken to. The socket is that of systemctl, which root may use before and after the D-Bus daemon.
struct ManagerSocket {
  std::string path = "/run/systemd/private";
  int listener = 1;                       // the process that has to listen there
  std::chrono::milliseconds limit{5000};  // for all that is said; it answers within milliseconds
};

// Whether systemd is the manager of this node (sd_booted(3)).
[[nodiscard]] bool has_systemd();

// plumb-engine-SERVICE.scope; each name of a service can stand in the name of a unit.
[[nodiscard]] std::string scope_of(const std::string& service);

// Moves the process into the unit, which is made, or joined where what a killed engine has left keeps it. To be called
// before the process has children: they stay where they are. Errors: unsupported (no libsystemd, or the socket is of
// another process namespace), timeout (systemd may still move it later), what systemd says. The process is where it was
// then.
[[nodiscard]] Result<void> enter_scope(const std::string& service, int pid, const ManagerSocket& manager = {});

}  // namespace plumb
