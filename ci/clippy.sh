#!/usr/bin/env bash
# Clippy with warnings denied: guest crates for this machine and for WASI, then the host's side,
# then the programs of examples/, tests/ and benches/.
set -euo pipefail
cd "$(dirname "$0")/.."
guest=(-p wasio-runtime -p wasio-net -p wasio-macros -p wasio -p tokio@1.999.0 -p socket2@0.6.999
  -p futures-executor@0.3.999 -p hostname@0.4.999 -p quinn-udp@0.5.999 -p rustls-native-certs@0.8.999 -p wasite@1.999.0 -p whoami@1.999.0)
cargo clippy --quiet "${guest[@]}" --all-targets -- -D warnings
cargo clippy --quiet "${guest[@]}" --all-targets --target wasm32-wasip1 -- -D warnings
cargo clippy --quiet "${guest[@]}" --all-targets --target wasm32-wasip2 -- -D warnings
cargo clippy --quiet -p xtask -p engines --all-targets -- -D warnings
cargo clippy --quiet --release -p wasio-host -p wasio-cli --all-targets -- -D warnings
for manifest in examples/Cargo.toml examples/*/Cargo.toml tests/guests/Cargo.toml benches/*/Cargo.toml; do
  # The programs of benches/tokio once more.
  [[ $manifest == benches/tokio-wasi/* ]] && continue
  cargo clippy --quiet --release --all-targets --manifest-path "$manifest" \
    --target-dir target/guests -- -D warnings
done
