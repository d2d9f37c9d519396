#!/bin/bash
# Builds Pebble, the CA that the tests order from, into tests/lab/.build (ignored): a Go module with pinned sums.
# Does nothing where it is built already. Says what is missing.
set -euo pipefail

lab=$(cd "$(dirname "$0")" && pwd)
out=$lab/.build/pebble

[ "$out" -nt "$lab/pebble/go.mod" ] && [ "$out" -nt "$lab/pebble/go.sum" ] && exit 0
if ! command -v go >/dev/null; then
    echo "pebble: NOT BUILT, go is missing (https://go.dev/dl/, 1.26 or newer)" >&2
    exit 1
fi
echo "==> Pebble"
mkdir -p "$lab/.build"
cd "$lab/pebble"
CGO_ENABLED=0 go build -mod=readonly -trimpath -o "$out" github.com/letsencrypt/pebble/v2/cmd/pebble
# go leaves a file alone that would be the same.
touch "$out"
