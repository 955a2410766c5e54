#!/usr/bin/env bash
# The host and the commands for macOS and Windows, where people develop: type-checked, with clippy's warnings denied.
# Nothing is linked, so what the build scripts of wasmtime compile from C is never read: `true` stands for the compiler.
# After clippy.sh, whose build scripts and macros it shares, this takes about 2.4 minutes of one core per target.
set -euo pipefail
cd "$(dirname "$0")/.."
targets=(aarch64-apple-darwin x86_64-pc-windows-gnu)
rustup target add "${targets[@]}"
for target in "${targets[@]}"; do
  export "CC_${target//-/_}=true" "AR_${target//-/_}=true"
done
cargo clippy --quiet --release -p wasio-host -p wasio-cli "${targets[@]/#/--target=}" -- -D warnings
