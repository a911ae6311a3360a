# shellcheck shell=bash
# tests/bench/cluster --faults: one thing after the other breaks on the node that runs the service, and a client sees for how
# long it is away. Callers have what tests/bench/cluster defines: enable, ask, unask, mark, news, on, quiet, median, ratio.

# shellcheck disable=SC2034 # the caller's loops go by it
faults=(node partition corosync engine containers stop pause container link)
declare -A fault_title=(
  [node]='node killed'
  [partition]='node partitioned'
  [corosync]='corosync killed'
  [engine]='engine killed, its containers live on'
  [containers]='engine killed with its containers'
  [stop]='engine stopped cleanly'
  [pause]='pause killed'
  [container]="the application's container killed"
  [link]='link down'
)
fault_deadline=60 # s

# hits FAULT VARIANT: the stock agents have no pause.
hits() { [[ $1 != pause || $2 != stock ]]; }

# end_at_once NAMES: what one of them takes along when it ends is not there to be killed any more.
# shellcheck disable=SC2016 # expanded in the node
end_at_once() { quiet broken on n1 bash -c 'kill -KILL $(pgrep -x "$1")' end "$1"; }

# break_n1 FAULT VARIANT
break_n1() {
  local -A application=([plain]=plain.container.1 [stock]=stock)
  case $1 in
    node) ci/lab kill n1 ;;
    partition) on lan ip link set n1 nomaster ;; # in the switch: the node's device has its carrier
    corosync) end_at_once corosync ;;
    engine) ci/lab engine n1 kill ;;
    containers) end_at_once 'dockerd|containerd|containerd-shim|pause|bench_udp' ;;
    stop) ci/lab engine n1 stop ;;
    pause) quiet broken on n1 docker kill plain.container.0 ;;
    container) quiet broken on n1 docker kill "${application[$2]}" ;;
    link) on n1 ip link set eth0 down ;;
  esac </dev/null
}

# midway VARIANT: waits until half an interval has passed since a monitor, so that both sides' next one is as far away.
# Pacemaker tells the time of the first one, in seconds.
midway() {
  local -A last=([plain]=plain [stock]=stock-app)
  local at left
  at=$(news n1 | grep "Result of monitor operation for ${last[$1]} on n1: ok .*key=${last[$1]}_monitor_${interval}000 " |
    sed -nE '$s/^(.{15,19}) n1 .*/\1/p') || true
  [[ -n $at ]] || { echo "bench: Pacemaker tells of no monitor of ${last[$1]} on n1 every $interval s" >&2 && return 1; }
  left=$(awk -v at="$(date -d "$at" +%s.%N)" -v now="$(date +%s.%N)" -v each="$interval" \
    'BEGIN { left = at + each / 2 - now; while (left < 0.1) left += each; print left }')
  if read -t "$left" -r _ <&"$answers"; then
    echo "bench: the client misses answers before anything is broken" >&2 && return 1
  fi
}

# watch_client: returns when the client has missed the service, has it again and Pacemaker is at rest, or at the deadline.
watch_client() {
  local line='' until=$((SECONDS + fault_deadline))
  while [[ $line != back* ]] && ((SECONDS < until)); do
    read -t "$((until - SECONDS))" -r line <&"$answers" || return 0
  done
  on n2 crm_resource --wait --timeout 60 || echo 'bench: Pacemaker does not come to rest' >&2
}

# heal VARIANT: n1 is fenced, whatever is broken in it, and comes back; no failure is remembered.
heal() {
  if ci/lab pid n1 >/dev/null 2>&1; then quiet fence on n2 stonith_admin --fence n1; fi
  on n2 crm_resource --wait --timeout 60
  quiet cluster ci/lab cluster up --plumb "$plumb"
  quiet cleanup on n2 crm_resource --cleanup
  quiet cleanup on n2 stonith_admin --cleanup --history '*'
  disable "$1"
}

# fault NAME VARIANT: writes the longest absence, how long the client is without an answer at the end, both in ms, and whether
# n1 was turned off for it.
fault() {
  local off=''
  mark
  enable "$2"
  runs_on "$2" n1
  ask
  midway "$2"
  break_n1 "$1" "$2"
  watch_client
  unask
  if [[ $1 != node ]] && ! ci/lab pid n1 >/dev/null 2>&1; then off=off; fi
  on n2 crm_mon --one-shot --inactive >"$work/seen.$1.$2"
  echo "$gap $silent $off" >>"$work/fault.$1.$2"
  heal "$2"
}

# absences FILE: those of the rounds in which the service was there again.
absences() { awk '$2 <= 1000 { print $1 }' "$1"; }

# cell FAULT VARIANT
cell() {
  local file=$work/fault.$1.$2 all back
  if ! hits "$1" "$2"; then echo 'there is none' && return; fi
  all=$(wc -l <"$file") back=$(absences "$file" | wc -l)
  if ((back == all)); then
    printf '%.0f ms' "$(absences "$file" | median)"
  else
    printf 'not within %s s' "$fault_deadline"
    if ((all > 1)); then printf ', %s times of %s' "$((all - back))" "$all"; fi
  fi
  if grep -q off "$file"; then printf ', n1 fenced'; fi
}

show_faults() {
  local name ours theirs
  # shellcheck disable=SC2016 # Markdown
  printf '| fault | plumb | `ocf:heartbeat:docker` + `IPaddr2` | ratio |\n|---|---|---|---|\n'
  for name in "${faults[@]}"; do
    ours=$(cell "$name" plain) theirs=$(cell "$name" stock)
    printf '| %s | %s | %s | %s |\n' "${fault_title[$name]}" "$ours" "$theirs" \
      "$(if [[ $ours == [0-9]* && $theirs == [0-9]* ]]; then ratio "${ours%% *}" "${theirs%% *}"; fi)"
  done
  cat <<END

The longest time that the client is without an answer, medians of $rounds. Monitors come every $interval s on both sides, and each
fault is made halfway between two of them. Fencing is on, Corosync waits 1 s for a node. What is broken stays so meanwhile: an engine
that ended is not started. A container that shares the killed pause's namespace keeps it, with its address, until a monitor comes.
END
}
