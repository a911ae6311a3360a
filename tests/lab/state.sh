#!/bin/bash
# Lists what is in the node where it runs, for Node::state: `# KIND`, then one line for each thing of that kind.
# usage: state.sh [ENGINE-SOCKET...]; the system's engine is always asked. An engine that does not run has no containers.
set -euo pipefail

kind() { echo "# $1"; }

kind containers
for socket in unix:///run/docker.sock "$@"; do
  docker -H "$socket" ps --all --no-trunc --format "$socket {{.ID}} {{.Names}} {{.Image}} {{.State}}" 2>/dev/null || true
done

# Indexes and what counts down are left out: they differ between two looks at the same thing; link-local addresses, too:
# they come by themselves, a second or two after their device.
kind links
ip -o link show | sed 's/^[0-9]*: //; s/ qlen.*//; s/\\.*//'
kind addresses
ip -o address show | sed '/ fe80:/d; s/^[0-9]*: //; s/\\.*//'
kind routes
ip -4 route show table all
ip -6 route show table all | sed '/^\(local \)\?fe80:/d; s/ expires [0-9]*sec//'

kind namespaces
for link in /proc/[0-9]*/ns/*; do readlink "$link" || true; done 2>/dev/null | sort -u
kind mounts
awk '$5 != "/var/lib/containers/storage/overlay" {print $5, $3, $4}' /proc/1/mountinfo # Podman's own comes and goes

# This script and its own programs are left out, and what Podman keeps of a `docker exec` for five minutes.
kind processes
for folder in /proc/[0-9]*; do
  read -r _ _ _ _ _ session _ 2>/dev/null <"$folder/stat" || continue
  read -r _ _ _ _ _ own _ </proc/self/stat
  [[ $session == "$own" ]] || tr '\0' ' ' 2>/dev/null <"$folder/cmdline" || true
  echo
done | sort -u | sed '/^$/d; /conmon .* --exec-attach /d'

kind files
find /run /etc/plumb -xdev -not -regex '/run/\(docker\|libpod\|containers\|crun\|runc\).*' | sort # an engine's own are its affair
