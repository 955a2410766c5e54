#!/usr/bin/env bash
# Short guests one after the other: ci/soak.sh [GUESTS], a million unless told otherwise. Prints this process's memory
# as it goes, and fails when it grows. CI runs some thousands, among the host's tests.
set -euo pipefail
cd "$(dirname "$0")/.."
export WASIO_SOAK_GUESTS="${1:-1000000}"
cargo test --quiet --release -p wasio-host -p wasio-cli --test all -- --exact soak::short_guests_leave_nothing_behind \
  --nocapture
