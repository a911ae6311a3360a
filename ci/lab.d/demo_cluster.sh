# shellcheck shell=bash
# ci/demo --cluster: Pacemaker hands a service over, and brings it back when a node dies. Sourced by ci/demo.

# fail WHAT: something is not as it should be.
fail() {
  printf '\n\033[1;31mdemo: %s\033[0m\n' "$*" >&2
  ci/lab cluster status >&2 || true
  exit 1
}

# The client asks all the time; the last line that it says is how it went.
ask() {
  coproc ASKER { exec ci/lab exec client "$PWD/ci/lab.d/asker" "$address"; }
  asker=$ASKER_PID
  local own=${ASKER[1]} said=${ASKER[0]}
  exec {asking}>&"$own" {answers}<&"$said" # the coprocess's variables go when it ends
  exec {own}>&- {said}<&-
  await first
}

# await WORD: until the client says it.
await() {
  local line=''
  until [[ $line == "$1"* ]]; do
    read -t 60 -r line <&"$answers" || fail "the client has waited for an answer for 60 s"
  done
}

# unask: prints how it went; sets gap, in ms.
unask() {
  local line said
  exec {asking}>&-
  while read -r said <&"$answers"; do line=$said; done
  wait "$asker"
  exec {answers}<&-
  printf 'the client: %s\n' "$line"
  [[ $line =~ :\ ([0-9]+)\ ms$ ]] || fail "the client has ended without its figures"
  gap=${BASH_REMATCH[1]}
}

# settled NODE: the cluster has nothing left to do, nothing has failed, and svc1 runs on the node.
settled() {
  local seen
  ci/lab exec "$1" crm_resource --wait --timeout 60 </dev/null || fail "the cluster does not come to rest"
  seen=$(ci/lab exec "$1" crm_mon --one-shot </dev/null)
  [[ $seen != *'Failed '* ]] || fail "an action has failed"
  grep -q "svc1.*ocf:plumb:service.*Started $1" <<<"$seen" || fail "svc1 does not run on $1"
}

# look NODE: the cluster as the node sees it.
look() { on "$1" crm_mon --one-shot --include=none,nodes,resources,fencing; }

prepare
ci/lab cluster up --plumb "$plumb" </dev/null
sed 's/^\[DEFAULT\]/&\nhandover = true/' "$spec" >build/demo.conf
for node in n1 n2 n3; do
  ci/lab exec "$node" install -D -m 644 "$PWD/build/demo.conf" /etc/plumb/svc1.conf
done
look n1

say "The service: n1 and n2 are for it, n3 is for disasters, and it may be handed over"
on n1 cat /etc/plumb/svc1.conf

say "Pacemaker gets to know it, and starts it"
on n1 pcs resource create svc1 ocf:plumb:service service=svc1 \
  op start timeout=120s op stop timeout=120s op monitor interval=10s timeout=20s \
  meta allow-migrate=true resource-stickiness=1000 migration-threshold=3 failure-timeout=10min --disabled
on n1 pcs constraint location svc1 prefers n1=200 n2=100
on n1 pcs constraint location svc1 avoids n3
on n1 pcs resource enable svc1
ask
settled n1
on n1 plumb status svc1

say "A planned hand-over to n2, while the client asks a hundred times each second"
on n1 crm_resource --move --resource svc1 --node n2
settled n2
unask
on client ip neighbour show "$address"
on n2 crm_resource --clear --resource svc1
((gap < 500)) || fail "a hand-over is not to be felt, and the client went $gap ms without an answer"

say "n2 loses its power (ci/lab kill n2), while the client asks: it is fenced, and n1 starts the service"
ask
ci/lab kill n2
await back
settled n1
unask
look n1
on n1 plumb status svc1
grep -q 'answered: off n2: ok' "/var/cache/plumb-lab/$PLUMB_LAB/cluster/fencer.log" || fail "n2 was not fenced"
((gap < 30000)) || fail "the client went $gap ms without an answer"

say "n2 is back, and the service stays where it is"
ask
ci/lab cluster up --plumb "$plumb" </dev/null
settled n1
unask
look n1
((gap < 500)) || fail "n2 was to be back without being felt, and the client went $gap ms without an answer"

say "Done"
