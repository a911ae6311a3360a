// The observer: fills Observed from the kernel and the engine, and holds the namespaces it saw by descriptor.
//
// Threads: observe() makes and joins its own. Privilege: CAP_SYS_ADMIN and CAP_SYS_PTRACE to enter the containers'
// namespaces; write access to the engine's socket.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "netns/namespace/namespace.h"
#include "plugin/engine/service_engine.h"
#include "specs/plan/observed.h"
#include "specs/service/service.h"
#include "specs/value/result.h"

namespace plumb {

struct Observation {
  Observed seen;
  // By resource id: the network namespaces of the running containers.
  std::map<std::string, std::shared_ptr<const netns::Namespace>> namespaces;
};

// Looks at everything the service has on this node. An engine that does not answer is part of the answer; errors are
// only what makes the rest meaningless (the node's own links cannot be read, the engine fails in the middle).
// `starting`: names that do not resolve yet are waited for (wait_dns).
[[nodiscard]] Result<Observation> observe(const Service& service, ServiceEngine& engine, const std::stop_token& stop,
                                          bool starting = false);

// The same of a service that runs on as its start has recorded it (plugin/verb/traces.h), without its engine:
// processes, control groups and the kernel say all that the engine would. nullopt: they do not, ask the engine.
// Threads: any.
[[nodiscard]] std::optional<Observation> observe_recorded(const Service& service);

}  // namespace plumb
