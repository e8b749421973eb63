package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSummary(t *testing.T) {
	const in = `{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestA","Output":"    a_test.go:1: quiet\n"}
{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestB","Output":"    b_test.go:2: broken\n"}
{"Action":"output","Package":"p","Test":"TestB","Output":"--- FAIL: TestB (0.00s)\n"}
{"Action":"fail","Package":"p","Test":"TestB"}
{"Action":"output","Package":"p","Test":"TestC","Output":"    c_test.go:3: only root can\n"}
{"Action":"skip","Package":"p","Test":"TestC"}
{"Action":"output","Package":"p","Output":"FAIL\tp\t0.1s\n"}
{"Action":"fail","Package":"p"}
{"Action":"output","Package":"q","Output":"ok  \tq\t0.2s\n"}
{"Action":"pass","Package":"q"}
{"Action":"pass","Package":"s","Test":"TestE/python3.11"}
{"Action":"pass","Package":"s","Test":"TestE/nodejs22.x"}
{"Action":"output","Package":"s","Test":"TestE","Output":"    e_test.go:4: NOT RUN: python3.14 is not on this machine\n"}
{"Action":"pass","Package":"s","Test":"TestE"}
{"Action":"output","Package":"s","Test":"TestF","Output":"    e_test.go:9: NOT RUN: python3.14 is not on this machine\n"}
{"Action":"pass","Package":"s","Test":"TestF"}
{"Action":"output","Package":"r","Test":"TestD","Output":"panic: oh\n"}
{"Action":"output","Package":"r","Output":"FAIL\tr\t0.3s\n"}
{"Action":"fail","Package":"r"}
`
	var out strings.Builder
	s := newSummary(&out)
	for line := range strings.Lines(in) {
		s.line(line)
	}
	failed := s.close()
	const want = `    b_test.go:2: broken
--- FAIL: TestB (0.00s)
FAIL	p	0.1s
ok  	q	0.2s
FAIL	r	0.3s
panic: oh

skipped: p TestC: only root can
not run: python3.14 is not on this machine (2 tests)
runtimes: tests ran on nodejs22.x, python3.11
FAIL	p	0.1s
ok  	q	0.2s
FAIL	r	0.3s
5 passed, 2 failed, 1 skipped
`
	if diff := cmp.Diff(out.String(), want); diff != "" || !failed {
		t.Errorf("failed is %v; got(-) want(+):\n%s", failed, diff)
	}
}
