package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/laminadev/lamina/internal/blob"
	"github.com/laminadev/lamina/internal/blob/diskblob"
	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/lambdatest"
	"github.com/laminadev/lamina/internal/layerstore"
)

// republish measures the store without HTTP and base64, from the first byte of a zip until its record could be written and its
// tree mounted: a layer of 250 MB that is new, the same with a tenth of its files and bytes changed, and the identical zip,
// against unzip -q. Nothing is removed between rounds, see publish.
func (b *bench) republish() error {
	var layer bytes.Buffer
	if err := lambdatest.BenchLayer(&layer); err != nil {
		return err
	}
	var zips [2]string
	for i := range zips {
		changed, err := lambdatest.ChangeTenth(layer.Bytes(), i)
		if err != nil {
			return err
		}
		zips[i] = filepath.Join(b.work, fmt.Sprintf("republish-%d.zip", i))
		if err := os.WriteFile(zips[i], changed, 0o644); err != nil {
			return err
		}
	}
	var answered, fresh, changed, identical, unzipped []time.Duration
	for i := range b.rounds(5) {
		dir := filepath.Join(b.work, fmt.Sprintf("republish-%d", i))
		if err := b.rest(); err != nil {
			return err
		}
		began := time.Now()
		if out, err := exec.Command("unzip", "-q", zips[1], "-d", dir+"-unzipped").CombinedOutput(); err != nil {
			return fmt.Errorf("unzip: %w\n%s", err, out)
		}
		unzipped = append(unzipped, time.Since(began))
		first, err := b.take(dir, zips[0])
		if err != nil {
			return err
		}
		// The store was closed, so all its files are shared now.
		again, err := b.take(dir, zips[1], zips[1])
		if err != nil {
			return err
		}
		answered, fresh = append(answered, first[0].answered), append(fresh, first[0].mountable)
		changed, identical = append(changed, again[0].mountable), append(identical, again[1].mountable)
	}
	b.table.compare("store 250 MB, until the record | unzip -q", median(answered), median(unzipped), 1.0, 0)
	b.table.compare("store 250 MB, with the sync | unzip -q", median(fresh), median(unzipped), 1.3, 0)
	b.table.compare("store again, a tenth changed | unzip -q", median(changed), median(unzipped), 0.35, 0)
	b.table.compare("store again, identical | unzip -q", median(identical), median(unzipped), 0.05, 0)
	return nil
}

// taken is how long the store needed for a zip.
type taken struct{ answered, mountable time.Duration }

// take opens the store in a folder and gives it zips, one after the other.
func (b *bench) take(dir string, zips ...string) ([]taken, error) {
	d, err := diskblob.Open(filepath.Join(dir, "blobs"))
	if err != nil {
		return nil, err
	}
	blobs := blob.New(d)
	defer blobs.Close()
	s, err := layerstore.Open(layerstore.Options{Dir: filepath.Join(dir, "trees"), Blobs: blobs, Now: time.Now})
	if err != nil {
		return nil, err
	}
	defer s.Close()
	var all []taken
	for _, zip := range zips {
		if err := b.rest(); err != nil {
			return nil, err
		}
		t, err := takeOne(blobs, s, zip)
		if err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	return all, nil
}

func takeOne(blobs *blob.Store, s *layerstore.Store, zip string) (t taken, err error) {
	f, err := os.Open(zip)
	if err != nil {
		return t, err
	}
	defer f.Close()
	ctx := context.Background()
	began := time.Now()
	staged, err := blobs.Stage(ctx, f)
	if err != nil {
		return t, err
	}
	defer staged.Discard()
	c, err := s.Import(ctx, staged, layerstore.ImportLimits{UnzippedSize: lambda.MaxUnzippedSize, Account: "000000000000"})
	if err != nil {
		return t, err
	}
	t.answered = time.Since(began)
	l, err := s.Lower(ctx, c)
	if err != nil {
		return t, err
	}
	l.Release()
	t.mountable = time.Since(began)
	return t, nil
}
