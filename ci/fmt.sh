#!/usr/bin/env bash
# Formatting, in every workspace of the repository.
set -euo pipefail
cd "$(dirname "$0")/.."
for manifest in Cargo.toml examples/Cargo.toml examples/*/Cargo.toml resolve/Cargo.toml tests/guests/Cargo.toml benches/*/Cargo.toml; do
  cargo fmt --all --check --manifest-path "$manifest"
done
