#!/usr/bin/env bash
# The linters. Each is here for a reason:
#   gofmt         nobody argues about layout
#   go vet        mistakes that compile
#   staticcheck   more of those, and code that nobody reaches
#   floors        arrows of the house go down (internal/floors)
#   go mod        what is imported is what go.mod and go.sum say
cd "$(dirname "$0")/.."
. scripts/lib.sh

mapfile -t files < <(git ls-files --cached --others --exclude-standard '*.go' | while read -r f; do [ ! -f "$f" ] || echo "$f"; done)
bad=$(gofmt -l "${files[@]}")
[ -z "$bad" ] || die "gofmt would change:
$bad"
go vet ./...
go tool -modfile=tools/go.mod staticcheck ./...
go test -count=1 ./internal/floors
go mod verify >/dev/null
for m in examples/*/go.mod internal/*/testdata/*/go.mod; do (cd "$(dirname "$m")" && go vet ./...); done
for s in scripts/*.sh test/journeys/cli/*.sh .ci/run; do bash -n "$s"; done
echo "linters: nothing to say"
