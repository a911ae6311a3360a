// The observer: fills Observed from the kernel and the engine, and holds the namespaces it saw by descriptor.
//
// Threads: observe() makes and joins its own. Privilege: CAP_SYS_ADMIN and CAP_SYS_PTRACE to enter the containers'
// namespaces; write access to the engine's socket.
#pragma once

#include <functional>
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

// Reads the node's own namespace: with all its routes, or with these only where it has a way of its own to a service.
using NodeReader = std::function<Result<ObservedNetns>(bool all_routes)>;
[[nodiscard]] Result<ObservedNetns> read_node(bool all_routes);

// Looks at everything the service has on this node, which `read` has to be as fresh as the caller needs it. An engine
// that does not answer is part of the answer; errors are only what makes the rest meaningless (the node's own links
// cannot be read, the engine fails in the middle). `starting`: names that do not resolve yet are waited for (wait_dns).
[[nodiscard]] Result<Observation> observe(const Service& service, ServiceEngine& engine, const std::stop_token& stop,
                                          bool starting = false, const NodeReader& read = read_node);

// Whether a look may rely on what is recorded of a start.
enum class AskEngine { always, where_needed };

// What somebody sees who only looks. A service that runs on as its start has recorded it (plugin/verb/traces.h) is seen
// without its engine: processes, control groups and the kernel say all that the engine would. Of one of which they do
// not, and of one that is not whole, the engine is asked as by observe(). `service`: as it was started, if it is.
// Threads: any.
[[nodiscard]] Result<Observation> glance(const Service& service, ServiceEngine& engine, const std::stop_token& stop,
                                         AskEngine ask = AskEngine::where_needed);
// The first half of it alone. nullopt: the engine has to be asked.
[[nodiscard]] std::optional<Observation> observe_whole(const Service& service, const ServiceEngine& engine);

}  // namespace plumb
