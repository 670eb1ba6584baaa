#!/usr/bin/env bash
# Makes a machine ready for the container tests: a Docker engine, `docker compose`, and the images that they use.
#
# What is there already is used as it is, and an image that can be pulled is pulled. Where none can, a stand-in is made
# from Debian packages: RabbitMQ 4.3 is in Debian's suite forky, Python 3.13 and Prometheus are in trixie. There is none
# for Grafana. Stand-ins are for these tests alone; the product names the public images.
#
# Needs root and Debian; or Docker, compose and the images, whatever the system is. From nothing: some 3 minutes.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export DEBIAN_FRONTEND=noninteractive

fail() {
  echo "prepare.sh: $*" >&2
  exit 1
}

install_packages() {
  [[ $EUID = 0 ]] || fail "needs root to install $*"
  command -v apt-get >/dev/null || fail "$* is missing, and this is no Debian"
  apt-get update -qq && apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

start_engine() {
  docker info >/dev/null 2>&1 && return
  command -v dockerd >/dev/null || install_packages docker.io iptables
  local log=${TMPDIR:-/tmp}/dockerd.log
  setsid dockerd >"$log" 2>&1 </dev/null &
  for _ in $(seq 240); do
    docker info >/dev/null 2>&1 && return
    sleep 0.5
  done
  fail "the Docker engine does not start: $(tail -n 3 "$log")"
}

has_image() { docker image inspect "$1" >/dev/null 2>&1 || timeout 300 docker pull -q "$1" >/dev/null 2>&1; }

debian_mirror() { apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' | head -n 1; }

# An image of a bare Debian suite, from the mirror that this machine's apt uses.
debian() {
  local suite=$1
  docker image inspect "antrian-standin/$suite" >/dev/null 2>&1 && return
  command -v debootstrap >/dev/null || install_packages debootstrap debian-archive-keyring
  local mirror
  # Which archive is Debian's own is known only once its index was read.
  [[ -n $(debian_mirror) ]] || apt-get update -qq
  mirror=$(debian_mirror)
  [[ -n $mirror ]] || fail "apt knows no Debian mirror"
  # All suites since sid are made in the same way, and an older debootstrap does not know the newest by name.
  debootstrap --variant=minbase --include=ca-certificates "$suite" "$work/$suite" "$mirror" \
    /usr/share/debootstrap/scripts/sid >"$work/log" 2>&1 || fail "debootstrap $suite: $(tail -n 3 "$work/log")"
  tar -C "$work/$suite" --numeric-owner --exclude=./proc --exclude=./sys --exclude=./dev -c . |
    docker import - "antrian-standin/$suite" >/dev/null
  rm -rf "${work:?}/$suite"
}

# The authorities that this machine trusts are trusted inside as well, or pip might not reach its index.
stand_in() {
  local suite=$1 recipe=$2 image=$3
  debian "$suite"
  mkdir -p "$work/context"
  cp /etc/ssl/certs/ca-certificates.crt "$here/standins/rabbitmq-entrypoint.sh" "$work/context/"
  DOCKER_BUILDKIT=0 docker build --network host -q -t "$image" -f "$here/standins/$recipe.Dockerfile" \
    "$work/context" >"$work/log" 2>&1 || fail "$image: $(tail -n 5 "$work/log")"
  echo "made a stand-in for $image"
}

image() { has_image "$3" || stand_in "$@"; }

start_engine
if ! docker compose version >/dev/null 2>&1; then
  # Debian 12 has no package of it; the one of Debian 13 is a single program that runs on both.
  debian trixie
  docker run --name antrian-compose --network host antrian-standin/trixie \
    sh -c 'cd /tmp && apt-get download -qq docker-compose && dpkg-deb -x docker-compose*.deb x' \
    >"$work/log" 2>&1 || fail "docker compose: $(tail -n 3 "$work/log")"
  docker cp -q antrian-compose:/tmp/x "$work/compose" >/dev/null
  docker rm antrian-compose >/dev/null
  plugins=${DOCKER_CONFIG:-$HOME/.docker}/cli-plugins
  mkdir -p "$plugins"
  install "$(find "$work/compose/usr" -type f -name docker-compose -perm -u+x | head -n 1)" "$plugins/docker-compose"
  docker compose version >/dev/null || fail "docker compose does not work"
fi
image forky rabbitmq "${RABBITMQ_IMAGE:-rabbitmq:4.3-management}"
image trixie python "${PYTHON_IMAGE:-python:3.13-slim}"
image trixie prometheus "${PROMETHEUS_IMAGE:-prom/prometheus}"
image trixie alertmanager "${ALERTMANAGER_IMAGE:-prom/alertmanager}"
