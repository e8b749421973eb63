#!/usr/bin/env bash
# Everything that has to pass, in order: what CI runs.
#
#   1. install what the tests need (scripts/setup.sh)
#   2. build bin/lamina, and one with the race detector for the end-to-end tests
#   3. the linters (scripts/lint.sh)
#   4. all tests with the race detector; as root, packages that make sandboxes and the end-to-end hand-over run once more as
#      an ordinary user
#   5. nothing may be left on the machine (test/leak)
cd "$(dirname "$0")/.."
. scripts/lib.sh
started=$SECONDS
mkdir -p .tools/bin .tools/logs
step() { say "$*  [$((SECONDS - started)) s]"; }

step "installing what the tests need"
scripts/setup.sh
PATH=$PWD/.tools/venv/bin:$PATH
export PATH

step "building"
make --no-print-directory build
go build -race -o .tools/bin/lamina-race ./cmd/lamina
go build -o .tools/bin/leak ./test/leak

step "linters"
scripts/lint.sh

step "tests"
LAMINA_TEST_RUN=$$-$(date +%s)
LAMINA_BIN=$PWD/.tools/bin/lamina-race
LAMINA_BIN_PLAIN=$PWD/bin/lamina
export LAMINA_TEST_RUN LAMINA_BIN LAMINA_BIN_PLAIN
.tools/bin/leak list .tools/logs/before.json
log=.tools/logs/test.log
: >"$log"
failed=
run() { "$@" 2>&1 | tee -a "$log" || failed=1; }

packages=$(go list ./... | grep -v -e /test/e2e -e /test/bench)
run go test -race -vet=off -timeout 10m $packages
if [ "$(id -u)" = 0 ]; then
  step "packages that make sandboxes, as an ordinary user"
  run scripts/as-user.sh
fi
step "end to end"
run go test -vet=off -count=1 -timeout 14m ./test/e2e

step "nothing left behind"
if ! .tools/bin/leak check .tools/logs/before.json; then
  failed=1
fi

step "summary"
grep -E '^(ok|FAIL|---? FAIL|panic:)|^e2e: |^as uid ' "$log" || true
skipped=$(grep -c -E '^ *--- SKIP' "$log" || true)
echo "skipped tests printed above: $skipped"
if [ -n "$failed" ] || grep -q -E '^(FAIL|--- FAIL)' "$log"; then
  die "tests failed ($((SECONDS - started)) s)"
fi
echo "all tests passed in $((SECONDS - started)) s"
