#include "plugin/engine/container_namespace.h"

#include <chrono>

#include "docker_client/container.h"
#include "docker_client/text_file.h"
#include "netns/namespace/process.h"

namespace plumb {

namespace {

constexpr std::chrono::seconds kQueryDeadline{30};

// One that ends meanwhile cannot be read (ESRCH).
bool cgroup_names(int pid, const std::string& id) {
  const auto text = docker::read_text_file("/proc/" + std::to_string(pid) + "/cgroup", "read the cgroup");
  return text && text->find(id) != std::string::npos;
}

}  // namespace

Result<netns::Namespace> container_namespace(docker::Client& client, const std::string& id, int pid,
                                             const std::stop_token& stop) {
  const std::string what = "enter the network namespace of container " + id.substr(0, 12);
  if (pid <= 0) return Err{ErrorKind::not_found, what + ": it does not run"};
  // Held first, looked at then: as long as the pidfd says alive, /proc/PID is this very process.
  const auto process = TRY(netns::Process::open(pid));
  auto ns = TRY(netns::Namespace::of_process(pid));
  bool proven = cgroup_names(pid, id);
  if (!proven) {
    const auto again = TRY(docker::inspect_container(client, id, docker::Call{kQueryDeadline, stop}));
    proven = again && again->running && again->pid == pid;
  }
  if (!proven || !process.alive()) return Err{ErrorKind::not_found, what + ": it ended"};
  if (ns.is_current())
    return Err{ErrorKind::refused, what + ": it runs in the node's own network namespace",
               "its network must not be host"};
  return ns;
}

}  // namespace plumb
