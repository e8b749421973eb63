package node_test

import (
	"os"
	"path/filepath"
	"testing"
)

// compared are the nodes that AWS's client runs on here, one for each of its versions.
var compared = map[int]string{20: "3.3.0/dist", 24: "4.0.2"}

// theirs gives the folder of AWS's own runtime client for a major, and the arguments that start it, nil when make setup has not got it.
func theirs(t *testing.T, major int) (folder string, args []string) {
	t.Helper()
	dir, err := filepath.Abs("../../../.tools/aws-lambda-ric")
	if err != nil {
		t.Fatal(err)
	}
	preload, err := filepath.Abs("testdata/ric.cjs")
	if err != nil {
		t.Fatal(err)
	}
	folder = filepath.Join(dir, compared[major])
	if compared[major] == "" {
		return folder, nil
	}
	start := filepath.Join(folder, "index.mjs")
	if _, err := os.Stat(start); err != nil {
		t.Logf("NOT RUN: %s is not here (make setup gets it)", start)
		return folder, nil
	}
	if major < 24 {
		// Version 3 is a module without a program; this is the rest, as far as it matters.
		code := "import { run } from '" + start + "';\nawait run(process.env.LAMBDA_TASK_ROOT, process.env._HANDLER);\n"
		start = filepath.Join(t.TempDir(), "index.mjs")
		if err := os.WriteFile(start, []byte(code), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return folder, []string{"--require", preload, "--expose-gc", start}
}

// unlike are the cases in which AWS's client, as it is in the npm registry, does something else, with the reason.
var unlike = map[string]string{
	"never settles":                  "the package of version 3 lacks what its source has: Runtime.NodeJsExit",
	"init index.badStream":           "version 3 fails with a ReferenceError while it makes the error that it means",
	"characters of URLs in a module": "it takes a file's name for a URL",
	"characters of URLs in a file":   "it takes a file's name for a URL on node 24",
	"characters of URLs in a folder": "it takes a folder's name for a URL",
	"function":                       "its native part refuses what is not text",
	"no SDK":                         "it has no hint",
}

// TestErrorMatrixOfAWS runs the cases against AWS's own runtime client: what we expect of ours is what theirs does.
func TestErrorMatrixOfAWS(t *testing.T) {
	everyNode(t, func(t *testing.T, p process) {
		if p.Runtime, p.Args = theirs(t, p.interpreter.Major); p.Args == nil {
			return
		}
		for _, c := range errorCases() {
			if major := p.interpreter.Major; major < c.since || c.until != 0 && major > c.until {
				continue
			}
			if reason, ok := unlike[c.name]; ok {
				t.Logf("not compared: %s: %s", c.name, reason)
				continue
			}
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				p := p
				p.Task, p.Handler, p.Env = sources, c.handler, c.env
				if c.event.Body == "" {
					c.event.Body = "1"
				}
				c.check(t, p)
			})
		}
	})
}
