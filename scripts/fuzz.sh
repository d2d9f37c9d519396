#!/usr/bin/env bash
# Fuzzes the engine's targets one after another: scripts/fuzz.sh SECONDS [TARGET...]
#
# A run stops at the first case that breaks a promise, takes over 25 s or over 2 GB; libFuzzer keeps it in
# waf/fuzz/artifacts/<target>/. What is mended moves to waf/fuzz/found/<target>/, where `make test` replays it.
set -euo pipefail
cd "$(dirname "$0")/../waf/fuzz"

seconds=${1:?seconds for each target}
shift
targets=("$@")
[ ${#targets[@]} -gt 0 ] || mapfile -t targets < <(cargo +nightly fuzz list)

failed=()
for target in "${targets[@]}"; do
    mkdir -p "corpus/$target" "artifacts/$target"
    folders=("corpus/$target" "seeds/${target/crs/transaction}")
    [ ! -d "found/$target" ] || folders+=("found/$target")
    echo "==> fuzz $target, $seconds s"
    # No sanitizer: the engine has no unsafe code, and without one it runs twice as often.
    cargo +nightly fuzz run --sanitizer none "$target" "${folders[@]}" -- \
        -max_total_time="$seconds" -timeout=25 -rss_limit_mb=2048 -max_len=8192 -print_final_stats=1 2>&1 |
        grep -Ev '^#[0-9]+\s+(NEW|REDUCE|RELOAD) ' || failed+=("$target")
done
[ ${#failed[@]} -eq 0 ] || { echo "fuzz: FAILED: ${failed[*]}" >&2; exit 1; }
echo "fuzz: ${#targets[@]} targets, $seconds s each, no case found"
