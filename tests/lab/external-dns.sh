#!/bin/bash
# Builds external-dns' registry, planner and Cloudflare provider, with a small program around them, into
# tests/lab/.build (ignored): a Go module with pinned sums. Takes minutes and 1.5 GB of memory the first time; does
# nothing where it is built already. Says what is missing.
set -euo pipefail

lab=$(cd "$(dirname "$0")" && pwd)
out=$lab/.build/external-dns

[ "$out" -nt "$lab/external-dns/go.mod" ] && [ "$out" -nt "$lab/external-dns/go.sum" ] \
    && [ "$out" -nt "$lab/external-dns/main.go" ] && exit 0
if ! command -v go >/dev/null; then
    echo "external-dns: NOT BUILT, go is missing (https://go.dev/dl/, 1.26 or newer)" >&2
    exit 1
fi
echo "==> external-dns (some minutes the first time)"
mkdir -p "$lab/.build"
cd "$lab/external-dns"
CGO_ENABLED=0 go build -mod=readonly -trimpath -o "$out" .
# go leaves a file alone that would be the same.
touch "$out"
