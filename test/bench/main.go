// Command bench measures bin/lamina against the floors that physics and the interpreter set, on this machine, in one run:
// what is compared is interleaved, medians are taken, and ratios are what to read, since absolute times move with the
// machine's load. `make bench` runs it.
//
//	bench [-quick] [-only start,cold,layers,warm,spares,lifecycle,publish,republish,small,state]
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "exchange" {
		serveExchange()
		return
	}
	if len(os.Args) > 1 && os.Args[1] == "bare" {
		serveBare()
		return
	}
	quick := flag.Bool("quick", false, "a third of the rounds")
	only := flag.String("only", "", "measure only these, separated by commas")
	peers := flag.Bool("peers", false, "measure a free alternative too, which is installed into .tools/")
	flag.Parse()
	if err := run(*quick, *peers, *only); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// bench is one run.
type bench struct {
	root   string // of the project
	work   string // removed at the end
	quick  bool
	python interpreter
	table  table
}

func run(quick, peers bool, only string) error {
	root, err := os.Getwd()
	if err != nil {
		return err
	}
	b := &bench{root: root, quick: quick}
	if b.python, err = newestPython(); err != nil {
		return err
	}
	if err := os.MkdirAll(".tools/bench", 0o755); err != nil {
		return err
	}
	if b.work, err = os.MkdirTemp(filepath.Join(root, ".tools/bench"), "run-"); err != nil {
		return err
	}
	ended := endedLately()
	defer noteEnd() // when the folder is gone
	defer os.RemoveAll(b.work)
	fmt.Printf("%s at %s; %s\n\n", b.python.runtime, b.python.path, time.Now().Format(time.DateOnly))
	fmt.Print(ended)
	for _, m := range []struct {
		name    string
		measure func() error
	}{
		{"start", b.start}, {"cold", b.cold}, {"layers", b.coldLayers}, {"warm", b.warm}, {"publish", b.publish},
		{"spares", b.spares}, {"lifecycle", b.lifecycle},
		{"sandbox", b.sandboxes}, {"idle", b.idle},
		{"republish", b.republish}, {"small", b.small}, {"state", b.state}, {"peers", b.peers},
	} {
		if m.name == "peers" && !peers || only != "" && !slices.Contains(strings.Split(only, ","), m.name) {
			continue
		}
		fmt.Fprintf(os.Stderr, "measuring: %s\n", m.name)
		if err := m.measure(); err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
	}
	b.table.print(os.Stdout)
	return nil
}

// rounds is how often something is measured.
func (b *bench) rounds(n int) int {
	if b.quick {
		return max(3, n/3)
	}
	return n
}
