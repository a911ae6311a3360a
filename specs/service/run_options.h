// RunOptions: what `docker run` asks for with the flags that no keyword of plumb has (specs/service/run_args.h).
//
// Threads: plain values. Privilege: none.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace plumb {

using std::chrono::milliseconds;

struct UlimitOption {
  std::string name;
  std::int64_t soft = 0;
  std::int64_t hard = 0;
};

// What `docker run` asks for with the flags that no keyword of plumb has (specs/service/run_args.h). Empty, 0 and
// unset: the engine's or the image's own.
struct RunOptions {
  std::vector<std::string> cap_add, cap_drop;
  std::vector<std::string> security_opt;
  std::vector<std::string> group_add;
  std::vector<std::string> add_host;  // "name:address"
  std::vector<UlimitOption> ulimits;
  std::map<std::string, std::string> tmpfs;  // target -> mount options
  std::map<std::string, std::string> labels;
  std::string log_driver;
  std::map<std::string, std::string> log_opts;
  std::int64_t memory = 0;       // bytes
  std::int64_t memory_swap = 0;  // bytes of memory and swap together; -1: no limit
  std::int64_t nano_cpus = 0;    // billionths of a processor
  std::int64_t cpu_shares = 0;
  std::string cpuset_cpus;
  std::int64_t pids_limit = 0;  // -1: no limit
  std::int64_t shm_size = 0;    // bytes
  std::optional<std::int64_t> oom_score_adj;
  std::string stop_signal;
  std::string cgroup_parent;
  std::string runtime;
  bool no_healthcheck = false;
  std::string health_cmd;
  std::optional<milliseconds> health_interval, health_timeout, health_start_period;
  std::int64_t health_retries = 0;
};

// One line for each option that is set, in an order that does not depend on that of the flags: equal options give
// equal lines. Empty when none is set.
[[nodiscard]] std::vector<std::string> canonical(const RunOptions& options);

}  // namespace plumb
