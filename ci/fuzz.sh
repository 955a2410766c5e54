#!/usr/bin/env bash
# Malicious guests against the host's imports, modules and components: ci/fuzz.sh [CALLS] [SEED], so many calls of each.
# CI makes 300,000. What fails is printed with its seed. The host and wasmtime-wasi are built with debug assertions and
# checks of overflow; all they depend on is shared with other builds.
set -euo pipefail
cd "$(dirname "$0")/.."
export WASIO_FUZZ_CALLS="${1:-300000}"
if [ $# -gt 1 ]; then export WASIO_FUZZ_SEED="$2"; fi
checks=()
for package in wasio-host wasmtime-wasi wasmtime-wasi-io wiggle; do
  checks+=(--config "profile.release.package.$package.debug-assertions=true")
  checks+=(--config "profile.release.package.$package.overflow-checks=true")
done
cargo test --quiet --release "${checks[@]}" -p wasio-host -p wasio-cli --test all -- --exact --nocapture \
  --test-threads=1 fuzz::malicious_guests fuzz::component::malicious_components
