# shellcheck shell=bash
# The Docker Engine of a node, on the default socket. It is the machine's own dockerd, with no bridge and no packet filter.

ENGINE_TREE=${BASH_SOURCE[0]%/*}

# engine_pid NODE: prints the engine's pid inside the node; fails when it does not run.
engine_pid() {
  local root pid
  root=/proc/$(node_pid "$1")/root || return 1
  read -r pid 2>/dev/null <"$root/run/docker.pid" || [[ -n ${pid:-} ]] || return 1
  [[ $(readlink "$root/proc/$pid/exe") == */dockerd ]] || return 1
  echo "$pid"
}

# engine_up NODE: starts the engine and returns when it answers. An engine killed before is forgotten.
engine_up() {
  engine_pid "$1" >/dev/null && return
  node_run "$1" rm -f /run/docker.pid /run/docker.sock
  node_run "$1" "$ENGINE_TREE/ready" /run/docker.notify "$LAB_DIR/$1/dockerd.log" 60 \
    dockerd --bridge none --iptables=false --ip6tables=false --data-root /var/lib/docker --exec-root /run/docker \
    --pidfile /run/docker.pid -H unix:///run/docker.sock
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
