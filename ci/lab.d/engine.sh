# shellcheck shell=bash
# The engine of a node, on the default socket, with no bridge and no packet filter: Docker's dockerd or Podman's service, the
# machine's own or that of another release. The latter runs on the root of its release (ci/debian --root), in a mount namespace
# of its own, and in the node's other namespaces; it shares the node's /run, /srv and data, so that whoever talks to it, the
# tests' programs among them, finds what is always there, the namespaces of its containers included.
# What the lab has is in the file `engine` of the lab's folder.

ENGINE_TREE=${BASH_SOURCE[0]%/*}
ENGINE_RELEASES=(bookworm trixie forky)

# engine_machine: prints the machine's own release.
engine_machine() { (. /etc/os-release && echo "$VERSION_CODENAME"); }

# engine_chosen: prints the lab's RELEASE and KIND.
engine_chosen() {
  local chosen
  chosen=$(cat "$LAB_DIR/engine" 2>/dev/null) || chosen=$(engine_machine)/docker
  echo "${chosen%/*} ${chosen#*/}"
}

# engine_choose RELEASE/KIND: for a new lab; one that is there has its engines. Empty: what it has, or the machine's own Docker.
engine_choose() {
  local had wanted=$1 release kind
  had=$(cat "$LAB_DIR/engine" 2>/dev/null) || had=
  release=${wanted%/*} kind=${wanted#*/}
  if [[ -z $wanted ]]; then
    wanted=${had:-$(engine_machine)/docker}
  elif [[ $wanted != */* || " ${ENGINE_RELEASES[*]} " != *" $release "* || ! $kind =~ ^(docker|podman)$ ]]; then
    die "--engine '$wanted': it is RELEASE/docker or RELEASE/podman, and a release is one of ${ENGINE_RELEASES[*]}"
  elif [[ -z $had && -d $LAB_DIR/n1 ]]; then
    had=$(engine_machine)/docker
  fi
  [[ -z $had || $had == "$wanted" ]] || die "the lab $LAB has engines of $had, not of $wanted: run 'ci/lab down' first"
  mkdir -p "$LAB_DIR"
  echo "$wanted" >"$LAB_DIR/engine"
}

# engine_root_hold: makes the root of the lab's release, where that is not the machine's own, and locks it for this shell and all
# that it starts: it is not made anew under them. Sets ENGINE_ROOT.
engine_root_hold() {
  local release
  ENGINE_ROOT=
  read -r release _ < <(engine_chosen)
  [[ $release != "$(engine_machine)" ]] || return 0
  ENGINE_ROOT=$("$ENGINE_TREE/../debian" --root "$release" 9<&-) || die "there is no root of $release for its engine"
  exec 8<"$ENGINE_ROOT.lock"
  flock --shared 8
}

# engine_root_pid NODE: prints the pid, inside the node, of who holds the engine's mount namespace.
engine_root_pid() {
  local root pid
  root=/proc/$(node_pid "$1")/root || return 1
  read -r pid 2>/dev/null <"$root/run/plumb-engine" && [[ -d $root/proc/$pid ]] && echo "$pid"
}

# engine_in NODE COMMAND...: runs the command where the engine runs.
engine_in() {
  local pid
  if pid=$(engine_root_pid "$1"); then
    node_run "$1" nsenter --mount="/proc/$pid/ns/mnt" -- "${@:2}"
  else
    node_run "$@"
  fi
}

# engine_root_up NODE: in the node the engine's programs are then those of the root.
engine_root_up() {
  local said kind program
  if [[ -z $ENGINE_ROOT ]] || engine_root_pid "$1" >/dev/null; then return 0; fi
  read -r _ kind < <(engine_chosen)
  read -r said < <(node_enter "$1" setsid --fork unshare --mount --propagation unchanged \
    "$ENGINE_TREE/engine_root" "$ENGINE_ROOT" "$LAB_DIR/$1" "$kind" 2>"$LAB_DIR/$1/engine_root.log" </dev/null 9<&-) || true
  [[ ${said:-} == up ]] || die "enter the root of $1's engine: $(tail -n 3 "$LAB_DIR/$1/engine_root.log")"
  for program in dockerd podman; do
    node_run "$1" mount --bind "$ENGINE_TREE/engine_program" "$(PATH=$LAB_PATH command -v $program)"
  done
}

# engine_pid NODE: prints the engine's pid inside the node; fails when it does not run.
engine_pid() {
  local root pid
  root=/proc/$(node_pid "$1")/root || return 1
  read -r pid 2>/dev/null <"$root/run/docker.pid" || [[ -n ${pid:-} ]] || return 1
  [[ $(readlink "$root/proc/$pid/exe") =~ /(dockerd|podman)$ ]] || return 1
  echo "$pid"
}

# engine_up NODE: starts the engine and returns when it answers. An engine killed before is forgotten.
engine_up() {
  local kind
  engine_pid "$1" >/dev/null && return
  read -r _ kind < <(engine_chosen)
  node_run "$1" rm -f /run/docker.pid /run/docker.sock
  "engine_up_$kind" "$1"
}

engine_up_docker() {
  node_run "$1" "$ENGINE_TREE/ready" /run/docker.notify "$LAB_DIR/$1/dockerd.log" 60 \
    dockerd --bridge none --iptables=false --ip6tables=false --data-root /var/lib/docker --exec-root /run/docker \
    --pidfile /run/docker.pid -H unix:///run/docker.sock
}

# Podman's limits for a container are higher than what some machines let even root set; it needs a file where no journal runs.
# crun is its own, and refuses a machine with both kinds of control groups; on its own root it sees only the old ones.
engine_up_podman() {
  local runtime=crun
  if [[ -d /sys/fs/cgroup/unified ]] && ! engine_root_pid "$1" >/dev/null; then runtime=runc; fi
  engine_in "$1" mkdir -p /etc/containers
  engine_in "$1" tee /etc/containers/containers.conf >/dev/null <<END
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
events_logger = "file"
cgroup_manager = "cgroupfs"
runtime = "$runtime"
END
  # shellcheck disable=SC2016
  node_run "$1" "$ENGINE_TREE/ready" /run/docker.notify "$LAB_DIR/$1/podman.log" 60 \
    sh -c 'echo $$ >/run/docker.pid && exec podman system service --time 0 unix:///run/docker.sock'
}

# engine_images NODE: Docker's data are seeded with them; Podman pulls what it lacks.
engine_images() {
  local kind image
  read -r _ kind < <(engine_chosen)
  [[ $kind == podman ]] || return 0
  for image in nginx busybox ghcr.io/opensvc/pause; do
    node_run "$1" docker image inspect "$image" >/dev/null 2>&1 || node_run "$1" docker pull --quiet "$image" >/dev/null || return
  done
}

# engine_down NODE [SIGNAL]: ends the engine, by default in good order, which stops its containers too. A killed one takes its
# containerd along a moment later; until then the next engine would take that for its own, and wait for it in vain.
engine_down() {
  local pid own
  pid=$(engine_pid "$1") || return 0
  own=/proc/$(node_pid "$1")/root/run/docker/containerd/containerd.pid
  if [[ -s $own ]]; then own=$(<"$own"); else own=; fi
  node_run "$1" bash -c "$(declare -f await_exit); kill -s ${2:-TERM} $pid && for pid in $pid $own; do await_exit \$pid 30 || exit; done" ||
    die "stop the engine of $1: it still runs after 30 s"
}
