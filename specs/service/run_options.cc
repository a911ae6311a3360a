#include "specs/service/run_options.h"

namespace plumb {

std::vector<std::string> canonical(const RunOptions& o) {
  std::vector<std::string> out;
  const auto text = [&](const std::string& name, const std::string& value) {
    if (!value.empty()) out.push_back(name + "=" + value);
  };
  const auto number = [&](const std::string& name, std::int64_t value) {
    if (value != 0) text(name, std::to_string(value));
  };
  const auto list = [&](const std::string& name, const std::vector<std::string>& values) {
    for (const auto& value : values) text(name, value);
  };
  const auto pairs = [&](const std::string& name, const std::map<std::string, std::string>& values) {
    for (const auto& [key, value] : values) out.push_back(name + "=" + key + "=" + value);
  };
  const auto time = [&](const std::string& name, const std::optional<milliseconds>& value) {
    if (value) text(name, std::to_string(value->count()));
  };
  list("cap-add", o.cap_add);
  list("cap-drop", o.cap_drop);
  list("security-opt", o.security_opt);
  list("group-add", o.group_add);
  list("add-host", o.add_host);
  for (const auto& u : o.ulimits) text("ulimit", u.name + "=" + std::to_string(u.soft) + ":" + std::to_string(u.hard));
  pairs("tmpfs", o.tmpfs);
  pairs("label", o.labels);
  text("log-driver", o.log_driver);
  pairs("log-opt", o.log_opts);
  number("memory", o.memory);
  number("memory-swap", o.memory_swap);
  number("cpus", o.nano_cpus);
  number("cpu-shares", o.cpu_shares);
  text("cpuset-cpus", o.cpuset_cpus);
  number("pids-limit", o.pids_limit);
  number("shm-size", o.shm_size);
  if (o.oom_score_adj) text("oom-score-adj", std::to_string(*o.oom_score_adj));
  text("stop-signal", o.stop_signal);
  text("cgroup-parent", o.cgroup_parent);
  text("runtime", o.runtime);
  if (o.no_healthcheck) out.emplace_back("no-healthcheck");
  text("health-cmd", o.health_cmd);
  time("health-interval", o.health_interval);
  time("health-timeout", o.health_timeout);
  time("health-start-period", o.health_start_period);
  number("health-retries", o.health_retries);
  return out;
}

}  // namespace plumb
