#!/usr/bin/env bash
# The targets without a backend of their own: the guest crates are checked for two of them, and the tests that need no
# host's sockets run on their backend, the shell, on this machine. A failure does not hide the later ones.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
targets=(wasm32-unknown-unknown x86_64-pc-windows-gnu)
rustup target add "${targets[@]}"
failed=0
RUSTFLAGS="-D warnings" CARGO_TARGET_DIR=target/shell \
  cargo check --quiet -p wasio --all-features "${targets[@]/#/--target=}" || failed=1
# In a target directory of its own: other flags would compile everything anew.
export RUSTFLAGS="--cfg wasio_shell" CARGO_TARGET_DIR=target/shell
output=$(cargo test -p wasio-runtime -p wasio-net -p wasio --lib --test all 2>&1) || failed=1
[ "$failed" = 0 ] || printf '%s\n' "$output"
grep '^test result' <<<"$output" |
  awk '{ passed += $4; failed += $6 } END { printf "%d passed, %d failed, 0 skipped\n", passed, failed }'
exit "$failed"
