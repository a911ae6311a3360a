# shellcheck shell=bash
# A node of the lab: one process (pid 1 of a pid namespace) that holds net, uts, ipc, mount and pid namespaces. Everything
# that ever runs in the node, engines and containers included, dies with that process, so nothing can be forgotten.
# The node sees the machine's file system with its own /etc and /var/lib (overlays), /srv, /run, /proc and /sys.
# Needs root. Callers set LAB and LAB_DIR. Who changes a lab holds a lock on fd 9; what lives on must close it.

umask 022 # containers, Pacemaker and whoever drops privileges read what is made here
LAB_ROOT=/var/cache/plumb-lab
LAB_PATH=/usr/sbin:/usr/bin:/sbin:/bin
LAB_GATEWAY=10.0.3.1

die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# await_exit PID SECONDS: returns when the process is gone (pidfd_open(2) has number 434 on every architecture).
await_exit() {
  perl -e '
    my $fd = syscall(434, $ARGV[0] + 0, 0);
    exit 0 if $fd < 0;
    vec(my $set = "", $fd, 1) = 1;
    exit(select($set, undef, undef, $ARGV[1]) ? 0 : 1)' "$1" "$2"
}

# node_pid NODE: prints the pid of the holder; fails when the node is not up. A pid alone is not believed.
node_pid() {
  local pid said
  read -r pid 2>/dev/null <"$LAB_DIR/$1/pid" || return 1
  read -r said 2>/dev/null <"/proc/$pid/root/run/plumb-lab" || return 1
  [[ $said == "$LAB/$1" ]] || return 1
  echo "$pid"
}

# node_enter NODE COMMAND...: replaces the shell by the command, inside the node.
node_enter() {
  local pid node=$1
  shift
  pid=$(node_pid "$node") || die "node $node is not up: run 'ci/lab up'"
  unset "${!DOCKER_@}" http_proxy https_proxy HTTP_PROXY HTTPS_PROXY
  exec nsenter --target "$pid" --all --wdns="$PWD" -- env PATH="$LAB_PATH" HOME=/srv/home "$@"
}

# node_run NODE COMMAND...: the same with the caller's shell kept.
node_run() { (node_enter "$@"); }

# node_net NODE COMMAND...: only the network namespace is the node's.
node_net() {
  local pid
  pid=$(node_pid "$1") || die "node $1 is not up: run 'ci/lab up'"
  nsenter --target "$pid" --net -- "${@:2}"
}

# Runs as pid 1 of the new namespaces: $1 is the lab's name, $2 the node's, $3 the node's folder, $4 the hosts file.
# shellcheck disable=SC2016
NODE_INIT='
set -euo pipefail
lab=$1 node=$2 dir=$3 hosts=$4
read -r pid _ </proc/self/stat # the machine is still mounted on /proc: this is the pid out there
mkdir -p "$dir"/{etc,etc.work,varlib,varlib.work,srv/home,docker,containers,sys}
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/lock
echo "$lab/$node" >/run/plumb-lab
mount -t overlay -o "lowerdir=/etc,upperdir=$dir/etc,workdir=$dir/etc.work" plumb-lab /etc
mount -t overlay -o "lowerdir=/var/lib,upperdir=$dir/varlib,workdir=$dir/varlib.work" plumb-lab /var/lib
mount --bind "$dir/srv" /srv
mkdir -p /var/lib/docker /var/lib/containers /etc/plumb
mount --bind "$dir/docker" /var/lib/docker # engines keep their images on overlays, which cannot lie on this one
mount --bind "$dir/containers" /var/lib/containers
mount --rbind /sys "$dir/sys"
mount -t sysfs sysfs /sys
mount --rbind "$dir/sys/fs/cgroup" /sys/fs/cgroup
umount -l "$dir/sys"
mount -t proc proc /proc
mount --make-rshared / # as systemd does on every Debian; an engine mounts its data root upon itself otherwise
echo "$node" >/proc/sys/kernel/hostname
echo "$node" >/etc/hostname
cp "$hosts" /etc/hosts
rm -f /etc/resolv.conf
echo "options timeout:1 attempts:1" >/etc/resolv.conf
rm -rf /etc/docker
mkdir /etc/docker
ip link set lo up
echo "$pid" >"$dir/pid.new"
mv "$dir/pid.new" "$dir/pid"
echo up
# Children that nobody waits for are reaped by the kernel while SIGCHLD is ignored.
exec env --ignore-signal=CHLD bash -c "exec -a plumb-$lab/$node sleep infinity" >/dev/null 2>&1
'

# node_sweep PATTERN: ends what a crash left of the nodes LAB/PATTERN. They are found by what they are, not by what a file
# says: a holder by its environment while it is being made, all else by the mark in the node's /run. What has another root than
# this machine's is of a lab in there (ci/debian), which may have the same name.
node_sweep() {
  local pid
  {
    grep -lzsx "PLUMB_LAB_NODE=$LAB/$1" /proc/[0-9]*/environ || true
    grep -lsx "$LAB/$1" /proc/[0-9]*/root/run/plumb-lab || true
  } | cut -d / -f 3 | while read -r pid; do
    [[ /proc/$pid/root/usr -ef /usr ]] || continue
    kill -KILL "$pid" 2>/dev/null || true
    await_exit "$pid" 30 || die "end process $pid of the lab: it is still there after 30 s"
  done
}

# node_up NODE: makes the node if it is not up. Its files survive node_down, as a disk survives a power cut.
node_up() {
  local dir=$LAB_DIR/$1 said
  node_pid "$1" >/dev/null && return
  if [[ -d $dir/etc ]]; then node_sweep "$1"; fi
  mkdir -p "$dir"
  rm -f "$dir/pid"
  read -r said < <(exec env -i PATH="$LAB_PATH" HOME=/srv/home "PLUMB_LAB_NODE=$LAB/$1" \
    setsid unshare --net --uts --ipc --mount --pid --fork --kill-child \
    bash -c "$NODE_INIT" node-init "$LAB" "$1" "$dir" "$LAB_DIR/hosts" 2>"$dir/init.log" </dev/null 9<&-) || true
  [[ ${said:-} == up ]] || die "start node $1: $(tail -n 3 "$dir/init.log")"
}

# node_down NODE: ends everything that runs in the node, at once, as a power cut does.
node_down() {
  local pid
  pid=$(node_pid "$1") || return 0
  kill -KILL "$pid"
  await_exit "$pid" 30 || die "end node $1: its processes are still there after 30 s (pid $pid)"
  rm -f "$LAB_DIR/$1/pid"
}
