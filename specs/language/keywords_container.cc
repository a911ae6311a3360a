// The keywords of [container#N]: a container of the service.
#include "specs/language/keyword_tables.h"

namespace plumb::tables {

namespace {

constexpr auto kSection = SectionKind::container;

constexpr Keyword kRows[] = {
    {.section = kSection,
     .name = "type",
     .type = ValueType::choice,
     .default_value = "docker",
     .candidates = "docker oci",
     .example = "docker",
     .text = "The kind of container. plumb runs containers through the Docker Engine API; oci means the same."},
    {.section = kSection,
     .name = "name",
     .default_text = "SERVICE.container.N, where N is what follows the # of the section",
     .example = "svc1-db",
     .text = "The name of the container in the engine. With a name and no image the container is one that exists "
             "already: it "
             "is started and stopped, and never created, changed or removed."},
    {.section = kSection,
     .name = "image",
     .aliases = "run_image",
     .default_text = "plumb/pause for a container whose network namespace others use; required for the others",
     .example = "nginx:1.27",
     .text = "The image to make the container from. `plumb/pause` is built into plumb and needs no registry: it waits, "
             "so that "
             "the network namespace of the service has an owner."},
    {.section = kSection,
     .name = "image_pull_policy",
     .type = ValueType::choice,
     .default_value = "once",
     .candidates = "once always",
     .example = "always",
     .text = "once: pull the image only when the engine does not have it. always: pull at every start, so that a tag "
             "that moved is "
             "followed; then a registry that is down keeps the service down."},
    {.section = kSection,
     .name = "pull_timeout",
     .type = ValueType::duration,
     .default_value = "2m",
     .example = "10m",
     .text = "How long the pull of the image may take."},
    {.section = kSection,
     .name = "registry_creds",
     .type = ValueType::path,
     .default_text = "none: an anonymous pull",
     .example = "/etc/plumb/registry.json",
     .text =
         "The absolute path of a Docker configuration file (as `docker login` writes it) with the credentials for the "
         "image's registry. In OpenSVC this names a secret object; plumb has none."},
    {.section = kSection,
     .name = "rm",
     .type = ValueType::boolean,
     .default_value = "false",
     .example = "true",
     .text =
         "Remove the container, with its anonymous volumes, when it is stopped. A container without it is kept and "
         "started again; it is made anew when its configuration changed or the namespace it joined is gone, and takes "
         "its anonymous volumes along."},
    {.section = kSection,
     .name = "netns",
     .aliases = "net",
     .type = ValueType::resource,
     .default_value = "none",
     .candidates = "host none",
     .example = "container#0",
     .text =
         "The network namespace of the container. container#N: that of another container of the service, with its "
         "addresses. none: one of its own, with the loopback device only until an [ip#N] plumbs it. host: the node's."},
    {.section = kSection,
     .name = "userns",
     .type = ValueType::resource,
     .default_text = "the engine's own",
     .candidates = "host",
     .example = "host",
     .text = "The user namespace of the container: host turns the engine's user remapping off for it."},
    {.section = kSection,
     .name = "pidns",
     .type = ValueType::resource,
     .default_text = "one of its own",
     .candidates = "host private",
     .example = "container#0",
     .text = "The process id namespace of the container: that of another container of the service, host, or private."},
    {.section = kSection,
     .name = "ipcns",
     .type = ValueType::resource,
     .default_text = "one of its own",
     .candidates = "host private shareable none",
     .example = "container#0",
     .text = "The System V and POSIX message namespace of the container: that of another container of the service, "
             "host, private, shareable (it is so by itself where another container joins it), or none: private and "
             "without /dev/shm."},
    {.section = kSection,
     .name = "utsns",
     .type = ValueType::resource,
     .default_text = "one of its own",
     .candidates = "host private",
     .example = "host",
     .text = "The host name namespace of the container: host, or private."},
    {.section = kSection,
     .name = "hostname",
     .default_text = "made of the service's name where the container owns the network namespace of the service",
     .example = "web1",
     .text =
         "The host name inside the container. A container that joins another one's network namespace has that one's "
         "host name, so the engine refuses it there: set it on the owner of the namespace. In the service it means the "
         "service's addresses."},
    {.section = kSection,
     .name = "user",
     .default_text = "that of the image",
     .example = "101:101",
     .text = "The user, or user:group, that the command runs as."},
    {.section = kSection,
     .name = "cwd",
     .type = ValueType::path,
     .default_text = "that of the image",
     .example = "/srv",
     .text = "The working directory of the command: an absolute path in the container."},
    {.section = kSection,
     .name = "entrypoint",
     .type = ValueType::words,
     .default_text = "that of the image",
     .example = "/docker-entrypoint.sh",
     .text = "The program to run instead of the image's entry point, with arguments."},
    {.section = kSection,
     .name = "command",
     .aliases = "run_command",
     .type = ValueType::words,
     .default_text = "that of the image",
     .example = "nginx -g 'daemon off;'",
     .text =
         "The command, or the arguments for the entry point. Quotes and backslashes work as in a shell, but nothing is "
         "expanded; for that, run one: sh -c '...'."},
    {.section = kSection,
     .name = "environment",
     .type = ValueType::words,
     .default_text = "none",
     .example = "PORT=8080 'GREETING=good day'",
     .text = "Environment variables, each as NAME=value, separated by spaces or on indented lines of their own."},
    {.section = kSection,
     .name = "volume_mounts",
     .type = ValueType::words,
     .default_text = "none",
     .example = "/srv/svc1/html:/usr/share/nginx/html:ro data:/var/lib/data",
     .text = "Directories, files and volumes to mount, each as source:target or source:target:options. The source is "
             "an absolute "
             "path of the node or the name of a volume of the engine."},
    {.section = kSection,
     .name = "devices",
     .type = ValueType::words,
     .default_text = "none",
     .example = "/dev/fuse:/dev/fuse:rwm",
     .text = "Devices of the node to pass into the container, each as /dev/on-host[:/dev/in-container[:rwm]]."},
    {.section = kSection,
     .name = "dns",
     .type = ValueType::words,
     .default_text = "those of the node",
     .example = "10.0.3.53",
     .text = "The addresses of the name servers. In a shared network namespace they are set on its owner."},
    {.section = kSection,
     .name = "dns_search",
     .type = ValueType::words,
     .default_text = "those of the node",
     .example = "example.com",
     .text = "The domains to search for short names. In a shared network namespace they are set on its owner."},
    {.section = kSection,
     .name = "sysctl",
     .type = ValueType::words,
     .default_text = "none",
     .example = "net.ipv4.ip_unprivileged_port_start=0",
     .text = "Kernel parameters of the container's namespaces, each as name=value. Those that begin with net. belong "
             "to the "
             "owner of the network namespace."},
    {.section = kSection,
     .name = "privileged",
     .type = ValueType::boolean,
     .default_value = "false",
     .example = "true",
     .text = "Run the container with all capabilities and all devices of the node."},
    {.section = kSection,
     .name = "read_only",
     .type = ValueType::boolean,
     .default_value = "false",
     .example = "true",
     .text = "Mount the container's root file system read-only."},
    {.section = kSection,
     .name = "init",
     .type = ValueType::boolean,
     .default_value = "false",
     .example = "true",
     .text = "Run the engine's small init as process 1, which forwards signals and reaps children. The default "
             "of om3 is true; plumb runs the image as it is unless asked."},
    {.section = kSection,
     .name = "interactive",
     .type = ValueType::boolean,
     .default_value = "false",
     .example = "true",
     .text = "Keep the standard input of the container open."},
    {.section = kSection,
     .name = "tty",
     .type = ValueType::boolean,
     .default_value = "false",
     .example = "true",
     .text = "Give the container a terminal."},
    {.section = kSection,
     .name = "detach",
     .type = ValueType::boolean,
     .default_value = "true",
     .example = "false",
     .text = "false: an init container. The start waits until its command has ended, at most for `start_timeout`; exit "
             "code 0 is success, and anything else fails the start. It runs in its place in the file: after the "
             "addresses of its namespace and the start of the containers before it, and those that follow wait for its "
             "end. It runs once for each start of the service, and is removed at stop."},
    {.section = kSection,
     .name = "run_args",
     .type = ValueType::words,
     .default_text = "none",
     .example = "-v /srv/data:/data:ro --memory 512m",
     .text =
         "Flags of `docker run`. plumb runs no docker command: it asks the engine for what the flags mean. A flag that "
         "has a keyword sets it (-v and --mount are volume_mounts, -e environment, -h hostname, -u user, -w cwd, "
         "--device devices, --dns dns, --dns-search dns_search, --sysctl sysctl, --net netns with host, none or "
         "container:NAME, --pid pidns, --ipc ipcns, --uts utsns, --userns userns, --stop-timeout stop_timeout, "
         "--entrypoint, --privileged, --read-only, --init, --rm, -i, -t); lists add to the keyword's, single values "
         "are set in one place only. Those without one: --add-host, --cap-add, --cap-drop, --cgroup-parent, "
         "--cpu-shares, --cpus, --cpuset-cpus, --group-add, --health-cmd, --health-interval, --health-retries, "
         "--health-start-period, --health-timeout, --no-healthcheck, --label, --log-driver, --log-opt, --memory, "
         "--memory-swap, --oom-score-adj, --pids-limit, --runtime, --security-opt, --shm-size, --stop-signal, "
         "--tmpfs, --ulimit. Every other flag is refused, since to drop it could start a container without its data "
         "or limits: --publish, for one, as the service has an address of its own, with all its ports."},
    {.section = kSection,
     .name = "start_timeout",
     .type = ValueType::duration,
     .default_value = "10s",
     .example = "30s",
     .text =
         "How long the engine may take to start the container once its image is there; with `detach = false`, how long "
         "the container may run."},
    {.section = kSection,
     .name = "stop_timeout",
     .type = ValueType::duration,
     .default_text = "the container's own: 10 s unless its image says otherwise",
     .example = "30s",
     .text = "How long the container may take to end after its stop signal; then the engine kills it. 0 kills it at "
             "once. Whole "
             "seconds."},
    {.section = kSection,
     .name = "standby",
     .type = ValueType::boolean,
     .default_value = "false",
     .example = "true",
     .text = "The container runs on every node of the service, also where the service itself is not started: `plumb "
             "boot` starts it, `plumb shutdown` stops it, `plumb stop` leaves it running."},
    {.section = kSection,
     .name = "encap",
     .type = ValueType::boolean,
     .default_value = "false",
     .example = "false",
     .support = Support::not_yet,
     .text = "In OpenSVC, run the resource inside the service's container, as `tags = encap` does. Not supported by "
             "plumb, which starts no container inside a container: only false is accepted."},
    {.section = kSection,
     .name = "optional",
     .type = ValueType::boolean,
     .default_value = "false",
     .example = "true",
     .text = "A failure of this container does not fail the start of the service, and its state does not count in the "
             "service's."},
    {.section = kSection,
     .name = "disable",
     .type = ValueType::boolean,
     .default_value = "false",
     .example = "false",
     .text = "Leave this container out of every action. `disable@n1 = true` does so on one node."},
    {.section = kSection,
     .name = "tags",
     .type = ValueType::words,
     .example = "blue",
     .text = "Words that mark the resource. encap is refused: plumb starts no container inside a container. Other "
             "words are free."},
    {.section = kSection,
     .name = "subset",
     .default_text = "none: before all subsets",
     .example = "b",
     .text = "Containers of a subset are started after those of the subsets that come before it in the alphabet have "
             "been, and stopped before them; those of one subset together. A container whose namespace others use "
             "waits for nobody."},
    {.section = kSection,
     .name = "restart",
     .type = ValueType::integer,
     .default_value = "0",
     .example = "2",
     .text =
         "How often `plumb watch` restarts the container when it ends by itself, 0 to 1000: after 1 s, 2 s, 4 s, ... "
         "60 s, and then it is left down. One that has run for 10 minutes has its restarts back. A container that "
         "others live in, or an address does, is brought back whatever the number, and the others with it."},
    {.section = kSection,
     .name = "monitor",
     .type = ValueType::boolean,
     .default_value = "false",
     .example = "true",
     .support = Support::ignored,
     .text = "Let the end of this container trigger the relocation of the service. `plumb watch` restarts it and "
             "reports it, but moves no service: that is the cluster's, so the keyword has no effect."},
};

}  // namespace

std::span<const Keyword> container_rows() { return kRows; }

}  // namespace plumb::tables
