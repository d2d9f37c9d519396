#!/usr/bin/env bash
# What a build needs beyond cargo: a C compiler, and cmake for zlib-ng (a part of Pingora).
# Installs as root where it can; otherwise prints the one command to run, and stops.
set -euo pipefail

packages=()
command -v cmake >/dev/null || packages+=(cmake)
command -v cc >/dev/null || packages+=(gcc libc6-dev)

if ! command -v cargo >/dev/null; then
    echo "cargo is missing: install Rust 1.95 or newer (https://rustup.rs)" >&2
    exit 1
fi
[ ${#packages[@]} -eq 0 ] && exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "==> installing ${packages[*]}"
    export DEBIAN_FRONTEND=noninteractive
    install() { apt-get install -y --no-install-recommends "${packages[@]}"; }
    # The package lists of a fresh machine or image may be empty or old.
    install || { apt-get update && install; }
else
    echo "These packages are missing. Run this, then try again:" >&2
    echo "    sudo apt-get install -y ${packages[*]}" >&2
    exit 1
fi
