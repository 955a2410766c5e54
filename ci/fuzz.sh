#!/usr/bin/env bash
# Malicious guests against the host's socket imports: ci/fuzz.sh [CALLS] [SEED]. Some 70,000 calls take a second; CI
# makes 300,000. What fails is printed with its seed.
set -euo pipefail
cd "$(dirname "$0")/.."
export WASIO_FUZZ_CALLS="${1:-300000}"
if [ $# -gt 1 ]; then export WASIO_FUZZ_SEED="$2"; fi
cargo test --quiet --release -p wasio-host -p wasio-cli --test all -- --exact fuzz::malicious_guests --nocapture
