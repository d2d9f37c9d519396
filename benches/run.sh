#!/usr/bin/env bash
# `make bench`: engines in one process, then whole proxies, against each other. One table of each, then what is
# missing, then the ratios. Figures of how it was measured: benches/BENCHMARKS.md.
set -euo pipefail
cd "$(dirname "$0")/.."

# One target folder: the two workspaces share what they compile. The edge is built as the container image has it.
build() { cargo build --quiet --profile dist --target-dir target "$@"; }

peers=$(scripts/peers.sh)
echo "$peers"
has() { ! grep -q "^missing $1:" <<<"$peers"; }

echo "==> building (some minutes; the first time half an hour: the edge is built twice)"
edge=$(scripts/dist.sh --reuse)
build -p palisade-proxies
features=()
command -v go >/dev/null && features+=(coraza)
has libmodsecurity && features+=(libmodsecurity)
engines() { build --manifest-path benches/peers/Cargo.toml --features "$(IFS=,; echo "$*")"; }
engines "${features[@]}" || {
    echo "==> building without coraza: see above"
    features=("${features[@]/coraza/}")
    engines "${features[@]}"
}

results=target/bench
mkdir -p "$results"
echo "==> engines"
PALISADE_CRS_FROM=$PWD/data/crs target/dist/palisade-peers-engines | tee "$results/engines.txt"
echo "==> proxies"
target/dist/proxies measure --palisade "$edge" "$@" | tee "$results/proxies.txt"

echo
echo "$(date +%F), $(nproc) cores, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), load $(cut -d' ' -f1-3 /proc/loadavg)"
cat "$results"/{engines,proxies}.txt | grep -vE '^(missing|ratio|$)'
cat "$results"/{engines,proxies}.txt | grep '^missing' || true
cat "$results"/{engines,proxies}.txt | grep '^ratio'
