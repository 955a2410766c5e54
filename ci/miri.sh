#!/usr/bin/env bash
# Tasks, sync and timers under miri: undefined behaviour, data races, leaks. Needs the nightly toolchain, and a
# quarter of an hour; CI does not run it. Arguments replace the list of modules.
set -euo pipefail
cd "$(dirname "$0")/.."
rustup component add --toolchain nightly miri rust-src >/dev/null 2>&1 ||
    { echo "no nightly toolchain with miri: rustup toolchain install nightly -c miri -c rust-src" >&2; exit 1; }
# Real clocks and files: the reactor is the OS's.
export MIRIFLAGS="${MIRIFLAGS:--Zmiri-disable-isolation}" CARGO_TARGET_DIR=target/miri
if [ $# = 0 ]; then
    set -- task_ sync_ time_
fi
# Names are matched anywhere, and miri has no sockets for datagrams.
cargo +nightly miri test -p wasio --test all -- --skip net_ "$@"
