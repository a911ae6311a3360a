#include "plugin/command/enter.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "docker_client/container.h"
#include "netns/link/sysfs.h"
#include "netns/namespace/enter.h"
#include "plugin/command/container_choice.h"
#include "plugin/engine/container_namespace.h"
#include "plugin/engine/ownership.h"
#include "plugin/engine/service_engine.h"
#include "plugin/node/program.h"
#include "plugin/output/console.h"
#include "plugin/verb/verb.h"

namespace plumb {

namespace {

constexpr std::chrono::seconds kQueryDeadline{30};
constexpr int kNotExecutable = 126;  // as sh, env(1) and docker exec
constexpr int kNoSuchCommand = 127;

// A running container of the service, and what is held of it.
struct Target {
  std::string socket;
  std::string id;
  std::optional<netns::Namespace> ns;
};

// The one whose namespace has the service's first address; without such an address, the first that has a namespace.
Result<const ContainerResource*> owner_of_address(const Service& service) {
  for (const auto& ip : service.ips)
    if (const auto* owner = ip.disable ? nullptr : service.container(ip.netns)) return owner;
  for (const auto& c : service.containers)
    if (!c.disable && c.netns != "host" && service.container(c.netns) == nullptr) return &c;
  return Err{ErrorKind::usage,
             "service " + service.name + " has no network namespace: its addresses are the node's own",
             "run the command as it is, without plumb enter"};
}

// The only one that runs a program of its own.
Result<const ContainerResource*> only_container(const Service& service) {
  std::vector<const ContainerResource*> all;
  std::string names;
  for (const auto& c : service.containers) {
    if (c.disable || !c.detach || is_pause(service, c)) continue;
    all.push_back(&c);
    names += (names.empty() ? "" : ", ") + c.id;
  }
  if (all.size() == 1) return all.front();
  return Err{ErrorKind::usage,
             "service " + service.name + " has " + std::to_string(all.size()) + " containers to enter",
             all.empty() ? "leave --container out to enter the network namespace"
                         : "say which: plumb enter " + service.name + " CONTAINER --container; there are: " + names};
}

Result<const ContainerResource*> choose(const CommandLine& command, const Service& service) {
  if (!command.container.empty()) {
    auto chosen = choose_container(service, command.container);
    if (!chosen) chosen.error().next += "; a command comes after --";
    return chosen;
  }
  return command.inside ? only_container(service) : owner_of_address(service);
}

// Nothing when it does not run.
Result<std::optional<Target>> find_target(const CommandLine& command, const Service& service,
                                          const ContainerResource& resource, ServiceEngine& engine) {
  auto* client = TRY(engine.client({}));
  const auto container = TRY(docker::inspect_container(*client, resource.name, {kQueryDeadline, {}}));
  if (!container || !container->running) return std::optional<Target>();
  const auto label = container->labels.find(kLabelService);
  if (!resource.existing && (label == container->labels.end() || label->second != service.name))
    return Err{ErrorKind::exists,
               resource.id + ": the name " + resource.name + " is taken by a container that is not this service's"};
  Target out{client->socket_path(), container->id, std::nullopt};
  if (command.inside) return std::optional<Target>(std::move(out));
  auto ns = container_namespace(*client, container->id, static_cast<int>(container->pid), {});
  if (!ns && ns.error().kind == ErrorKind::not_found) return std::optional<Target>();  // it ended while we looked
  if (!ns) return Err{std::move(ns).error()};
  out.ns = std::move(*ns);
  return std::optional<Target>(std::move(out));
}

int report_down(const CommandLine& command, const std::string& operation, const Service& service,
                const std::string& what) {
  report(command, operation,
         Error{ErrorKind::failed, 0, service.name + " is not up on " + service.node + ": " + what,
               "plumb start " + service.name});
  return code(ExitCode::down);
}

// Where a person is. Debian's bash makes a prompt of its own, and shows debian_chroot in it.
void set_environment(const Service& service, bool shell) {
  ::setenv("PLUMB_SERVICE", service.name.c_str(), 1);  // NOLINT(concurrency-mt-unsafe): no other thread
  if (!shell) return;
  ::setenv("PS1", ("[" + service.name + "@" + service.node + "] # ").c_str(), 1);  // NOLINT(concurrency-mt-unsafe)
  ::setenv("debian_chroot", service.name.c_str(), 1);                              // NOLINT(concurrency-mt-unsafe)
}

int become(const CommandLine& command, const std::string& operation, std::vector<std::string> words) {
  if (words.front().find('/') == std::string::npos) {
    auto path = find_program(words.front(), "is it installed on this node?");
    if (!path) {
      report(command, operation, path.error());
      return kNoSuchCommand;
    }
    words.front() = std::move(*path);
  }
  const auto error = exec_program(words);
  report(command, operation, error);
  return error.code == ENOENT ? kNoSuchCommand : kNotExecutable;
}

int become_in_namespace(const CommandLine& command, const std::string& operation, const Service& service,
                        const netns::Namespace& ns) {
  const auto entered = netns::enter(ns);
  if (!entered) return report(command, operation, entered.error());
  if (const auto shown = netns::show_own_devices(); !shown)
    complain("plumb: warning: /sys shows the node's devices, not the service's: " + shown.error().what + "\n");
  set_environment(service, command.arguments.empty());
  if (!command.arguments.empty()) return become(command, operation, command.arguments);
  const char* shell = std::getenv("SHELL");
  return become(command, operation, {shell == nullptr || *shell == '\0' ? "/bin/sh" : shell});
}

int become_inside(const CommandLine& command, const std::string& operation, const Target& target) {
  const auto docker = find_program(
      "docker", "install the docker command (Debian: apt-get install docker-cli, or docker.io in Debian 12)");
  if (!docker) return report(command, operation, docker.error());
  std::vector<std::string> words{*docker, "--host=unix://" + target.socket, "exec", "--interactive"};
  if (::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1) words.emplace_back("--tty");
  words.push_back(target.id);
  if (command.arguments.empty()) words.emplace_back("/bin/sh");
  words.insert(words.end(), command.arguments.begin(), command.arguments.end());
  return become(command, operation, std::move(words));
}

}  // namespace

int enter_service(const CommandLine& command) {
  const std::string operation = "enter " + command.service;
  const auto opened = open_present(command, operation);
  if (!opened.service) return opened.exit_code;
  const Service& service = *opened.service;
  const auto resource = choose(command, service);
  if (!resource) return report(command, operation, resource.error());
  if (!command.inside)
    if (auto allowed = check_privilege(); !allowed) return report(command, operation, allowed.error());
  std::optional<Target> target;
  {
    // The command must not inherit what the client has open: not all that libcurl opens is closed by exec.
    ServiceEngine engine(service);
    const auto state = engine.state();
    if (!state) return report(command, operation, state.error());
    if (*state != EngineState::up) return report_down(command, operation, service, "its engine is not running");
    auto found = find_target(command, service, **resource, engine);
    if (!found) return report(command, operation, found.error());
    target = std::move(*found);
  }
  if (!target)
    return report_down(command, operation, service, (*resource)->id + " (" + (*resource)->name + ") does not run");
  return target->ns ? become_in_namespace(command, operation, service, *target->ns)
                    : become_inside(command, operation, *target);
}

}  // namespace plumb
