#!/bin/bash
# Builds the other engines of the differential test into tests/lab/.build (ignored): Coraza as a Go module with
# pinned sums, libmodsecurity from the distribution's package. Says what is missing.
set -euo pipefail

lab=$(cd "$(dirname "$0")" && pwd)
out=$lab/.build
mkdir -p "$out"

if ! command -v go >/dev/null; then
    echo "lab: go is missing: it builds the Coraza oracle (https://go.dev/dl/, 1.26 or newer)" >&2
    exit 1
fi
if [ ! -e /usr/include/modsecurity/modsecurity.h ]; then
    echo "lab: libmodsecurity's headers are missing (apt-get install libmodsecurity-dev)" >&2
    exit 1
fi

echo "==> Coraza"
(cd "$lab/coraza" && CGO_ENABLED=0 go build -mod=readonly -trimpath -o "$out/coraza" .)

echo "==> libmodsecurity"
if [ "$lab/modsecurity/main.cc" -nt "$out/modsecurity" ]; then
    g++ -std=c++17 -O2 -Wall -Wextra -Wno-unused-parameter -o "$out/modsecurity" "$lab/modsecurity/main.cc" -lmodsecurity
fi
