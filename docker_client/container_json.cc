#include "docker_client/container.h"
#include "docker_client/json.h"

namespace plumb::docker {

namespace {

// Podman's own states, in Docker's words.
std::string docker_state(std::string state) {
  if (state == "configured" || state == "initialized") return "created";
  if (state == "stopped" || state == "stopping") return state == "stopped" ? "exited" : "running";
  return state;
}

std::string without_slash(std::string name) {
  if (name.starts_with('/')) name.erase(0, 1);
  return name;
}

template <typename T>
void put(Json& object, const char* name, const T& value) {
  if (!value.empty()) object[name] = value;
}

void put_number(Json& object, const char* name, std::int64_t value) {
  if (value != 0) object[name] = value;
}

void put_flag(Json& object, const char* name, bool value) {
  if (value) object[name] = true;
}

Json devices_of(const ContainerConfig& config) {
  Json list = Json::array();
  for (const Device& device : config.devices) {
    list.push_back({{"PathOnHost", device.host_path},
                    {"PathInContainer", device.container_path.empty() ? device.host_path : device.container_path},
                    {"CgroupPermissions", device.permissions}});
  }
  return list;
}

Json ulimits_of(const ContainerConfig& config) {
  Json list = Json::array();
  for (const Ulimit& limit : config.ulimits) {
    list.push_back({{"Name", limit.name}, {"Soft", limit.soft}, {"Hard", limit.hard}});
  }
  return list;
}

Json mounts_of(const ContainerConfig& config) {
  Json list = Json::array();
  for (const BindMount& mount : config.mounts) {
    Json one = {{"Type", "bind"}, {"Source", mount.source}, {"Target", mount.target}, {"ReadOnly", mount.read_only}};
    if (!mount.propagation.empty()) one["BindOptions"] = {{"Propagation", mount.propagation}};
    list.push_back(std::move(one));
  }
  return list;
}

Json health_of(const HealthCheck& health) {
  Json json = Json::object();
  if (health.none) json["Test"] = {"NONE"};
  if (!health.command.empty()) json["Test"] = {"CMD-SHELL", health.command};
  put_number(json, "Interval", health.interval.count());
  put_number(json, "Timeout", health.timeout.count());
  put_number(json, "StartPeriod", health.start_period.count());
  put_number(json, "Retries", health.retries);
  return json;
}

Json host_config_of(const ContainerConfig& config) {
  Json host = Json::object();
  put(host, "NetworkMode", config.network_mode);
  put(host, "IpcMode", config.ipc_mode);
  put(host, "PidMode", config.pid_mode);
  put(host, "UTSMode", config.uts_mode);
  put(host, "UsernsMode", config.userns_mode);
  put_flag(host, "AutoRemove", config.auto_remove);
  put_flag(host, "ReadonlyRootfs", config.readonly_rootfs);
  put_flag(host, "Privileged", config.privileged);
  if (config.init) host["Init"] = *config.init;
  put(host, "Binds", config.binds);
  put(host, "Mounts", mounts_of(config));
  put(host, "Devices", devices_of(config));
  put(host, "Dns", config.dns);
  put(host, "DnsSearch", config.dns_search);
  put(host, "ExtraHosts", config.extra_hosts);
  put(host, "Sysctls", config.sysctls);
  put(host, "CapAdd", config.cap_add);
  put(host, "CapDrop", config.cap_drop);
  put(host, "SecurityOpt", config.security_opt);
  put(host, "GroupAdd", config.group_add);
  put(host, "Tmpfs", config.tmpfs);
  put(host, "Ulimits", ulimits_of(config));
  put_number(host, "Memory", config.memory);
  put_number(host, "MemorySwap", config.memory_swap);
  put_number(host, "ShmSize", config.shm_size);
  put_number(host, "NanoCpus", config.nano_cpus);
  put_number(host, "CpuShares", config.cpu_shares);
  put(host, "CpusetCpus", config.cpuset_cpus);
  put_number(host, "PidsLimit", config.pids_limit);
  if (config.oom_score_adj) host["OomScoreAdj"] = *config.oom_score_adj;
  put(host, "Runtime", config.runtime);
  put(host, "CgroupParent", config.cgroup_parent);
  if (!config.log_driver.empty() || !config.log_opts.empty()) {
    Json log = Json::object();
    put(log, "Type", config.log_driver);
    put(log, "Config", config.log_opts);
    host["LogConfig"] = std::move(log);
  }
  return host;
}

std::vector<AnonymousVolume> anonymous_volumes_of(const Json& mounts) {
  constexpr std::size_t kDigits = 64;
  std::vector<AnonymousVolume> out;
  if (!mounts.is_array()) return out;
  for (const Json& mount : mounts) {
    if (text_of(mount, "Type") != "volume") continue;
    auto name = text_of(mount, "Name");
    if (name.size() != kDigits || name.find_first_not_of("0123456789abcdef") != std::string::npos) continue;
    out.push_back({std::move(name), text_of(mount, "Destination"), !flag_of(mount, "RW")});
  }
  return out;
}

}  // namespace

std::string encode_container(const ContainerConfig& config) {
  Json json = Json::object();
  json["Image"] = config.image;
  put(json, "Cmd", config.cmd);
  put(json, "Entrypoint", config.entrypoint);
  Json env = Json::array();
  for (const auto& [name, value] : config.env) env.push_back(name + "=" + value);
  put(json, "Env", env);
  put(json, "Labels", config.labels);
  put(json, "User", config.user);
  put(json, "WorkingDir", config.working_dir);
  put(json, "Hostname", config.hostname);
  put_flag(json, "Tty", config.tty);
  put_flag(json, "OpenStdin", config.open_stdin);
  put(json, "StopSignal", config.stop_signal);
  if (config.stop_timeout) json["StopTimeout"] = config.stop_timeout->count();
  if (config.health) json["Healthcheck"] = health_of(*config.health);
  json["HostConfig"] = host_config_of(config);
  return dump(json);
}

Result<Container> decode_container(std::string_view text) {
  const Json json = TRY(parse_object(text, "read a container"));
  const Json& config = member(json, "Config");
  const Json& state = member(json, "State");
  const Json& host = member(json, "HostConfig");
  Container container;
  container.id = text_of(json, "Id");
  if (container.id.empty()) return Err{ErrorKind::failed, "read a container: the engine's answer has no Id"};
  container.name = without_slash(text_of(json, "Name"));
  container.image = text_of(config, "Image");
  container.image_id = text_of(json, "Image");
  container.labels = pairs_of(config, "Labels");
  container.state = docker_state(text_of(state, "Status"));
  container.running = flag_of(state, "Running");
  container.paused = flag_of(state, "Paused");
  container.exit_code = static_cast<int>(number_of(state, "ExitCode"));
  container.error = text_of(state, "Error");
  container.oom_killed = flag_of(state, "OOMKilled");
  container.pid = number_of(state, "Pid");
  container.created = text_of(json, "Created");
  container.started_at = text_of(state, "StartedAt");
  container.network_mode = text_of(host, "NetworkMode");
  container.auto_remove = flag_of(host, "AutoRemove");
  container.tty = flag_of(config, "Tty");
  if (member(config, "StopTimeout").is_number_integer()) {
    container.stop_timeout = std::chrono::seconds(number_of(config, "StopTimeout"));
  }
  container.anonymous_volumes = anonymous_volumes_of(member(json, "Mounts"));
  container.extra_hosts = texts_of(host, "ExtraHosts");
  container.sandbox_key = text_of(member(json, "NetworkSettings"), "SandboxKey");
  return container;
}

Result<std::vector<Container>> decode_container_list(std::string_view text) {
  const Json json = TRY(parse_array(text, "list containers"));
  std::vector<Container> list;
  list.reserve(json.size());
  for (const Json& entry : json) {
    Container container;
    container.id = text_of(entry, "Id");
    if (container.id.empty())
      return Err{ErrorKind::failed, "list containers: an entry of the engine's answer has no Id"};
    // A name without a second slash is the container's own; the others are links.
    for (std::string name : texts_of(entry, "Names")) {
      name = without_slash(std::move(name));
      if (container.name.empty() || name.find('/') == std::string::npos) container.name = std::move(name);
    }
    container.image = text_of(entry, "Image");
    container.image_id = text_of(entry, "ImageID");
    container.labels = pairs_of(entry, "Labels");
    container.state = docker_state(text_of(entry, "State"));
    container.paused = container.state == "paused";
    container.running = container.paused || container.state == "running" || container.state == "restarting";
    container.network_mode = text_of(member(entry, "HostConfig"), "NetworkMode");
    list.push_back(std::move(container));
  }
  return list;
}

}  // namespace plumb::docker
