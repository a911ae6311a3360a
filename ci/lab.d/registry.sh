# shellcheck shell=bash
# The registry of the LAN, Debian's docker-registry in the node `lan`: port 443 serves everybody under the names of the
# public registries, port 5001 (private.lab) asks for a login: user `lab`, password `lab`. Both serve the same storage.

# registry_config PORT: prints a configuration. The password's hash is bcrypt, the only kind that it takes (htpasswd -B).
registry_config() {
  cat <<END
version: 0.1
log: {level: info, accesslog: {disabled: true}}
storage:
  filesystem: {rootdirectory: $LAB_DIR/registry}
  delete: {enabled: true}
http:
  addr: "$LAB_GATEWAY:$1"
  tls: {certificate: $LAB_DIR/tls/registry.crt, key: $LAB_DIR/tls/registry.key}
END
  if [[ $1 == 5001 ]]; then
    echo "auth: {htpasswd: {realm: lab, path: $LAB_DIR/registry.users}}"
  fi
}

# registry_pid PORT: prints the pid inside the node `lan`; fails when it does not run.
registry_pid() {
  local root pid
  root=/proc/$(node_pid lan)/root || return 1
  read -r pid 2>/dev/null <"$root/run/registry.$1" || return 1
  [[ $(readlink "$root/proc/$pid/exe") == */docker-registry ]] || return 1
  echo "$pid"
}

# registry_up PORT: returns when it listens: it says so in its log, which a reader copies to a file.
registry_up() {
  registry_pid "$1" >/dev/null && return
  local config=$LAB_DIR/registry.$1.yml log=$LAB_DIR/registry.$1.log said
  registry_config "$1" >"$config"
  # shellcheck disable=SC2016
  read -r said < <(node_run lan bash -c 'setsid bash -c "$@" &' start '
    exec </dev/null
    { echo "$BASHPID" >"/run/registry.$1"; exec docker-registry serve "$2" 2>&1 9<&-; } | {
      while IFS= read -r line; do
        printf "%s\n" "$line" >>"$3"
        if [[ $line == *"listening on"* ]]; then echo up; exec >/dev/null 9<&-; fi
      done
    } 2>/dev/null &
    exec 9<&- >/dev/null
    wait' registry "$1" "$config" "$log" 2>>"$log") || true
  [[ ${said:-} == up ]] || die "start the registry on port $1: $(tail -n 3 "$log")"
}

registry_down() {
  local pid
  pid=$(registry_pid "$1") || return 0
  node_run lan bash -c "$(declare -f await_exit); kill -KILL $pid && await_exit $pid 30"
}

registry_signal() {
  local port pid
  for port in 443 5001; do
    pid=$(registry_pid $port) || continue
    node_run lan bash -c "kill -s $1 $pid"
  done
}

# registry_trust NODE: the node trusts the lab's authority, and no other.
registry_trust() {
  # shellcheck disable=SC2016
  node_run "$1" bash -c 'rm -rf /etc/ssl/certs && mkdir -p /etc/ssl/certs && cp "$1" /etc/ssl/certs/ca-certificates.crt' \
    trust "$LAB_DIR/tls/ca.crt"
}

# registry_users: user `lab`, password `lab`.
registry_users() {
  # shellcheck disable=SC2016
  echo 'lab:$2y$05$Z2o7/BRKXlLlcDMFlZMgKeCRCfTKfNUHH9TfRSWcskNusQSpqF0lS'
}

# registry_mend IMAGES: whole again, whatever was broken; the folder is what ci/images printed.
registry_mend() {
  if [[ -e $LAB_DIR/registry.broken ]]; then
    cp -a "$1/registry/." "$LAB_DIR/registry/"
    rm "$LAB_DIR/registry.broken"
  fi
  registry_signal CONT
  registry_up 443
  registry_up 5001
}

registry_break() {
  local blob
  case ${1:-blobs} in
    blobs) # Layers only: a configuration or a manifest is small, and without it nothing would be transferred.
      touch "$LAB_DIR/registry.broken"
      find "$LAB_DIR/registry" -path '*/blobs/*/data' -size +4k | while read -r blob; do
        truncate -s "$(($(stat -c %s "$blob") / 2))" "$blob"
      done
      ;;
    silent) registry_signal STOP ;;
    down)
      registry_down 443
      registry_down 5001
      ;;
    *) die "registry break $1: no such way; there are blobs, silent and down" ;;
  esac
}

registry_command() {
  case ${1:-} in
    break) registry_break "${2:-}" ;;
    mend) registry_mend "$("$ENGINE_TREE/../images")" ;;
    *) die "usage: ci/lab registry break [blobs|silent|down] | mend" ;;
  esac
}
