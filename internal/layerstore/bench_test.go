package layerstore_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/laminadev/lamina/internal/blob"
	"github.com/laminadev/lamina/internal/blob/diskblob"
	"github.com/laminadev/lamina/internal/lambdatest"
	"github.com/laminadev/lamina/internal/layerstore"
)

// BenchmarkImport takes in the bench layer, from the first byte until its tree may be mounted, beside what `unzip -q` needs
// for the same zip in the same folder: the two take turns within one benchmark. "answer" is the time until Import returns.
func BenchmarkImport(b *testing.B) {
	var zip bytes.Buffer
	if err := lambdatest.BenchLayer(&zip); err != nil {
		b.Fatal(err)
	}
	dir := b.TempDir()
	path := filepath.Join(dir, "layer.zip")
	if err := os.WriteFile(path, zip.Bytes(), 0o600); err != nil {
		b.Fatal(err)
	}
	unzip, err := exec.LookPath("unzip")
	if err != nil {
		b.Skip("unzip is not installed")
	}
	var imported, answered, unzipped time.Duration
	for round := 0; b.Loop(); round++ {
		to := filepath.Join(dir, fmt.Sprint(round))
		began := time.Now()
		if out, err := exec.Command(unzip, "-q", path, "-d", to+".unzipped").CombinedOutput(); err != nil {
			b.Fatalf("unzip: %v: %s", err, out)
		}
		unzipped += time.Since(began)
		rest(b, dir)
		a, i := importOnce(b, path, to+".imported")
		answered, imported = answered+a, imported+i
		rest(b, dir)
	}
	n := float64(b.N)
	b.ReportMetric(float64(unzipped.Milliseconds())/n, "unzip-ms")
	b.ReportMetric(float64(answered.Milliseconds())/n, "answer-ms")
	b.ReportMetric(float64(imported.Milliseconds())/n, "mountable-ms")
	b.ReportMetric(float64(imported)/float64(unzipped), "ratio")
}

// rest lets the disk come to rest. Nothing is removed between rounds: ext4 without a journal does not take inodes that were
// freed in the last seconds, and looking for others would be most of what is measured.
func rest(b *testing.B, dir string) {
	b.Helper()
	if out, err := exec.Command("sync", "-f", dir).CombinedOutput(); err != nil {
		b.Fatalf("sync: %v: %s", err, out)
	}
}

func importOnce(b *testing.B, zip, dir string) (answered, mountable time.Duration) {
	b.Helper()
	d, err := diskblob.Open(filepath.Join(dir, "blobs"))
	if err != nil {
		b.Fatal(err)
	}
	blobs := blob.New(d)
	s, err := layerstore.Open(layerstore.Options{Dir: filepath.Join(dir, "store"), Blobs: blobs, Now: time.Now})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	f, err := os.Open(zip)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()

	began := time.Now()
	st, err := blobs.Stage(b.Context(), f)
	if err != nil {
		b.Fatal(err)
	}
	defer st.Discard()
	c, err := s.Import(b.Context(), st, layerstore.ImportLimits{Account: alice}) // whose trees share files
	if err != nil {
		b.Fatal(err)
	}
	answered = time.Since(began)
	l, err := s.Lower(b.Context(), c)
	if err != nil {
		b.Fatal(err)
	}
	mountable = time.Since(began)
	l.Release()
	return answered, mountable
}

// BenchmarkRepublish takes in a layer of which a tenth is new, and then the identical zip, beside `unzip -q` in turns: each
// until its tree may be mounted.
func BenchmarkRepublish(b *testing.B) {
	unzip, err := exec.LookPath("unzip")
	if err != nil {
		b.Skip("unzip is not installed")
	}
	dir := b.TempDir()
	zips := make([]string, 2)
	for i := range zips {
		var zip bytes.Buffer
		if err := lambdatest.BenchLayer(&zip); err != nil {
			b.Fatal(err)
		}
		zips[i] = filepath.Join(dir, fmt.Sprintf("layer%d.zip", i))
		changed, err := lambdatest.ChangeTenth(zip.Bytes(), i)
		if err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(zips[i], changed, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	var republished, identical, unzipped time.Duration
	for round := 0; b.Loop(); round++ {
		to := filepath.Join(dir, fmt.Sprint(round))
		importOnce(b, zips[0], to+".imported") // closes the store: everything is shared
		rest(b, dir)
		began := time.Now()
		if out, err := exec.Command(unzip, "-q", zips[1], "-d", to+".unzipped").CombinedOutput(); err != nil {
			b.Fatalf("unzip: %v: %s", err, out)
		}
		unzipped += time.Since(began)
		rest(b, dir)
		_, m := importOnce(b, zips[1], to+".imported")
		republished += m
		rest(b, dir)
		_, m = importOnce(b, zips[1], to+".imported")
		identical += m
		rest(b, dir)
	}
	n := float64(b.N)
	b.ReportMetric(float64(unzipped.Milliseconds())/n, "unzip-ms")
	b.ReportMetric(float64(republished.Milliseconds())/n, "republish-ms")
	b.ReportMetric(float64(identical.Milliseconds())/n, "identical-ms")
	b.ReportMetric(float64(republished)/float64(unzipped), "republish-ratio")
	b.ReportMetric(float64(identical)/float64(unzipped), "identical-ratio")
}
