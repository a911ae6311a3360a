// The keywords of [DEFAULT]: what holds for the service as a whole.
#include <array>

#include "specs/language/keyword_tables.h"

namespace plumb::tables {

namespace {

constexpr auto kSection = SectionKind::defaults;

constexpr Keyword kRows[] = {
    {.section = kSection,
     .name = "nodes",
     .type = ValueType::nodes,
     .scopable = false,
     .default_text = "the node the spec is read on",
     .example = "n1 n2",
     .text = "The nodes that may run the service, by their host names. `keyword@nodes` applies on each of them. "
             "Starting the "
             "service on a node that is in neither `nodes` nor `drpnodes` is refused."},
    {.section = kSection,
     .name = "drpnodes",
     .type = ValueType::nodes,
     .scopable = false,
     .default_text = "none",
     .example = "n3",
     .text =
         "The nodes of the disaster recovery site. `keyword@drpnodes` applies on each of them, so that the service can "
         "have another address, device or gateway there."},
    {.section = kSection,
     .name = "drpnode",
     .type = ValueType::nodes,
     .scopable = false,
     .default_text = "none",
     .example = "n3",
     .text = "One more node of `drpnodes`: the older way to name the first of them."},
    {.section = kSection,
     .name = "encapnodes",
     .type = ValueType::nodes,
     .scopable = false,
     .default_text = "none",
     .example = "vm1",
     .text =
         "The containers or virtual machines that host a part of the service. `keyword@encapnodes` applies on each of "
         "them. This version runs nothing inside such a node; only the scope has an effect."},
    {.section = kSection,
     .name = "topology",
     .aliases = "cluster_type",
     .type = ValueType::choice,
     .default_value = "failover",
     .candidates = "failover flex",
     .example = "flex",
     .text =
         "failover: the service runs on one node at a time. flex: it may run on several nodes at once, each with an "
         "address of its own (`ipname@n1`, `ipname@n2`, ...)."},
    {.section = kSection,
     .name = "rollback",
     .type = ValueType::boolean,
     .default_value = "true",
     .example = "false",
     .text = "What `start` does when one of its steps fails: true undoes, in reverse order, everything that this start "
             "did; "
             "false leaves it as it is, for inspection. What was already up before is never touched."},
    {.section = kSection,
     .name = "foreign",
     .type = ValueType::choice,
     .default_value = "refuse",
     .candidates = "refuse ignore",
     .example = "ignore",
     .origin = Origin::plumb,
     .text =
         "What to do about sections of OpenSVC that plumb does not manage: file systems, disks, volumes, replication, "
         "tasks, programs and shares. refuse: the file is not accepted, and each section is named with what can manage "
         "it. ignore: a warning names each, and the rest of the service is managed; whoever manages them has to have "
         "them up before the service starts."},
    {.section = kSection,
     .name = "docker_data_dir",
     .aliases = "container_data_dir",
     .type = ValueType::path,
     .default_text = "none: the node's own Docker Engine runs the containers",
     .example = "/srv/svc1/docker_data_dir",
     .text =
         "An absolute path. When it is set the service has a private Docker Engine with its data root there (images, "
         "containers, volumes), and its own socket, pid file, exec root and containerd namespace. plumb starts it "
         "before the first container and stops it after the last one, so a data directory on shared storage moves "
         "with the service. It cannot be the data root of the node's own engine."},
    {.section = kSection,
     .name = "docker_daemon_private",
     .type = ValueType::boolean,
     .default_text = "true when `docker_data_dir` is set",
     .example = "false",
     .text = "false: the node's own Docker Engine runs the containers although `docker_data_dir` is set."},
    {.section = kSection,
     .name = "docker_daemon_args",
     .type = ValueType::words,
     .default_text = "none",
     .example = "--log-level warn --storage-driver overlay2",
     .text =
         "Options for the private Docker Engine of `docker_data_dir`. The options that make it private (--data-root, "
         "--exec-root, --pidfile, --host, --containerd and its namespaces) are plumb's own and are refused."},
    {.section = kSection,
     .name = "timeout",
     .type = ValueType::duration,
     .default_text = "none: only the timeouts of the resources hold",
     .example = "5m",
     .text = "How long a whole start or stop may take. When it passes, what still runs is cancelled and, with "
             "`rollback`, undone."},
    {.section = kSection,
     .name = "start_timeout",
     .type = ValueType::duration,
     .default_text = "that of `timeout`",
     .example = "2m",
     .text = "How long a whole start may take, instead of `timeout`. A container's own `start_timeout` is set in its "
             "section."},
    {.section = kSection,
     .name = "stop_timeout",
     .type = ValueType::duration,
     .default_text = "that of `timeout`",
     .example = "3m",
     .text = "How long a whole stop may take, instead of `timeout`. A container's own `stop_timeout` is set in its "
             "section."},
    {.section = kSection,
     .name = "handover",
     .type = ValueType::boolean,
     .default_value = "false",
     .example = "true",
     .origin = Origin::plumb,
     .text =
         "true: the service may be handed over from one node to another, by `plumb prepare` and `plumb activate` or by "
         "Pacemaker (allow-migrate=true). Its containers are started on the new node first, without its addresses; "
         "then the old node withdraws the addresses and the new one claims them, which takes milliseconds. Two "
         "instances of the application run for that moment, each with what is on its own node: no directory may be "
         "one that both write to, that of `docker_data_dir` least of all. Programs that listen on the service's "
         "address find that they may, before it is there (net.ipv4.ip_nonlocal_bind)."},
    {.section = kSection,
     .name = "handover_timeout",
     .type = ValueType::duration,
     .default_text = "none as long as the other node is heard, 35 s without a word of it; Pacemaker's agent 10 s",
     .example = "30s",
     .origin = Origin::plumb,
     .text =
         "How long a hand-over waits for the node that has the addresses to withdraw them. When it passes, "
         "`plumb activate` fails and undoes what it has started itself, as any start that fails; what `plumb prepare` "
         "has started stays, until `plumb stop` on the new node. It takes nothing by itself: `plumb activate --force` "
         "takes addresses for which nobody answers."},
};

}  // namespace

std::span<const Keyword> defaults_rows() { return kRows; }

}  // namespace plumb::tables
