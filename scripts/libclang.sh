#!/usr/bin/env bash
# Whether libclang is here, which bindgen needs for the crate coraza-sys. Says how to get it otherwise.
set -euo pipefail

found() {
    ls "$1"/libclang*.so* >/dev/null 2>&1
}

folders=(/usr/lib/llvm-*/lib /usr/lib/*-linux-gnu /usr/lib64 /usr/lib /usr/local/lib)
[ -n "${LIBCLANG_PATH:-}" ] && folders=("$LIBCLANG_PATH")
for folder in "${folders[@]}"; do
    found "$folder" && exit 0
done
echo "coraza: NOT BUILT, libclang is missing (apt-get install libclang-dev, or set LIBCLANG_PATH)" >&2
exit 1
