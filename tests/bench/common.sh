# shellcheck shell=bash
# What the benchmarks share. Callers run from the root of the tree. The lab and the folder `work` are removed at the end.

work=${BENCH_KEEP:-$(mktemp -d)}
mkdir -p "$work"
clean() {
  ci/lab down >/dev/null 2>&1 </dev/null || true
  [[ -n ${BENCH_KEEP:-} ]] || rm -rf "$work"
}
trap clean EXIT

# Not the caller's, which would be gone at the end.
export PLUMB_LAB=bench
build=$(realpath -m "${BENCH_BUILD:-build/bench}")
# shellcheck disable=SC2034
plumb=$build/plugin/plumb tools=$build/tests/bench

# quiet LOG COMMAND...: shows the output only when it fails.
quiet() {
  local log=$work/$1
  shift
  "$@" >"$log" 2>&1 </dev/null || { cat "$log" >&2 && return 1; }
}

on() { ci/lab exec "$@" </dev/null; }

median() { sort -g | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

# build_bench: makes what the callers run, unless BENCH_BUILD names a folder that has it.
build_bench() {
  if [[ -n ${BENCH_BUILD:-} ]]; then return; fi
  quiet configure cmake --preset bench
  quiet build cmake --build --preset bench
}
