#!/usr/bin/env bash
# The peers that tests run against, clang for ring, valgrind for counts, wasm-opt. Missing ones are installed where we
# may; a test whose peer is still missing then says so and counts as skipped.
set -u
declare -A package=([redis-server]=redis-server [redis-cli]=redis-tools [curl]=curl [wrk]=wrk
  [clang]=clang [llvm-ar]=llvm [postgres]=postgresql [valgrind]=valgrind [wasm-opt]=binaryen)
missing=()
for program in "${!package[@]}"; do
  command -v "$program" >/dev/null 2>&1 || ls /usr/lib/postgresql/*/bin/"$program" >/dev/null 2>&1 ||
    missing+=("${package[$program]}")
done
# A C library for guests, the linker, and what clang's code calls.
probe=$(mktemp)
echo 'int main(void) { return 0; }' | clang --target=wasm32-wasi -x c -o "$probe" - 2>/dev/null ||
  missing+=(wasi-libc libclang-rt-dev-wasm32 lld)
rm -f "$probe"
[ ${#missing[@]} -eq 0 ] && { echo "${!package[*]} are there"; exit 0; }
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
  echo "skipped: ${missing[*]} missing, and only root can apt-get install them"
  exit 0
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}" ||
  echo "skipped: apt-get could not install ${missing[*]}"
# Debian starts the servers at once; ours are started by the tests, on ports of their own.
for server in redis-server postgresql; do
  service "$server" stop >/dev/null 2>&1 || true
done
