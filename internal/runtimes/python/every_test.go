package python_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/laminadev/lamina/internal/runtimes/python"
	"github.com/laminadev/lamina/internal/runtimes/runtimetest"
)

// So short, since the tables are full of them.
type (
	event = runtimetest.Event
	post  = runtimetest.Post
)

// process is our bootstrap, and the interpreter that runs it.
type process struct {
	runtimetest.Process
	interpreter python.Interpreter
}

// trees is the folder of the trees of this machine's pythons, which are made once for all tests.
var trees string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	var err error
	if trees, err = os.MkdirTemp("", "lamina-python-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(trees)
	return m.Run()
}

// hostAndPythons is what was found on this machine.
type hostAndPythons struct {
	host  *python.Host
	found []python.Interpreter
}

var thisMachine = sync.OnceValues(func() (hostAndPythons, error) {
	host := python.NewHost(trees, slog.New(slog.DiscardHandler))
	found, err := host.All(context.Background())
	return hostAndPythons{host, found}, err
})

// everyPython runs a test with every interpreter of this machine, and says which versions are not there.
func everyPython(t *testing.T, f func(t *testing.T, p process)) {
	t.Helper()
	m, err := thisMachine()
	if err != nil {
		t.Fatal(err)
	}
	host, found := m.host, m.found
	if len(found) == 0 {
		t.Fatal("there is no python on this machine: install python3")
	}
	here := map[int]python.Interpreter{}
	for _, in := range found {
		here[in.Minor] = in
	}
	for minor := python.OldestMinor; minor <= python.NewestMinor; minor++ {
		in, ok := here[minor]
		if !ok {
			t.Logf("NOT RUN: python3.%d is not on this machine", minor)
			continue
		}
		tree, err := host.Tree(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(in.Name(), func(t *testing.T) {
			runtime := mounted(tree, "/var/runtime")
			args := []string{filepath.Join(runtime, "bootstrap.py")}
			f(t, process{runtimetest.Process{Path: in.Path, Args: args, Name: in.Name(), Runtime: runtime}, in})
		})
	}
}

// mounted gives the host's folder that a tree shows at a place.
func mounted(tree *python.Tree, target string) string {
	for _, m := range tree.Mounts("") {
		if m.Target == target {
			return m.Bind
		}
	}
	return ""
}
