// Command summary makes `go test -json` readable: a package's line when it ends, the whole output of what failed, each
// skipped test with its reason, what tests said that they did not run ("NOT RUN: …"), the managed runtimes that they ran on,
// and at last every package's line again with the totals.
//
//	go test -json ./... | summary
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
)

func main() {
	s := newSummary(os.Stdout)
	in := bufio.NewReader(os.Stdin)
	for {
		line, err := in.ReadString('\n')
		if line != "" {
			s.line(line)
		}
		if err != nil {
			break
		}
	}
	if s.close() {
		os.Exit(1)
	}
}

// event is a line of `go test -json`.
type event struct {
	Action     string
	Package    string
	ImportPath string // of build output
	Test       string
	Output     string
}

// summary keeps the output of tests that run, and forgets that of tests that passed.
type summary struct {
	out                     io.Writer
	output                  map[string][]string // by package and test
	packages                []string            // result lines
	skips                   []string
	absent                  map[string]int // what was not run, by how many tests
	runtimes                map[string]bool
	passed, failed, skipped int
}

func newSummary(out io.Writer) *summary {
	return &summary{out: out, output: map[string][]string{}, absent: map[string]int{}, runtimes: map[string]bool{}}
}

func (s *summary) line(line string) {
	var e event
	if json.Unmarshal([]byte(line), &e) != nil {
		fmt.Fprint(s.out, line)
		return
	}
	key := e.Package + " " + e.Test
	switch {
	case e.Action == "build-output":
		fmt.Fprint(s.out, e.Output)
	case e.Action == "output":
		s.keep(key, e)
	case e.Test == "":
		s.packageEnded(key, e)
	default:
		s.testEnded(key, e)
	}
}

// resultLine is what go test prints when a package ends.
var resultLine = regexp.MustCompile(`^(ok +|FAIL|\?   )\t`)

func (s *summary) keep(key string, e event) {
	switch {
	case resultLine.MatchString(e.Output):
		s.packages = append(s.packages, strings.TrimSuffix(e.Output, "\n"))
		fmt.Fprint(s.out, e.Output)
	case strings.HasPrefix(e.Output, "e2e: "), strings.HasPrefix(e.Output, "sandboxtest: "), strings.HasPrefix(e.Output, "journey: "):
		s.packages = append(s.packages, strings.TrimSuffix(e.Output, "\n"))
		fmt.Fprint(s.out, e.Output)
	default:
		s.output[key] = append(s.output[key], e.Output)
	}
}

// ofRuntime is the name of a test that is one for each runtime.
var ofRuntime = regexp.MustCompile(`/(python3\.\d+|nodejs\d+\.x)$`)

func (s *summary) testEnded(key string, e event) {
	switch e.Action {
	case "pass":
		s.passed++
		s.noteAbsent(s.output[key])
		if m := ofRuntime.FindStringSubmatch(e.Test); m != nil {
			s.runtimes[m[1]] = true
		}
	case "fail":
		s.failed++
		fmt.Fprint(s.out, strings.Join(s.output[key], ""))
	case "skip":
		s.skipped++
		s.skips = append(s.skips, fmt.Sprintf("skipped: %s %s: %s", e.Package, e.Test, reason(s.output[key])))
	default:
		return
	}
	delete(s.output, key)
}

// packageEnded prints what a package that failed said outside of its tests: a panic, or that it did not compile.
func (s *summary) packageEnded(key string, e event) {
	if e.Action != "fail" {
		return
	}
	for k, lines := range s.output {
		if strings.HasPrefix(k, e.Package+" ") && k != key {
			fmt.Fprint(s.out, strings.Join(lines, "")) // it was running when the package ended
			s.failed++
			delete(s.output, k)
		}
	}
	fmt.Fprint(s.out, strings.Join(s.output[key], ""))
	delete(s.output, key)
	if s.failed == 0 {
		s.failed = 1
	}
}

// noteAbsent notes what a test that passed said it did not run.
func (s *summary) noteAbsent(lines []string) {
	for _, l := range lines {
		if _, what, ok := strings.Cut(l, "NOT RUN: "); ok {
			s.absent[strings.TrimSpace(what)]++
		}
	}
}

var location = regexp.MustCompile(`^\s*[\w.-]+\.go:\d+: `)

func reason(lines []string) string {
	for _, l := range lines {
		if m := location.FindString(l); m != "" {
			return strings.TrimSpace(l[len(m):])
		}
	}
	return "no reason was given"
}

// close prints the summary, and says whether something failed.
func (s *summary) close() bool {
	fmt.Fprintln(s.out)
	for _, l := range s.skips {
		fmt.Fprintln(s.out, l)
	}
	for _, what := range slices.Sorted(maps.Keys(s.absent)) {
		fmt.Fprintf(s.out, "not run: %s (%d tests)\n", what, s.absent[what])
	}
	if len(s.runtimes) > 0 {
		fmt.Fprintln(s.out, "runtimes: tests ran on", strings.Join(slices.Sorted(maps.Keys(s.runtimes)), ", "))
	}
	for _, l := range s.packages {
		fmt.Fprintln(s.out, l)
	}
	fmt.Fprintf(s.out, "%d passed, %d failed, %d skipped\n", s.passed, s.failed, s.skipped)
	return s.failed > 0
}
