#!/usr/bin/env bash
# The documentation, with warnings denied.
set -euo pipefail
cd "$(dirname "$0")/.."
export RUSTDOCFLAGS="-D warnings"
cargo doc --quiet --no-deps --all-features -p wasio-runtime -p wasio-net -p wasio-macros -p wasio
cargo doc --quiet --no-deps --release -p wasio-host -p wasio-cli
