#!/usr/bin/env bash
# The scheduler and its wakers under loom: every order of the threads' steps, with few preemptions.
set -euo pipefail
cd "$(dirname "$0")/.."
export RUSTFLAGS="--cfg loom" LOOM_MAX_PREEMPTIONS="${LOOM_MAX_PREEMPTIONS:-3}"
export CARGO_TARGET_DIR=target/loom
cargo test --quiet --release -p wasio-runtime --lib loom_ -- --test-threads 2
