#!/usr/bin/env bash
# The toolchain's targets and components; rust-toolchain.toml lists them.
set -euo pipefail
cd "$(dirname "$0")/.."
rustup show active-toolchain
rustup target add wasm32-wasip1 wasm32-wasip2
rustup component add rustfmt clippy
