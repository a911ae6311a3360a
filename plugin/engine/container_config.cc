#include "plugin/engine/container_config.h"

#include <algorithm>

#include "plugin/engine/ownership.h"
#include "specs/plan/spec_hash.h"

namespace plumb {

namespace {

using Ids = std::map<std::string, std::string>;

// The engine's word for a namespace: "container:ID" where the spec names a container of the service, "host", or
// `other`.
std::string namespace_mode(const std::string& value, const Ids& ids, const std::string& other) {
  if (value == "host") return value;
  const auto joined = ids.find(value);
  return joined == ids.end() ? other : "container:" + joined->second;
}

bool lends_ipc(const Service& service, const ContainerResource& c) {
  return std::any_of(service.containers.begin(), service.containers.end(),
                     [&](const auto& other) { return other.ipcns == c.id; });
}

docker::Device device(const std::string& text) {
  docker::Device out;
  const auto first = text.find(':');
  out.host_path = text.substr(0, first);
  out.container_path = out.host_path;
  if (first == std::string::npos) return out;
  const auto second = text.find(':', first + 1);
  out.container_path = text.substr(first + 1, second == std::string::npos ? second : second - first - 1);
  if (second != std::string::npos) out.permissions = text.substr(second + 1);
  return out;
}

// The least that a pause needs: it only sleeps, and it is the one process that must not be in anybody's reach.
void harden_pause(docker::ContainerConfig& out) {
  out.readonly_rootfs = true;
  out.cap_drop.insert(out.cap_drop.begin(), "ALL");
  out.security_opt.insert(out.security_opt.begin(), "no-new-privileges");
}

std::optional<docker::HealthCheck> health_of(const RunOptions& o) {
  docker::HealthCheck out;
  out.none = o.no_healthcheck;
  out.command = o.health_cmd;
  out.interval = o.health_interval.value_or(milliseconds{0});
  out.timeout = o.health_timeout.value_or(milliseconds{0});
  out.start_period = o.health_start_period.value_or(milliseconds{0});
  out.retries = o.health_retries;
  const bool set = out.none || !out.command.empty() || o.health_interval || o.health_timeout || o.health_start_period ||
                   out.retries != 0;
  return set ? std::optional(out) : std::nullopt;
}

void apply(const RunOptions& o, docker::ContainerConfig& out) {
  out.labels.insert(o.labels.begin(), o.labels.end());
  out.stop_signal = o.stop_signal;
  out.cap_add = o.cap_add;
  out.cap_drop = o.cap_drop;
  out.security_opt = o.security_opt;
  out.group_add = o.group_add;
  out.tmpfs = o.tmpfs;
  for (const auto& u : o.ulimits) out.ulimits.push_back({u.name, u.soft, u.hard});
  out.memory = o.memory;
  out.memory_swap = o.memory_swap;
  out.shm_size = o.shm_size;
  out.nano_cpus = o.nano_cpus;
  out.cpu_shares = o.cpu_shares;
  out.cpuset_cpus = o.cpuset_cpus;
  out.pids_limit = o.pids_limit;
  out.oom_score_adj = o.oom_score_adj;
  out.cgroup_parent = o.cgroup_parent;
  out.runtime = o.runtime;
  out.log_driver = o.log_driver;
  out.log_opts = o.log_opts;
  out.health = health_of(o);
}

void mount(const VolumeMount& m, docker::ContainerConfig& out) {
  if (!m.must_exist) {
    out.binds.push_back(m.source + ":" + m.target + (m.options.empty() ? "" : ":" + m.options));
    return;
  }
  // Of the options only ro and a propagation can be there (specs/service/run_value.h).
  std::string propagation = m.options;
  if (m.read_only) propagation.erase(0, propagation.starts_with("ro,") ? 3 : 2);
  out.mounts.push_back({m.source, m.target, m.read_only, std::move(propagation)});
}

}  // namespace

docker::ContainerConfig container_config(const Service& service, const ContainerResource& c, const std::string& image,
                                         const Ids& ids) {
  docker::ContainerConfig out;
  out.name = c.name;
  out.image = image;
  out.cmd = c.command;
  out.entrypoint = c.entrypoint;
  out.env = c.environment;
  out.labels = {{kLabelService, service.name}, {kLabelResource, c.id}, {kLabelSpecHash, spec_hash(c)}};
  out.user = c.user;
  out.working_dir = c.cwd;
  out.tty = c.tty;
  out.open_stdin = c.interactive;
  out.auto_remove = c.rm && c.detach;  // the exit code and the log of an init container are still wanted
  out.readonly_rootfs = c.read_only;
  out.privileged = c.privileged;
  if (c.init) out.init = true;
  if (c.stop_timeout) out.stop_timeout = std::chrono::ceil<std::chrono::seconds>(*c.stop_timeout);
  out.network_mode = namespace_mode(c.netns, ids, "none");  // plumb does the network; no driver is asked for one
  out.pid_mode = namespace_mode(c.pidns, ids, "");
  const bool spoken = c.ipcns == "shareable" || c.ipcns == "none";
  out.ipc_mode = spoken ? c.ipcns : namespace_mode(c.ipcns, ids, lends_ipc(service, c) ? "shareable" : "");
  out.uts_mode = namespace_mode(c.utsns, ids, "");
  out.userns_mode = namespace_mode(c.userns, ids, "");
  for (const auto& m : c.volume_mounts) mount(m, out);
  apply(c.options, out);
  for (const auto& d : c.devices) out.devices.push_back(device(d));
  // Those of the owner stand for all who join it; the engine refuses them there.
  const bool owns_network = service.container(c.netns) == nullptr;
  if (owns_network) {
    out.hostname = c.hostname;
    out.dns = c.dns;
    out.dns_search = c.dns_search;
    out.extra_hosts = c.options.add_host;
  }
  for (const auto& [name, value] : c.sysctl)
    if (owns_network || !name.starts_with("net.")) out.sysctls[name] = value;
  if (c.builtin_pause) harden_pause(out);
  return out;
}

std::string host_name_for(const std::string& service) {
  constexpr std::size_t kMostBytes = 63;
  std::string out = service.substr(0, kMostBytes);
  for (char& c : out)
    if (c == '_' || c == '.') c = '-';
  while (out.ends_with('-')) out.pop_back();
  return out;
}

}  // namespace plumb
