#!/usr/bin/env bash
# Measures bin/lamina (test/bench). BENCH="-quick -only cold,warm" narrows it.
cd "$(dirname "$0")/.."
. scripts/lib.sh
have unzip || { mkdir -p .tools; apt_install unzip; }
mkdir -p .tools/bin
go build -o .tools/bin/bench ./test/bench
exec .tools/bin/bench ${BENCH:-}
