# shellcheck shell=bash
# The LAN: a bridge `lan` in the node `lan`, which is also the gateway; every other node has its eth0 on it.
# The MAC of a node tells its IPv4 address: 02:00:0a:00:03:0b is 10.0.3.11.

# lan_octet NODE: prints the last byte of the node's addresses.
lan_octet() {
  case $1 in
    lan) echo 1 ;;
    n1) echo 11 ;;
    n2) echo 12 ;;
    n3) echo 13 ;;
    client) echo 100 ;;
    *) die "no node '$1': the lab has n1, n2, n3, client, lan and, on demand, rival" ;;
  esac
}

lan_mac() { printf '02:00:0a:00:03:%02x' "$1"; }

# lan_up: makes the bridge. Its MAC is fixed: a bridge takes the lowest of its ports otherwise, and the gateway would move.
lan_up() {
  node_net lan ip link show lan >/dev/null 2>&1 && return
  node_net lan ip -batch - <<END
link add lan address $(lan_mac 1) type bridge stp_state 0 forward_delay 0 mcast_snooping 0
addr add $LAB_GATEWAY/24 dev lan
addr add fd00:10:3::1/64 dev lan nodad
link set lan up
END
}

# lan_port NODE MAC ADDRESS...: gives the node its eth0 on the LAN, and mends a port that was cut and an address that was lost.
lan_port() {
  local node=$1 mac=$2 address pid
  shift 2
  if ! node_net "$node" ip link show eth0 >/dev/null 2>&1; then
    pid=$(node_pid "$node")
    node_net lan ip -batch - <<<"link add $node type veth peer name eth0 address $mac netns $pid"
  fi
  for address; do
    if [[ $address == *:* ]]; then echo "addr replace $address dev eth0 nodad"; else echo "addr replace $address dev eth0"; fi
  done | node_net "$node" ip -batch -
  node_net lan ip -batch - <<END
link set $node master lan
link set $node up
END
  node_net "$node" ip link set eth0 up
  # A machine of IPv6 alone has no way to it.
  if [[ $* == *.* ]]; then node_net "$node" ip route replace default via "$LAB_GATEWAY"; fi
}

# lan_ports NODE: prints the LAN's ends of its cables.
lan_ports() {
  node_pid lan >/dev/null || return 0
  node_net lan ip -o link show master lan | sed -nE "s/^[0-9]+: ($1(-[^@:]*)?)[@:].*/\\1/p"
}

# lan_node NODE: a node with its usual addresses.
lan_node() {
  local octet
  octet=$(lan_octet "$1")
  node_up "$1"
  lan_port "$1" "$(lan_mac "$octet")" "10.0.3.$octet/24" "fd00:10:3::$octet/64"
}

# lan_hosts: what every node has in /etc/hosts: the nodes, the service names of the examples, and the names of the public
# registries, which the lab serves itself.
lan_hosts() {
  cat <<END
127.0.0.1 localhost
::1 localhost ip6-localhost
10.0.3.11 n1
10.0.3.12 n2
10.0.3.13 n3
10.0.3.100 client
10.0.3.21 ipname1
10.0.3.22 ipname2
10.0.3.23 ipname3
$LAB_GATEWAY lan registry-1.docker.io index.docker.io docker.io auth.docker.io ghcr.io private.lab
END
}

# lan_node_lan: the node `lan` itself, with the bridge.
lan_node_lan() {
  node_up lan
  lan_up
}
