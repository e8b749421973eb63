#!/usr/bin/env bash
# Runs the tests of what is kept in S3 against a store that checks signatures and keeps objects on a disk (versitygw), in place of
# the one in memory that make test uses. Needs what make setup and make build have made.
cd "$(dirname "$0")/.."
. scripts/lib.sh
version=v1.8.0
mkdir -p .tools/bin
[ "$(.tools/bin/versitygw-$version --version 2>/dev/null | head -c 9)" = versitygw ] || {
  GOBIN=$PWD/.tools/bin go install github.com/versity/versitygw/cmd/versitygw@$version
  mv .tools/bin/versitygw .tools/bin/versitygw-$version
}
work=$(mktemp -d /tmp/lamina-real-s3-XXXXXX)
store=
clean() {
  local status=$?
  [ -z "$store" ] || { kill "$store" && wait "$store"; } 2>/dev/null || true
  rm -rf "$work"
  exit $status
}
trap clean EXIT
mkdir "$work/objects"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
export AWS_ACCESS_KEY_ID=AKIAREALS3TESTS AWS_SECRET_ACCESS_KEY=$(head -c 24 /dev/urandom | base64 | tr -d '+/=')
ROOT_ACCESS_KEY=$AWS_ACCESS_KEY_ID ROOT_SECRET_KEY=$AWS_SECRET_ACCESS_KEY \
  ".tools/bin/versitygw-$version" --port "127.0.0.1:$port" posix "$work/objects" >"$work/log" 2>&1 &
store=$!
for _ in $(seq 300); do
  kill -0 "$store" 2>/dev/null || { cat "$work/log" >&2; die "versitygw has ended"; }
  (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
  sleep 0.1
done
export LAMINA_TEST_S3=http://127.0.0.1:$port
go test -count=1 -timeout 10m ./internal/blob/s3blob
go test -count=1 -timeout 15m ./test/e2e -run '^(TestShared|TestTwoServers|TestNumbersOfTwoServers|TestCollectionsBesideTwoServers)$'
