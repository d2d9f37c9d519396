#!/usr/bin/env bash
# The edge as the container image has it: built, loaded as the benchmarks load it, and built once more with the profile
# of that (docs/decisions/0051-built-with-a-profile.md). Prints where it is. Two whole builds, then a minute of load.
#   scripts/dist.sh           both builds
#   scripts/dist.sh --reuse   the last profile, where there is one: for work on what is measured
set -euo pipefail
cd "$(dirname "$0")/.."

folder=${CARGO_TARGET_DIR:-$PWD/target}/pgo
host=$(rustc -vV | sed -n 's/^host: //p')
profdata=$(rustc --print sysroot)/lib/rustlib/$host/bin/llvm-profdata

# A target makes flags hold for the edge and its libraries, and not for what runs while they are built.
build() { cargo build --locked --profile dist --target "$host" --target-dir "$folder/$1" -p palisade --bin palisade >&2; }
built() { echo "$folder/$1/$host/dist/palisade"; }

say() { echo "==> $*" >&2; }

if ! [ -x "$profdata" ]; then
    command -v rustup >/dev/null && rustup component add llvm-tools >&2 || true
    [ -x "$profdata" ] || { echo "llvm-profdata is missing: rustup component add llvm-tools" >&2; exit 1; }
fi

mkdir -p "$folder"
profile=$(ls -t "$folder"/*.profdata 2>/dev/null | head -1 || true)
if [ "${1:-}" != --reuse ] || [ -z "$profile" ]; then
    say "building with counters"
    RUSTFLAGS=-Cprofile-generate build counting
    cargo build --locked --release --target-dir "$folder/client" -p palisade-proxies --bin proxies >&2
    rules=$PWD/data/crs
    if ! [ -d "$rules" ]; then
        rules=$folder/crs
        [ -d "$rules" ] || LLVM_PROFILE_FILE=/dev/null "$(built counting)" rules install --dir "$rules" >&2
    fi
    say "loading it"
    rm -rf "$folder/raw" "$folder"/*.profdata
    LLVM_PROFILE_FILE="$folder/raw/%p.profraw" "$folder/client/release/proxies" measure \
        --only palisade-on,palisade-off --rounds 1 --seconds 4 \
        --palisade "$(built counting)" --rules "$rules" --folder "$folder/load" >"$folder/load.txt"
    "$profdata" merge -o "$folder/new.profdata" "$folder"/raw/*.profraw
    # Cargo builds anew where flags change: the name is the content.
    profile=$folder/$(sha256sum "$folder/new.profdata" | cut -c1-16).profdata
    mv "$folder/new.profdata" "$profile"
fi

say "building with the profile"
RUSTFLAGS="-Cprofile-use=$profile -Cllvm-args=-pgo-warn-missing-function=false" build profiled
cp "$(built profiled)" "$folder/palisade"
echo "$folder/palisade"
