package control_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/laminadev/lamina/internal/failpoint"
	"github.com/laminadev/lamina/internal/failpoint/failpointtest"
	"github.com/laminadev/lamina/internal/lambda"
)

// everyPoint makes the tests below go to the last hit of each point too, and to each point in each step that hits it.
var everyPoint = os.Getenv("LAMINA_TEST_FAILPOINTS") == "all"

// beStepVictim makes a step in a folder, and says "done" when the change is acknowledged.
func beStepVictim(args []string) error {
	n, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	return runStep(context.Background(), n, args[1], func() { fmt.Println("done") })
}

// elsewhere are points that no step comes to, with the test that does.
var elsewhere = map[string]string{
	"diskblob.delete":           "blobtest: control deletes with Collect alone",
	"diskblob.stage-unlocked":   "needs a file system without locks",
	"layerstore.build-unlocked": "likewise",
	"layerstore.build-owner":    "the superuser's only",
	"layerstore.collect-back":   "stands behind a failure of layerstore.collect-tree",
	"layerstore.remove-mode":    "layerstore: TestDirectoriesThatShutTheirOwnerOut",
	"layerstore.remove-again":   "likewise",
	"layerstore.unlink-changed": "layerstore: TestWhatIsSharedMayBeLostOrSpoiled",
	"layerstore.forget-changed": "likewise",
	"layerstore.unlink-full":    "layerstore: TestAnotherInodeAtTheLimitOfLinks",
	"layerstore.share-again":    "likewise",
	"layerstore.share-new":      "likewise",
	"layerstore.share-replace":  "likewise",
}

// visit is one hit of a point.
type visit struct {
	step, after int
	point       string
}

func (v visit) String() string {
	return fmt.Sprintf("%s/%s/%d", strings.ReplaceAll(steps[v.step].name, " ", "-"), v.point, v.after)
}

// visits gives the hits to go to: the first one of each point that there is, or all of them that differ.
func visits(t *testing.T, folders []string) []visit {
	t.Helper()
	var all []visit
	seen := map[string]bool{}
	for n := range steps {
		dir := filepath.Join(t.TempDir(), "d")
		copyFolder(t, folders[n], dir)
		stop := failpoint.Record()
		err := runStep(t.Context(), n, dir, func() {})
		hits := stop()
		if err != nil {
			t.Fatalf("%s: %v", steps[n].name, err)
		}
		for _, point := range distinct(hits) {
			if !seen[point] || everyPoint {
				all = append(all, visit{n, 0, point})
			}
			if last := count(hits, point) - 1; everyPoint && last > 0 {
				all = append(all, visit{n, last, point})
			}
			seen[point] = true
		}
	}
	for _, p := range failpointtest.Points(t, "..") {
		store := slices.Contains([]string{"diskblob", "layerstore", "database"}, p.Package)
		if _, known := elsewhere[p.Name]; store && !seen[p.Name] && !known {
			t.Errorf("%s: no step comes to the fail point %s", p.Place, p.Name)
		}
	}
	return all
}

func count(hits []string, point string) (n int) {
	for _, hit := range hits {
		if hit == point {
			n++
		}
	}
	return n
}

