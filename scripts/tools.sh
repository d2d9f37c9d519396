#!/usr/bin/env bash
# Installs the programs that `make tools` runs against the edge: Debian's packages as root, the rest into
# tests/lab/.build (ignored). What cannot be had is said with how to get it, and that is exit code 1.
set -uo pipefail
cd "$(dirname "$0")/.."

# Each program, and the package it comes with.
PACKAGES=(curl:curl openssl:openssl h2load:nghttp2-client nghttp:nghttp2-client slowhttptest:slowhttptest
    systemd-socket-activate:systemd)
WEBSOCAT=1.14.1

build=$PWD/tests/lab/.build
mkdir -p "$build"
absent=()

debian() {
    local packages=() pair
    for pair in "${PACKAGES[@]}"; do
        command -v "${pair%:*}" >/dev/null || packages+=("${pair#*:}")
    done
    # What websocat is built with.
    has_websocat || pkg-config --exists openssl 2>/dev/null || packages+=(pkg-config libssl-dev)
    [ ${#packages[@]} -eq 0 ] && return
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        absent+=("${packages[*]}: sudo apt-get install -y ${packages[*]}")
        return
    fi
    echo "==> installing ${packages[*]}"
    export DEBIAN_FRONTEND=noninteractive
    apt_install() { apt-get install -y --no-install-recommends "${packages[@]}" >/dev/null; }
    apt_install || { apt-get update >/dev/null && apt_install; } || absent+=("${packages[*]}: not installed, see above")
}

has_websocat() { [ "$("$build/bin/websocat" --version 2>/dev/null)" = "websocat $WEBSOCAT" ]; }

# A WebSocket's client.
websocat() {
    has_websocat && return
    echo "==> building websocat $WEBSOCAT"
    cargo install --quiet --locked --root "$build" "websocat@$WEBSOCAT" ||
        absent+=("websocat: cargo install --locked websocat@$WEBSOCAT")
}

# With the test service of the same module, which is grpc-go's server.
grpcurl() {
    local lab=tests/lab/grpcurl module=github.com/fullstorydev/grpcurl
    [ "$build/bin/grpc-testserver" -nt $lab/go.sum ] && return
    if ! command -v go >/dev/null; then
        absent+=("grpcurl: go is missing (https://go.dev/dl/, 1.26 or newer)")
        return
    fi
    echo "==> building grpcurl"
    (cd $lab && export CGO_ENABLED=0 && go build -mod=readonly -trimpath -o "$build/bin/grpcurl" $module/cmd/grpcurl &&
        go build -mod=readonly -trimpath -o "$build/bin/grpc-testserver" $module/internal/testing/cmd/testserver &&
        touch "$build/bin/grpc-testserver") || absent+=("grpcurl: not built, see above")
}

debian
websocat
grpcurl
for why in "${absent[@]}"; do echo "missing: $why" >&2; done
[ ${#absent[@]} -eq 0 ]
