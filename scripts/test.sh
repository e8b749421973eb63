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
rm -f .tools/logs/*.log
step() { say "$*  [$((SECONDS - started)) s]"; }

step "installing what the tests need"
scripts/setup.sh
PATH=$PWD/.tools/venv/bin:$PATH:$PWD/.tools/npm/bin
for dir in "$PWD"/.tools/node/*/bin; do PATH=$PATH:$dir; done
export PATH

step "building"
make --no-print-directory build
go build -race -o .tools/bin/lamina-race ./cmd/lamina
go build -o .tools/bin/ ./test/leak ./test/summary

step "linters"
failed=
scripts/lint.sh || failed=1

step "tests"
LAMINA_TEST_RUN=$$-$(date +%s)
LAMINA_BIN=$PWD/.tools/bin/lamina-race
LAMINA_BIN_PLAIN=$PWD/bin/lamina
export LAMINA_TEST_RUN LAMINA_BIN LAMINA_BIN_PLAIN
.tools/bin/leak list .tools/logs/before.json
# tests NAME ARGUMENT… runs go test readably; what it says goes to .tools/logs/ too.
tests() {
  local name=$1
  shift
  go test -json -vet=off "$@" 2>&1 | .tools/bin/summary | tee ".tools/logs/$name.log" || failed=1
}

tests unit -race -timeout 10m $(go list ./... | grep -v -e /test/e2e -e /test/bench -e /test/journeys)
if [ "$(id -u)" = 0 ]; then
  step "packages that make sandboxes, as an ordinary user"
  scripts/as-user.sh 2>&1 | tee .tools/logs/user.log || failed=1
fi
step "end to end"
tests e2e -count=1 -timeout 14m ./test/e2e ./test/journeys

step "nothing left behind"
if ! .tools/bin/leak check .tools/logs/before.json; then
  failed=1
fi

step "summary"
for f in unit user e2e; do
  [ ! -f ".tools/logs/$f.log" ] || grep -E '^(ok|FAIL|e2e:|journey:|sandboxtest:|as uid|skipped:|not run:|runtimes:|[0-9]+ passed)' ".tools/logs/$f.log" || true
done
[ -z "$failed" ] || die "tests failed ($((SECONDS - started)) s)"
echo "all tests passed in $((SECONDS - started)) s"
