package logstream_test

import (
	"errors"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/laminadev/lamina/internal/failpoint"
	"github.com/laminadev/lamina/internal/failpoint/failpointtest"
	"github.com/laminadev/lamina/internal/logstream"
)

const group = "/aws/lambda/f"

// writeLine opens the logs, writes a line and closes them.
func writeLine(dir string, second int, text string) error {
	s, err := logstream.Open(logstream.Options{Dir: dir})
	if err != nil {
		return err
	}
	s.Consume(printed(source(group, "s"), second, text))
	return s.Close()
}

// logFolders are new ones, and such in which the stream has its first line.
var logFolders = map[string]func(t *testing.T) (dir string, lines []string){
	"new": func(t *testing.T) (string, []string) { return filepath.Join(t.TempDir(), "logs"), nil },
	"used": func(t *testing.T) (string, []string) {
		dir := filepath.Join(t.TempDir(), "logs")
		if err := writeLine(dir, 1, "one\n"); err != nil {
			t.Fatal(err)
		}
		return dir, []string{"one\n"}
	},
}

// logPoints gives the points that a write comes to in each folder, and wants that there are no others.
func logPoints(t *testing.T) map[string][]string {
	t.Helper()
	all, seen := map[string][]string{}, map[string]bool{}
	for name, at := range logFolders {
		dir, _ := at(t)
		stop := failpoint.Record()
		err := writeLine(dir, 2, "two\n")
		all[name] = stop()
		if err != nil {
			t.Fatal(err)
		}
		for _, hit := range all[name] {
			seen[hit] = true
		}
	}
	for _, p := range failpointtest.Points(t, ".") {
		if !seen[p.Name] {
			t.Errorf("%s: no write comes to the fail point %s", p.Place, p.Name)
		}
	}
	return all
}

// TestWriteStoppedAtEachFailPoint stops a process at each place where it writes: what was written is there, what is written
// afterwards too, and of a line nobody sees a half.
func TestWriteStoppedAtEachFailPoint(t *testing.T) {
	for name, points := range logPoints(t) {
		for _, point := range points {
			t.Run(name+"/"+point, func(t *testing.T) {
				dir, before := logFolders[name](t)
				failpointtest.Stop(t, point, 0, dir)
				if err := writeLine(dir, 3, "three\n"); err != nil {
					t.Fatal(err)
				}
				wantLines(t, open(t, dir), append(before, "three\n"))
			})
		}
	}
}

// TestWriteFailsAtEachFailPoint lets each of them fail under a store that goes on: what comes when it is over is there.
func TestWriteFailsAtEachFailPoint(t *testing.T) {
	for name, points := range logPoints(t) {
		for _, point := range points {
			t.Run(name+"/"+point, func(t *testing.T) {
				dir, before := logFolders[name](t)
				disarm := failpoint.Arm(failpoint.Fault{Point: point, Err: unix.ENOSPC})
				defer disarm()
				s, err := logstream.Open(logstream.Options{Dir: dir})
				if err != nil {
					if !errors.Is(err, unix.ENOSPC) {
						t.Errorf("got %v, want %v", err, unix.ENOSPC)
					}
					disarm()
					s = open(t, dir)
				}
				defer s.Close()
				src := source(group, "s")
				s.Consume(printed(src, 2, "two\n"))
				s.Flush()
				disarm()
				s.Consume(printed(src, 3, "three\n"))
				wantLines(t, s, append(before, "three\n"))
			})
		}
	}
}

// wantLines reads the group: the line of the one that did not come to its end may be there, and nothing else.
func wantLines(t *testing.T, s *logstream.Store, want []string) {
	t.Helper()
	var got []string
	for _, r := range read(t, s, group, logstream.Query{}) {
		if r.Message != "two\n" {
			got = append(got, r.Message)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
