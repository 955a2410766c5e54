#!/usr/bin/env bash
# Clippy with warnings denied: guest crates for this machine and for WASI, then the host's side,
# then the programs of examples/, tests/ and benches/.
# A failure does not hide the later ones.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
failed=0
clippy() {
  cargo clippy --quiet "$@" -- -D warnings || failed=1
}
guest=(-p wasio-runtime -p wasio-net -p wasio-macros -p wasio -p tokio@1.999.0 -p socket2@0.6.999
  -p futures-executor@0.3.999 -p futures-timer@3.999.0 -p hostname@0.4.999 -p pollster@1.999.0 -p quinn-udp@0.5.999
  -p rustls-native-certs@0.8.999 -p uname@0.1.999 -p wasite@1.999.0 -p whoami@1.999.0)
clippy "${guest[@]}" --all-targets
clippy "${guest[@]}" --all-targets --target wasm32-wasip1
clippy "${guest[@]}" --all-targets --target wasm32-wasip2
clippy -p xtask -p engines --all-targets
clippy --release -p wasio-host -p wasio-cli --all-targets
for manifest in examples/Cargo.toml examples/*/Cargo.toml tests/guests/Cargo.toml benches/*/Cargo.toml; do
  # The programs of benches/tokio once more.
  [[ $manifest == benches/tokio-wasi/* ]] && continue
  clippy --release --all-targets --manifest-path "$manifest" --target-dir target/guests
done
exit "$failed"
