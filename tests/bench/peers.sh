# shellcheck shell=bash
# shellcheck disable=SC2154 # tools, plumb, work and rounds are the reader's
# One address into the namespace of a container that runs: plumb beside what others have for it, in turns. A part of
# tests/bench/run, which reads it.

PEERS=(bare plumb netavark cni ip)
peer_address=10.0.3.3

# What the Debian packages netavark and containernetworking-plugins have.
peer_netavark=/usr/lib/podman/netavark
peer_cni=/usr/lib/cni

# attach PEER NETNS: prints the command that gives it the address, one word in a line.
attach() {
  case $1 in
    bare) printf '%s\n' "$tools/bench_attach" eth0 "$2" ;;
    plumb) printf '%s\n' "$plumb" start peer --quiet ;;
    netavark) printf '%s\n' env PATH="$PATH" "$peer_netavark" --config /run/bench-netavark setup "$2" ;;
    cni) printf '%s\n' env CNI_COMMAND=ADD CNI_CONTAINERID=peer CNI_NETNS="$2" CNI_IFNAME=eth0 CNI_PATH="$peer_cni" "$peer_cni/macvlan" ;;
    ip) printf '%s\n' sh "$work/attach.sh" "$2" ;;
  esac
}

# detach PEER NETNS: takes it away again, and leaves the container as it is.
detach() {
  case $1 in
    netavark) ci/lab exec n1 "$peer_netavark" --config /run/bench-netavark teardown "$2" <"$work/netavark.json" >/dev/null ;;
    cni) ci/lab exec n1 env CNI_COMMAND=DEL CNI_CONTAINERID=peer CNI_NETNS="$2" CNI_IFNAME=eth0 CNI_PATH="$peer_cni" \
      "$peer_cni/macvlan" <"$work/cni.json" >/dev/null ;;
    *) on n1 nsenter --net="$2" ip link delete eth0 ;;
  esac
}

write_peers() {
  local etc
  etc=/proc/$(ci/lab pid n1)/root/etc/plumb
  mkdir -p "$etc"
  cat >"$etc/peer.conf" <<END
[DEFAULT]
nodes = n1

[ip#0]
type = netns
ipname = $peer_address
ipdev = eth0
netmask = 24
gateway = 10.0.3.1
netns = container#0
probe = off

[container#0]
name = peer
END
  cat >"$work/cni.json" <<END
{"cniVersion": "0.4.0", "name": "lan", "type": "macvlan", "master": "eth0", "mode": "bridge",
 "ipam": {"type": "static", "addresses": [{"address": "$peer_address/24", "gateway": "10.0.3.1"}], "routes": [{"dst": "0.0.0.0/0"}]}}
END
  local id
  id=$(printf '%064d' 1)
  cat >"$work/netavark.json" <<END
{"container_id": "$id", "container_name": "peer", "networks": {"lan": {"static_ips": ["$peer_address"], "interface_name": "eth0"}},
 "network_info": {"lan": {"name": "lan", "id": "$id", "driver": "macvlan", "network_interface": "eth0",
 "subnets": [{"subnet": "10.0.3.0/24", "gateway": "10.0.3.1"}], "ipv6_enabled": false, "internal": false, "dns_enabled": false,
 "ipam_options": {"driver": "host-local"}}}}
END
  # As OpenSVC's driver runs it, but for its ping of the address.
  cat >"$work/attach.sh" <<'END'
set -e
ip link add link eth0 name bench0 type macvlan mode bridge
ip link set bench0 netns "$1"
nsenter --net="$1" ip link set bench0 name eth0
nsenter --net="$1" ip address add 10.0.3.3/24 dev eth0
nsenter --net="$1" ip link set eth0 up
nsenter --net="$1" ip route replace default via 10.0.3.1 dev eth0
END
}

# attach_once PEER NETNS: how long its process took, and when a client that pings all the time had its first reply.
attach_once() {
  local words input=/dev/null
  mapfile -t words < <(attach "$1" "$2")
  if [[ -e $work/$1.json ]]; then input=$work/$1.json; fi
  on client ip neigh flush to "$peer_address"
  watch "$peer_address" "$work/answers"
  sleep 0.05
  ci/lab exec n1 "$tools/bench_process" 1 "${words[@]}" <"$input" 2>"$work/process" >"$work/attach.out" ||
    { cat "$work/process" "$work/attach.out" >&2 && return 1; }
  sleep 1.5 # whoever tells nobody is found when the client asks again
  unwatch
  awk '{ print $1 }' "$work/process" >>"$work/peer.$1"
  awk -v began="$(awk '{ print $4 }' "$work/process")" '$1 > began { printf "%.3f\n", ($1 - began) / 1e6; exit }' "$work/answers" \
    >>"$work/peer.$1.reply"
  detach "$1" "$2"
}

run_peers() {
  local netns peer round
  quiet install ci/install --only netavark containernetworking-plugins
  write_peers
  quiet peer on n1 docker run -d --network none --name peer busybox sleep 1000000
  netns=/run/bench-peer
  # shellcheck disable=SC2016 # expanded in the node
  on n1 sh -c 'touch "$0" && mount --bind "/proc/$(docker inspect -f "{{.State.Pid}}" peer)/ns/net" "$0"' "$netns"
  for ((round = 0; round <= rounds; ++round)); do
    for peer in "${PEERS[@]}"; do attach_once "$peer" "$netns"; done
    if ((round == 0)); then rm "$work"/peer.*; fi # what is read for the first time is read from the disk
  done
  on n1 umount "$netns"
  on n1 "$plumb" stop peer --quiet
  on n1 docker rm -f peer >/dev/null
}

show_peers() {
  versus 'an address into a running container, whole process' "$(of peer.plumb)" ms 'netavark setup' "$(of peer.netavark)" 1.2
  versus 'the same' "$(of peer.plumb)" ms 'CNI macvlan' "$(of peer.cni)" 0.8
  versus 'the same' "$(of peer.plumb)" ms 'ip, as OpenSVC runs it' "$(of peer.ip)"
  versus 'the same' "$(of peer.plumb)" ms 'bare netlink, static' "$(of peer.bare)"
  versus 'the first reply to a client that pings' "$(of peer.plumb.reply)" ms 'CNI macvlan' "$(of peer.cni.reply)" 0.8
  versus 'the same' "$(of peer.plumb.reply)" ms 'netavark' "$(of peer.netavark.reply)"
  versus 'the same' "$(of peer.plumb.reply)" ms 'bare netlink, static' "$(of peer.bare.reply)"
}
