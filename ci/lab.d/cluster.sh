# shellcheck shell=bash
# Corosync and Pacemaker, Debian's own, in the nodes n1, n2 and n3, with fencing by `ci/lab kill`. Each node has its own
# /dev/shm and logs, and sees the agents under test where Pacemaker looks for them; the machine's own /usr stays as it is.

CLUSTER_TREE=${BASH_SOURCE[0]%/*}
CLUSTER_TOKEN=1000 # ms: what corosync 2 had, and what suits a LAN; corosync 3 comes with 3000, and 650 for a third node

cluster_require() {
  local tool
  for tool in corosync pacemakerd crm_mon; do
    PATH=$LAB_PATH command -v $tool >/dev/null || die "$tool is missing: run 'ci/install --cluster'"
  done
}

# cluster_corosync TOKEN: prints corosync.conf(5). The coefficient is 0, so that the token is what was asked for.
cluster_corosync() {
  local node
  cat <<END
totem {
  version: 2
  cluster_name: $LAB
  transport: knet
  crypto_cipher: none
  crypto_hash: none
  token: $1
  token_coefficient: 0
}
quorum {
  provider: corosync_votequorum
}
system {
  move_to_root_cgroup: no
}
logging {
  to_syslog: no
  to_logfile: yes
  logfile: /var/log/corosync/corosync.log
  timestamp: hires
}
nodelist {
END
  for node in "${ENGINES[@]}"; do
    printf '  node {\n    name: %s\n    nodeid: %s\n    ring0_addr: 10.0.3.%s\n  }\n' \
      "$node" "${node#n}" "$(lan_octet "$node")"
  done
  echo '}'
}

# cluster_cib: prints what a new cluster begins with. An election is won after 2 s instead of 20: all nodes are near.
# Pacemaker does less at once on a busy machine, and here each node takes the load of all for its own: it is told not to.
# A node that is fenced stays off until `ci/lab cluster up`, so that what it had can be looked at.
# The set has the name that Pacemaker, pcs and crmsh give to theirs: with two sets the tools would change one each.
cluster_cib() {
  local pair properties='' set=cib-bootstrap-options
  for pair in dc-deadtime=2s stonith-enabled=true stonith-action=off stonith-timeout=10s load-threshold=10000%; do
    properties+="<nvpair id=\"$set-${pair%=*}\" name=\"${pair%=*}\" value=\"${pair#*=}\"/>"
  done
  cibadmin --empty | sed "
    s|<crm_config/>|<crm_config><cluster_property_set id=\"$set\">$properties</cluster_property_set></crm_config>|
    s|<resources/>|<resources><primitive id=\"fencing\" class=\"stonith\" type=\"fence_lab\"><operations>\
      <op id=\"fencing-monitor\" name=\"monitor\" interval=\"60s\"/></operations></primitive></resources>|"
}

# cluster_agents PROGRAM: the folders that the nodes lay over theirs. /usr/sbin/plumb is a link to a copy of the program:
# Pacemaker reads the agent's metadata as its own user, who may not enter a home where the program was built. Another program
# takes the copy's place as a new file, as the old one may run.
cluster_agents() {
  local dir=$LAB_DIR/cluster
  mkdir -p "$dir"/{ocf/plumb,sbin}
  cmp -s "$1" "$dir/plumb" || { install -m 755 "$1" "$dir/plumb.new" && mv "$dir/plumb.new" "$dir/plumb"; }
  sed 's|@PLUMB_AGENT_PROGRAM@|/usr/sbin/plumb|' "$CLUSTER_TREE/../../plugin/cluster/service.in" >"$dir/service.new"
  chmod 755 "$dir/service.new"
  mv "$dir/service.new" "$dir/ocf/plumb/service"
  install -m 755 "$CLUSTER_TREE/fence_lab" "$dir/sbin/fence_lab"
  ln -sfn "$dir/plumb" "$dir/sbin/plumb"
}

# Runs in a node, once for each time that it is powered on: $1 is the cluster's folder, $2 the node's.
# A panic of Pacemaker's would reach the machine by /proc/sysrq-trigger.
# shellcheck disable=SC2016
CLUSTER_NODE='
set -euo pipefail
mkdir -p "$2/log/corosync"
install -d -m 770 -o hacluster -g haclient "$2/log/pacemaker"
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
mount --bind "$2/log/corosync" /var/log/corosync
mount --bind "$2/log/pacemaker" /var/log/pacemaker
mount -t overlay -o "ro,lowerdir=$1/ocf:/usr/lib/ocf/resource.d" plumb-lab /usr/lib/ocf/resource.d
mount -t overlay -o "ro,lowerdir=$1/sbin:/usr/sbin" plumb-lab /usr/sbin
if [[ -e /proc/sysrq-trigger ]]; then mount --bind /dev/null /proc/sysrq-trigger; fi
touch /run/plumb-cluster'

# cluster_pid NODE DAEMON: prints the pid inside the node; fails when it does not run.
cluster_pid() { node_pid "$1" >/dev/null && node_run "$1" pgrep -x "$2"; }

# cluster_node_up NODE TOKEN: starts what does not run of the two daemons.
cluster_node_up() {
  node_run "$1" test -e /run/plumb-cluster || node_run "$1" bash -c "$CLUSTER_NODE" node "$LAB_DIR/cluster" "$LAB_DIR/$1"
  cluster_pid "$1" corosync >/dev/null && return
  cluster_corosync "$2" | node_run "$1" tee /etc/corosync/corosync.conf >/dev/null
  node_run "$1" "$CLUSTER_TREE/ready" /run/corosync.notify "$LAB_DIR/$1/log/corosync/stderr" 30 corosync -f
}

# cluster_pacemaker_up NODE: a node that knows no cluster yet gets the first configuration. Pacemaker tells nobody when it is
# ready: see cluster_await.
cluster_pacemaker_up() {
  cluster_pid "$1" pacemakerd >/dev/null && return
  node_run "$1" test -e /var/lib/pacemaker/cib/cib.xml ||
    node_run "$1" install -m 600 -o hacluster -g haclient "$LAB_DIR/cluster/cib.xml" /var/lib/pacemaker/cib/cib.xml
  node_run "$1" setsid --fork env PCMK_logfacility=none PCMK_logfile=/var/log/pacemaker/pacemaker.log \
    pacemakerd >>"$LAB_DIR/$1/log/pacemaker/stderr" 2>&1 </dev/null 9<&-
}

# cluster_fencer_up: the power switch of the nodes. It is ended by node_sweep, by the mark in its environment.
cluster_fencer_up() {
  local dir=$LAB_DIR/cluster
  if [[ -S $dir/fencer ]] && "$CLUSTER_TREE/fence_lab" monitor "$dir/fencer" 2>/dev/null; then return; fi
  node_sweep fencer
  env -i PATH="$LAB_PATH" PLUMB_LAB="$LAB" PLUMB_LAB_NODE="$LAB/fencer" \
    "$CLUSTER_TREE/ready" "$dir/fencer.notify" "$dir/fencer.log" 10 \
    "$CLUSTER_TREE/fencer" "$dir/fencer" "$CLUSTER_TREE/../lab"
}

# cluster_whole: every node is a member and sees every other one as such, with quorum, and can have others fenced.
cluster_whole() {
  local node seen online
  for node in "${ENGINES[@]}"; do
    seen=$(node_run "$node" crm_mon --one-shot --output-as xml 2>/dev/null) || return 1
    online=$(grep -c '<node name=.* online="true" .* pending="false"' <<<"$seen") || return 1
    [[ $online == "${#ENGINES[@]}" && $seen == *'with_quorum="true"'* ]] || return 1
    grep -q '<resource id="fencing" .* active="true"' <<<"$seen" || return 1
  done
}

# cluster_await: returns when the cluster is whole. Pacemaker has no event for it that is there before it is.
cluster_await() {
  local until=$((SECONDS + 60))
  until cluster_whole; do
    ((SECONDS < until)) || die "form a cluster: not whole after 60 s; see 'ci/lab cluster status' and $LAB_DIR/n1/log"
    sleep 0.1
  done
}

# cluster_up [--token MS] [--plumb PROGRAM]
cluster_up() {
  local node token=$CLUSTER_TOKEN program='' starting=() build
  while (($#)); do
    case $1 in
      --token) token=${2:?MS} ;;
      --plumb) program=$(realpath "${2:?PROGRAM}") ;;
      *) die "usage: ci/lab cluster up [--token MS] [--plumb PROGRAM]" ;;
    esac
    shift 2
  done
  for build in release dev; do
    build=$(realpath "$CLUSTER_TREE/../..")/build/$build/plugin/plumb
    if [[ -z $program && -x $build ]]; then program=$build; fi
  done
  program=${program:-$(command -v plumb)} || die "there is no plumb to run: build it, or give --plumb PROGRAM"
  [[ -x $program ]] || die "$program is no program"
  require_machine "cluster up"
  cluster_require
  exclusive
  lab_up
  mkdir -p "$LAB_DIR/cluster"
  cluster_cib >"$LAB_DIR/cluster/cib.xml"
  cluster_agents "$program"
  cluster_fencer_up
  for node in "${ENGINES[@]}"; do
    cluster_node_up "$node" "$token" &
    starting+=($!)
  done
  for node in "${starting[@]}"; do wait "$node" || die "a node of the cluster did not start"; done
  for node in "${ENGINES[@]}"; do cluster_pacemaker_up "$node"; done
  exec 9<&- # the others need not wait with us
  cluster_await
}

# cluster_end NODE DAEMON SECONDS: ends it in good order, or after that time by force.
cluster_end() {
  local pid
  pid=$(cluster_pid "$1" "$2") || return 0
  node_run "$1" bash -c "$(declare -f await_exit); kill $pid; await_exit $pid $3 || { kill -KILL $pid; await_exit $pid 30; }"
}

# cluster_down: Pacemaker stops its resources when all nodes leave; the configuration goes, too, and the nodes stay.
cluster_down() {
  local node ending=()
  for node in "${ENGINES[@]}"; do
    cluster_end "$node" pacemakerd 90 &
    ending+=($!)
  done
  wait "${ending[@]}"
  node_sweep fencer
  for node in "${ENGINES[@]}"; do
    cluster_end "$node" corosync 10
    node_pid "$node" >/dev/null || continue
    node_run "$node" bash -c 'rm -rf /var/lib/pacemaker/*/* /var/lib/corosync/*'
  done
}

# cluster_node: prints a node where Pacemaker runs.
cluster_node() {
  local node
  for node in "${ENGINES[@]}"; do
    cluster_pid "$node" pacemaker-contr >/dev/null || continue # pacemaker-controld, as the kernel cuts it
    echo "$node"
    return
  done
  die "no node runs Pacemaker: run 'ci/lab cluster up'"
}

cluster_status() {
  local node
  node=$(cluster_node)
  node_run "$node" crm_mon --one-shot --inactive --failcounts --show-detail
}

# cluster_fencing works|fails: what the power switch does from now on. One that fails says so, and cuts nothing.
cluster_fencing() {
  case ${1:-} in
    works) rm -f "$LAB_DIR/cluster/fencer.fails" ;;
    fails) touch "$LAB_DIR/cluster/fencer.fails" ;;
    *) die "usage: ci/lab cluster fencing works|fails" ;;
  esac
}

cluster_command() {
  local command=${1:-}
  shift || true
  case $command in
    up) cluster_up "$@" ;;
    down) cluster_down ;;
    status) cluster_status ;;
    fencing) cluster_fencing "$@" ;;
    *) die "usage: ci/lab cluster up [--token MS] [--plumb PROGRAM] | down | status | fencing works|fails" ;;
  esac
}
