// The keywords of OpenSVC that plumb reads and does not act on, each with what to use instead.
#include <array>
#include <cstddef>

#include "specs/language/keyword_tables.h"

namespace plumb::tables {

namespace {

struct Row {
  std::string_view name;
  std::string_view text;
};

constexpr std::string_view kCluster =
    "An order to OpenSVC's own cluster engine. plumb has none: with Pacemaker, set it as a constraint, a resource "
    "option or "
    "a property of the cluster.";
constexpr std::string_view kSchedule =
    "A schedule of OpenSVC's daemon. plumb runs nothing by itself: use a systemd timer.";
constexpr std::string_view kLabel = "A label for OpenSVC's own tools. plumb shows the service by its name.";
constexpr std::string_view kGroup =
    "A limit of the control group that OpenSVC makes. plumb makes none: limit a container with `run_args` (--memory, "
    "--cpus, --cpuset-cpus, --pids-limit), or all of them with --cgroup-parent and a systemd slice.";
constexpr std::string_view kTrigger =
    "A command that OpenSVC runs before or after an action. plumb runs no commands of a spec: order a systemd unit or "
    "a "
    "Pacemaker resource before or after the service.";
constexpr std::string_view kSyncTrigger =
    "A command or a condition of OpenSVC's replication. plumb replicates nothing: put it into the unit that does.";
constexpr std::string_view kProvision =
    "How OpenSVC provisions its resources. plumb makes what a start needs at every start and needs no provisioning.";
constexpr std::string_view kRequires =
    "A condition on the states of other resources. plumb orders its steps by what they need: namespaces before what "
    "joins "
    "them, addresses before the containers that bind them.";
constexpr std::string_view kReservation =
    "A SCSI persistent reservation of the disks of the resource. plumb manages no disks: use fencing or the agents of "
    "the "
    "cluster.";
constexpr std::string_view kGuest =
    "The operating system inside the container, for OpenSVC's encapsulation. plumb has no use for it.";
constexpr std::string_view kStore =
    "Variables from OpenSVC's own configuration and secret objects, which plumb does not have: set them with "
    "`environment`.";

constexpr Row kDefaults[] = {
    {"id", "The unique id that OpenSVC gives each object. plumb knows a service by its name."},
    {"comment", "A remark. plumb does not show it."},
    {"app", kLabel},
    {"env", kLabel},
    {"priority", kCluster},
    {"orchestrate", kCluster},
    {"placement", kCluster},
    {"autostart_node", kCluster},
    {"anti_affinity", kCluster},
    {"affinity", kCluster},
    {"hard_affinity", kCluster},
    {"hard_anti_affinity", kCluster},
    {"soft_affinity", kCluster},
    {"soft_anti_affinity", kCluster},
    {"constraints", kCluster},
    {"parents", kCluster},
    {"children", kCluster},
    {"slaves", kCluster},
    {"stonith", kCluster},
    {"monitor_action", kCluster},
    {"pre_monitor_action", kCluster},
    {"flex_min", kCluster},
    {"flex_max", kCluster},
    {"flex_min_nodes", kCluster},
    {"flex_max_nodes", kCluster},
    {"flex_target", kCluster},
    {"flex_cpu_low_threshold", kCluster},
    {"flex_cpu_high_threshold", kCluster},
    {"scale", kCluster},
    {"scaler_slave", kCluster},
    {"flex_primary", kCluster},
    {"drp_flex_primary", kCluster},
    {"monitor_schedule", kSchedule},
    {"status_schedule", kSchedule},
    {"resinfo_schedule", kSchedule},
    {"info_schedule", kSchedule},
    {"comp_schedule", kSchedule},
    {"run_schedule", kSchedule},
    {"sync_schedule", kSchedule},
    {"push_schedule", kSchedule},
    {"service_type", kLabel},
    {"aws", kLabel},
    {"aws_profile", kLabel},
    {"sync_interval", kSchedule},
    {"sync_max_delay", kSchedule},
    {"presnap_trigger", kTrigger},
    {"postsnap_trigger", kTrigger},
    {"pre_sync_nodes", kSyncTrigger},
    {"post_sync_nodes", kSyncTrigger},
    {"blocking_pre_sync_nodes", kSyncTrigger},
    {"blocking_post_sync_nodes", kSyncTrigger},
    {"pre_sync_drp", kSyncTrigger},
    {"post_sync_drp", kSyncTrigger},
    {"blocking_pre_sync_drp", kSyncTrigger},
    {"blocking_post_sync_drp", kSyncTrigger},
    {"pre_sync_restore", kSyncTrigger},
    {"post_sync_restore", kSyncTrigger},
    {"blocking_pre_sync_restore", kSyncTrigger},
    {"blocking_post_sync_restore", kSyncTrigger},
    {"pre_sync_resync", kSyncTrigger},
    {"post_sync_resync", kSyncTrigger},
    {"blocking_pre_sync_resync", kSyncTrigger},
    {"blocking_post_sync_resync", kSyncTrigger},
    {"pre_sync_update", kSyncTrigger},
    {"post_sync_update", kSyncTrigger},
    {"blocking_pre_sync_update", kSyncTrigger},
    {"blocking_post_sync_update", kSyncTrigger},
    {"sync_nodes_requires", kSyncTrigger},
    {"sync_drp_requires", kSyncTrigger},
    {"sync_update_requires", kSyncTrigger},
    {"sync_break_requires", kSyncTrigger},
    {"sync_resync_requires", kSyncTrigger},
    {"sync_restore_requires", kSyncTrigger},
    {"scsireserv", kReservation},
    {"prkey", kReservation},
    {"no_preempt_abort", kReservation},
    {"docker_exe", "The docker command of OpenSVC. plumb speaks to the engine itself and runs no docker command."},
    {"dockerd_exe", "The engine's program. plumb runs the dockerd that is found in PATH."},
    {"show_disabled", "Whether OpenSVC's status shows disabled resources. plumb always shows them."},
    {"bwlimit", "A limit for OpenSVC's replication. plumb replicates nothing."},
    {"parallel",
     "Whether OpenSVC acts on resources in parallel. plumb always does, as far as their dependencies allow."},
    {"create_pg", kGroup},
    {"pg_cpus", kGroup},
    {"pg_mems", kGroup},
    {"pg_cpu_shares", kGroup},
    {"pg_cpu_quota", kGroup},
    {"pg_cpu_burst", kGroup},
    {"pg_cpu_cores", kGroup},
    {"pg_mem_high", kGroup},
    {"pg_pids_max", kGroup},
    {"pg_mem_limit", kGroup},
    {"pg_vmem_limit", kGroup},
    {"pg_mem_oom_control", kGroup},
    {"pg_mem_swappiness", kGroup},
    {"pg_blkio_weight", kGroup},
    {"lock_timeout",
     "How long OpenSVC waits for another action on the service. plumb's actions converge when they are run again."},
    {"status_timeout",
     "How long OpenSVC's status may take. plumb's asks the kernel and the engine, each with a deadline."},
    {"stat_timeout", "A timeout of OpenSVC's file system checks. plumb manages no file systems."},
    {"provision_timeout", kProvision},
    {"unprovision_timeout", kProvision},
    {"run_timeout", "How long a run of OpenSVC's tasks may take. plumb runs no tasks: use a systemd timer."},
    {"sync_timeout", "How long OpenSVC's replication may take. plumb replicates nothing."},
    {"wait_syncs_timeout", "How long OpenSVC waits for a replication that runs. plumb replicates nothing."},
    {"docker_swarm_args", "Options for a Docker Swarm of the service. plumb makes none."},
    {"docker_swarm_managers", "The managers of a Docker Swarm of the service. plumb makes none."},
};

constexpr Row kResource[] = {
    {"comment", "A remark. plumb does not show it."},
    {"stat_timeout", "A timeout of OpenSVC's file system checks. plumb manages no file systems."},
    {"shared", "Whether OpenSVC provisions the resource once for all nodes. plumb needs no provisioning."},
    {"restart_delay",
     "How long OpenSVC waits between two restarts of a resource. `plumb watch` waits 1 s, 2 s, 4 s, ... 60 s."},
    {"always_on", "The older spelling of `standby`, with a list of nodes. Use `standby@nodes` for a container."},
    {"provision", kProvision},
    {"unprovision", kProvision},
    {"start_requires", kRequires},
    {"stop_requires", kRequires},
    {"run_requires", kRequires},
    {"sync_requires", kRequires},
    {"update_requires", kRequires},
    {"provision_requires", kRequires},
    {"unprovision_requires", kRequires},
    {"pre_start", kTrigger},
    {"post_start", kTrigger},
    {"pre_stop", kTrigger},
    {"post_stop", kTrigger},
    {"pre_run", kTrigger},
    {"post_run", kTrigger},
    {"pre_provision", kTrigger},
    {"post_provision", kTrigger},
    {"pre_unprovision", kTrigger},
    {"post_unprovision", kTrigger},
    {"blocking_pre_start", kTrigger},
    {"blocking_post_start", kTrigger},
    {"blocking_pre_stop", kTrigger},
    {"blocking_post_stop", kTrigger},
    {"blocking_pre_run", kTrigger},
    {"blocking_post_run", kTrigger},
    {"blocking_pre_provision", kTrigger},
    {"blocking_post_provision", kTrigger},
    {"blocking_pre_unprovision", kTrigger},
    {"blocking_post_unprovision", kTrigger},
    {"pre_startstandby", kTrigger},
    {"post_startstandby", kTrigger},
    {"blocking_pre_startstandby", kTrigger},
    {"blocking_post_startstandby", kTrigger},
    {"pg_cpus", kGroup},
    {"pg_mems", kGroup},
    {"pg_cpu_shares", kGroup},
    {"pg_cpu_quota", kGroup},
    {"pg_cpu_burst", kGroup},
    {"pg_cpu_cores", kGroup},
    {"pg_mem_high", kGroup},
    {"pg_pids_max", kGroup},
    {"pg_mem_limit", kGroup},
    {"pg_vmem_limit", kGroup},
    {"pg_mem_oom_control", kGroup},
    {"pg_mem_swappiness", kGroup},
    {"pg_blkio_weight", kGroup},
};

constexpr Row kIp[] = {
    {"subset",
     "A set of resources that OpenSVC acts on together. plumb adds every address as early as its dependencies allow."},
    {"provisioner",
     "Where OpenSVC 2.1 has an address allocated from. plumb allocates none: write the address as `ipname`."},
    {"dns_update", "Whether OpenSVC 2.1 asks its collector for a DNS record. plumb has no DNS of its own."},
    {"addr",
     "Where om3 keeps the address that it drew from one of its networks. plumb draws none: write it as `ipname`."},
};

constexpr Row kContainer[] = {
    {"guest_os", kGuest},
    {"guestos", kGuest},
    {"osvc_root_path",
     "Where OpenSVC is installed inside the container, for its encapsulation. plumb has no use for it."},
    {"shared_ip_group",
     "A setting of OpenSVC's virtual machine drivers. plumb runs containers of a Docker Engine only."},
    {"secrets_environment", kStore},
    {"configs_environment", kStore},
    {"log_outputs",
     "Whether OpenSVC copies the output of the container to its log. The engine keeps it: `plumb logs "
     "SERVICE`."},
    {"promote_rw", kReservation},
    {"scsireserv", kReservation},
    {"prkey", kReservation},
    {"no_preempt_abort", kReservation},
};

constexpr Keyword ignored(SectionKind section, const Row& row) {
  return {.section = section, .name = row.name, .example = "1", .support = Support::ignored, .text = row.text};
}

template <std::size_t N>
constexpr auto rows_of(SectionKind section, const Row (&rows)[N]) {
  std::array<Keyword, N> out{};
  for (std::size_t i = 0; i < N; ++i) out[i] = ignored(section, rows[i]);
  return out;
}

template <std::size_t N, std::size_t M>
constexpr auto rows_of(SectionKind section, const Row (&rows)[N], const Row (&more)[M]) {
  std::array<Keyword, N + M> out{};
  for (std::size_t i = 0; i < N; ++i) out[i] = ignored(section, rows[i]);
  for (std::size_t i = 0; i < M; ++i) out[N + i] = ignored(section, more[i]);
  return out;
}

constexpr auto kDefaultsTable = rows_of(SectionKind::defaults, kDefaults);
constexpr auto kIpTable = rows_of(SectionKind::ip, kIp, kResource);
constexpr auto kContainerTable = rows_of(SectionKind::container, kContainer, kResource);

}  // namespace

std::span<const Keyword> ignored_rows(SectionKind kind) {
  switch (kind) {
    case SectionKind::defaults: return kDefaultsTable;
    case SectionKind::ip: return kIpTable;
    case SectionKind::container: return kContainerTable;
  }
  return {};
}

}  // namespace plumb::tables
