// Command leak finds what a test run left on the machine. It lists what there is before the run, and compares after it:
// processes of ours, mounts, network namespaces, cgroups, loop devices, and files where programs leave things.
//
//	leak list FILE      write down what there is
//	leak check FILE     print what there is beside that, one line each; exit status 1 when there is anything
//
// Processes are ours when they carry the run's mark in their environment (LAMINA_TEST_RUN), mention lamina, or live in
// namespaces of their own: functions in a sandbox do not have the run's environment.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"time"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: leak list|check FILE")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "leak:", err)
		os.Exit(1)
	}
}

func run(verb, file string) error {
	switch verb {
	case "list":
		b, err := json.Marshal(Take())
		if err != nil {
			return err
		}
		return os.WriteFile(file, b, 0o600)
	case "check":
		b, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		var before State
		if err := json.Unmarshal(b, &before); err != nil {
			return err
		}
		return check(before, 5*time.Second, os.Stdout)
	}
	return fmt.Errorf("unknown verb %q", verb)
}

// check compares, and looks again for a while when something is there: what was killed a moment ago may still be going.
func check(before State, patience time.Duration, out io.Writer) error {
	left := before.Left(Take())
	for deadline := time.Now().Add(patience); len(left) > 0 && time.Now().Before(deadline); {
		time.Sleep(200 * time.Millisecond)
		left = before.Left(Take())
	}
	for _, l := range left {
		fmt.Fprintln(out, "left behind:", l)
	}
	if len(left) > 0 {
		return fmt.Errorf("%d things were left behind", len(left))
	}
	fmt.Fprintln(out, "nothing was left behind: no process, mount, network namespace, cgroup, loop device or file")
	return nil
}

// State is what there is: for each kind, what identifies a thing and how to show it.
type State map[string]map[string]string

// Take looks at the machine.
func Take() State {
	return State{
		"process":           processes(),
		"mount":             mounts(),
		"network namespace": networks(),
		"cgroup":            cgroups(),
		"loop device":       loops(),
		"file":              files(),
	}
}

// Left gives what is there now and was not before, sorted.
func (s State) Left(now State) []string {
	var left []string
	for kind, things := range now {
		for id, shown := range things {
			if _, old := s[kind][id]; !old {
				left = append(left, kind+" "+shown)
			}
		}
	}
	slices.Sort(left)
	return left
}