// states gives what callers see before each step and after the last one.
func states(t *testing.T, folders []string) []state {
	t.Helper()
	all := make([]state, len(folders))
	for n, dir := range folders {
		copied := filepath.Join(t.TempDir(), "d")
		copyFolder(t, dir, copied)
		s, err := openStep(t.Context(), copied)
		if err != nil {
			t.Fatal(err)
		}
		if all[n], err = s.state(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.close()
	}
	return all
}

// TestStopAtEachFailPoint stops a process at each place where it changes the disk. Afterwards what it acknowledged is there,
// nothing half-made is seen, a check finds nothing, and the same request succeeds.
func TestStopAtEachFailPoint(t *testing.T) {
	folders := snapshots(t)
	seen := states(t, folders)
	for _, v := range visits(t, folders) {
		t.Run(v.String(), func(t *testing.T) {
			t.Parallel() // what is armed is armed in the victims
			dir := filepath.Join(t.TempDir(), "d")
			copyFolder(t, folders[v.step], dir)
			acknowledged := failpointtest.Stop(t, v.point, v.after, strconv.Itoa(v.step), dir) == "done\n"
			s, err := openStep(t.Context(), dir)
			if err != nil {
				t.Fatalf("the next start: %v", err)
			}
			defer s.close()
			got, err := s.state(t.Context())
			if err != nil {
				t.Fatalf("after the next start: %v", err)
			}
			before, after := seen[v.step], seen[v.step+1]
			if diff := cmp.Diff(after, got); diff != "" && (acknowledged || !cmp.Equal(before, got)) {
				t.Errorf("acknowledged: %v; state (-want +got):\n%s", acknowledged, diff)
			}
			s.again(t, v.step)
			s.whole(t)
		})
	}
}

// again makes a step's change once more, and wants that everything can be had.
func (s *opened) again(t *testing.T, n int) {
	t.Helper()
	if err := s.settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	err := steps[n].run(t.Context(), s)
	if err != nil && !lambda.IsKind(err, lambda.Conflict) && !lambda.IsKind(err, lambda.NotFound) { // it was made already
		t.Errorf("the same request again: %v", err)
	}
	if err := s.settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.mountable(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := s.state(t.Context()); err != nil {
		t.Error(err)
	}
}

// faults are what a disk says.
var faults = []error{unix.ENOSPC, unix.EIO, unix.EROFS, unix.EMFILE}

// TestEachFailPointFails lets each place where the disk is changed fail. The request says why, what was there can be read
// meanwhile, nothing half-made is seen, and when the fault is over everything works.
func TestEachFailPointFails(t *testing.T) {
	folders := snapshots(t)
	seen := states(t, folders)
	for i, v := range visits(t, folders) {
		errs := faults
		if !everyPoint {
			errs = faults[i%len(faults) : i%len(faults)+1]
		}
		for _, fault := range errs {
			t.Run(v.String()+"/"+strings.ReplaceAll(fault.Error(), " ", "-"), func(t *testing.T) {
				dir := filepath.Join(t.TempDir(), "d")
				copyFolder(t, folders[v.step], dir)
				failAt(t, dir, v, fault, seen)
			})
		}
	}
}

func failAt(t *testing.T, dir string, v visit, fault error, seen []state) {
	disarm := failpoint.Arm(failpoint.Fault{Point: v.point, After: v.after, Err: fault})
	defer disarm()
	s, err := openStep(t.Context(), dir)
	if err != nil {
		wantFault(t, err, fault)
		disarm()
		if s, err = openStep(t.Context(), dir); err != nil {
			t.Fatalf("when the fault is over: %v", err)
		}
	}
	defer func() { s.close() }()
	failed := steps[v.step].run(t.Context(), s)
	if failed != nil {
		wantFault(t, failed, fault)
	}
	got, err := s.state(t.Context())
	if err != nil {
		t.Fatalf("reading while the disk fails: %v", err)
	}
	want := seen[v.step+1]
	if failed != nil {
		want = seen[v.step]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the request answered %v; state (-want +got):\n%s", failed, diff)
	}
	if err := s.mountable(t.Context()); err != nil { // waits until the background has met the fault too
		wantFault(t, err, fault)
	}
	disarm()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := s.settle(ctx); err != nil {
		t.Fatalf("the function is not settled when the fault is over: %v", err)
	}
	s.again(t, v.step)
	s.close()
	if s, err = openStep(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	s.whole(t) // what could not be removed is gone with the next start
}

func wantFault(t *testing.T, err, fault error) {
	t.Helper()
	if !errors.Is(err, fault) {
		t.Errorf("got %v, want one that says %q", err, fault)
	}
}

// TestOrderOfPublishing: bytes before the record, the whole tree before its marker, the marker before others share its files.
func TestOrderOfPublishing(t *testing.T) {
	dir := t.TempDir()
	stop := failpoint.Record()
	err := runStep(t.Context(), 0, dir, func() { failpoint.Hit("control.answer") })
	hits := stop()
	if err != nil {
		t.Fatal(err)
	}
	for _, order := range [][]string{
		{"diskblob.write", "diskblob.sync", "diskblob.name", "diskblob.sync-shard", "diskblob.sync-names", "database.commit", "control.answer"},
		{"layerstore.write", "layerstore.name", "layerstore.sync", "layerstore.mark", "layerstore.memo-sync", "layerstore.memo-name"},
		{"layerstore.mark", "layerstore.share", "layerstore.packed-write", "layerstore.packed-name"},
	} {
		for i := range len(order) - 1 {
			first, second := order[i], order[i+1]
			at, before := slices.Index(hits[setUp(hits):], second), lastIndex(hits, first)-setUp(hits)
			if at < 0 || before < 0 || before > at {
				t.Errorf("%s is at %d, and %s not before it, at %d, of\n%s", second, at, first, before, strings.Join(hits, "\n"))
			}
		}
	}
}

// setUp is how many hits belong to making a new folder.
func setUp(hits []string) int { return slices.Index(hits, "diskblob.stage") }

func lastIndex(hits []string, name string) int {
	for i := len(hits) - 1; i >= 0; i-- {
		if hits[i] == name {
			return i
		}
	}
	return -1
}
