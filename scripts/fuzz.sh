#!/usr/bin/env bash
# Runs each fuzz target for a while: fuzz.sh [TIME]
cd "$(dirname "$0")/.."
. scripts/lib.sh
time=${1:-20s}
found=0
while IFS=: read -r file target; do
  found=$((found + 1))
  say "$target in ${file%/*} for $time"
  go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" "./${file%/*}"
done < <(git grep -n --untracked -E '^func Fuzz[A-Za-z0-9_]+\(' -- '*_test.go' | sed -E 's/^([^:]+):[0-9]+:func (Fuzz[A-Za-z0-9_]+).*/\1:\2/')
[ "$found" -gt 0 ] || die "there is no fuzz target"
