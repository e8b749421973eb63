package node_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/laminadev/lamina/internal/runtimes/node"
	"github.com/laminadev/lamina/internal/runtimes/runtimetest"
)

// So short, since the tables are full of them.
type event = runtimetest.Event

// process is our bootstrap, and the interpreter that runs it.
type process struct {
	runtimetest.Process
	interpreter node.Interpreter
}

// everyNode runs a test with every node of this machine, and says which versions are not there.
func everyNode(t *testing.T, f func(t *testing.T, p process)) {
	t.Helper()
	host := node.NewHost(t.TempDir(), slog.New(slog.DiscardHandler))
	here := nodes(t, host)
	runtime, err := host.Runtime()
	if err != nil {
		t.Fatal(err)
	}
	for _, major := range node.Majors {
		in, ok := here[major]
		if !ok {
			t.Logf("NOT RUN: node %d is not on this machine (make setup gets it)", major)
			continue
		}
		t.Run(in.Name(), func(t *testing.T) {
			args := []string{"--expose-gc", filepath.Join(runtime, "index.mjs")}
			f(t, process{runtimetest.Process{Path: in.Path, Args: args, Name: in.Name(), Runtime: runtime}, in})
		})
	}
}

// nodes gives the best node of every major: of the host, and of those that make setup got.
func nodes(t *testing.T, host *node.Host) map[int]node.Interpreter {
	t.Helper()
	t.Setenv("PATH", os.Getenv("PATH")+":"+strings.Join(tools(), ":"))
	found, err := host.All(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 {
		t.Fatal("there is no node on this machine: run make setup")
	}
	here := map[int]node.Interpreter{}
	for _, in := range found {
		here[in.Major] = in
	}
	return here
}

// tools gives the folders of the nodes that make setup got.
func tools() []string {
	dirs, _ := filepath.Glob("../../../.tools/node/*/bin")
	for i := range dirs {
		dirs[i], _ = filepath.Abs(dirs[i])
	}
	return dirs
}
