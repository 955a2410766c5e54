#!/usr/bin/env bash
# How many instructions spawning, waking, a channel, a timer and an echo take, natively: ci/counts.sh [--update].
# Compared with ci/counts.txt; other programs on the machine make no difference.
set -euo pipefail
cd "$(dirname "$0")/.."
file=ci/counts.txt
command -v valgrind >/dev/null 2>&1 || {
  echo "skipped: valgrind not found"
  echo "0 passed, 0 failed, 1 skipped"
  exit 0
}
# In a target directory of its own: its profile is that of programs, not of our tests.
export CARGO_TARGET_DIR=target/counts CARGO_PROFILE_RELEASE_LTO=true CARGO_PROFILE_RELEASE_CODEGEN_UNITS=1
cargo build --quiet --release -p wasio --features full --example counts
program=target/counts/release/examples/counts
rustc=$(rustc --version | cut -d' ' -f2)
# Compilers differ by more than our changes.
percent=3
[ "$(sed -n 's/^# rustc //p' "$file")" = "$rustc" ] || percent=15

counted() {
  local out
  out=$(valgrind --tool=callgrind --callgrind-out-file=/dev/null "$program" "$@" 2>&1) || { echo "$out" >&2; return 1; }
  sed -n 's/.*Collected : //p' <<<"$out"
}

rows=() passed=0 failed=0
for name in spawn_join wake mpsc timers echo; do
  few=$(counted $name 1000)
  many=$(counted $name 11000)
  now=$(((many - few + 5000) / 10000))
  rows+=("$name $now")
  was=$(sed -n "s/^$name //p" "$file")
  if [ -n "$was" ] && [ $((now * 100)) -le $((was * (100 + percent))) ]; then
    passed=$((passed + 1)) verdict=ok
    [ $((now * 100)) -ge $((was * (100 - percent))) ] || verdict="ok, and less: ci/counts.sh --update keeps it"
  else
    failed=$((failed + 1)) verdict="MORE than $percent % over it"
  fi
  printf '%-12s %6d instructions, %6s in %s: %s\n' "$name" "$now" "${was:-none}" "$file" "$verdict"
done
if [ "${1:-}" = --update ]; then
  printf '%s\n' "# Instructions of one round, written by ci/counts.sh --update; the compiler they were taken with:" \
    "# rustc $rustc" "${rows[@]}" >"$file"
  exit 0
fi
[ $failed = 0 ] ||
  echo "if that is what the change is worth: ci/counts.sh --update, and say so in the commit message"
echo "$passed passed, $failed failed, 0 skipped"
[ $failed = 0 ]
