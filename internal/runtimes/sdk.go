package runtimes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/laminadev/lamina/internal/failpoint"
	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/runtimes/interpreter"
	"github.com/laminadev/lamina/internal/runtimes/python"
)

// sdkRecord says which SDK a runtime has. It is written when its tree is stored, and never changed in place.
type sdkRecord struct {
	Version      string         // "boto3 1.40.1"
	Requirements string         // hash of the pins that it was installed from
	Content      lambda.Content // its tree in the store
}

func (s *Set) sdkPath(r lambda.Runtime) string {
	return filepath.Join(s.dir, "sdk", string(r)+".json")
}

// readRecord reads a record. One that cannot be read counts as none: Add writes a new one.
func readRecord(path string) (rec sdkRecord, ok bool) {
	b, err := os.ReadFile(path)
	if err != nil || json.Unmarshal(b, &rec) != nil {
		return sdkRecord{}, false
	}
	return rec, true
}

// installedSDK reads the record of a runtime's SDK.
func (s *Set) installedSDK(r lambda.Runtime) (sdkRecord, bool) { return readRecord(s.sdkPath(r)) }

// openSDK gives the folder of a runtime's SDK, "" when it has none.
func (s *Set) openSDK(ctx context.Context, r lambda.Runtime) (string, func(), error) {
	rec, ok := s.installedSDK(r)
	if !ok {
		return "", func() {}, nil
	}
	tree, err := s.store.Lower(ctx, rec.Content)
	if err != nil && ctx.Err() != nil {
		return "", nil, fmt.Errorf("cannot open the SDK of %s: %w", r, ctx.Err())
	}
	if err != nil {
		return "", nil, lambda.Errorf(lambda.BadRuntime, "The SDK of the runtime %[1]s cannot be opened: %[2]w; `lamina runtime add %[1]s` installs it again.", r, err)
	}
	return tree.Path, tree.Release, nil
}

// Add completes a runtime: it gets a node that the host does not have, and installs AWS's SDK of the pinned version, with the
// host's pip or npm. It tells progress what it does. Adding what is there already changes nothing. A running server shows it
// to the environments that start afterwards.
func (s *Set) Add(ctx context.Context, r lambda.Runtime, progress io.Writer) (Info, error) {
	switch r.Family() {
	case "python":
		return s.addPython(ctx, r, progress)
	case "nodejs":
		return s.addNode(ctx, r, progress)
	case "provided":
		if slices.Contains(provided, r) {
			return Info{}, lambda.Errorf(lambda.BadRuntime, "The runtime %s is a part of lamina: there is nothing to add.", r)
		}
	}
	return Info{}, lambda.Errorf(lambda.BadRuntime, "The runtime %s cannot be added; python3.%d to python3.%d and nodejs18.x, nodejs20.x, nodejs22.x and nodejs24.x can.",
		r, python.OldestMinor, python.NewestMinor)
}

func (s *Set) addPython(ctx context.Context, r lambda.Runtime, progress io.Writer) (Info, error) {
	in, err := s.interpreter(ctx, r)
	if err != nil {
		return Info{}, err
	}
	pins, err := s.python.Pins(in)
	if err != nil {
		return Info{}, err
	}
	if rec, ok := s.installedSDK(r); ok && rec.Requirements == pins.Digest && s.stored(ctx, rec) {
		fmt.Fprintf(progress, "%s has %s already\n", r, rec.Version)
		return s.info(in), nil
	}
	if err := s.install(ctx, s.sdkPath(r), func(dir string) error { return s.python.Install(ctx, in, pins, dir, progress) }, sdkRecord{
		Version: pins.Version, Requirements: pins.Digest,
	}); err != nil {
		return Info{}, fmt.Errorf("cannot install the SDK of %s: %w", r, err)
	}
	fmt.Fprintf(progress, "%s has %s now; environments that are running keep what they have\n", r, pins.Version)
	return s.info(in), nil
}

// stored reports whether the store still has a recorded tree.
func (s *Set) stored(ctx context.Context, rec sdkRecord) bool {
	tree, err := s.store.Lower(ctx, rec.Content)
	if err != nil {
		return false
	}
	tree.Release()
	return true
}

// install fills a folder, moves it into the store and records it. When it returns, the record survives a power failure.
func (s *Set) install(ctx context.Context, path string, fill func(dir string) error, rec sdkRecord) error {
	sdk := filepath.Dir(path)
	if err := failpoint.MkdirAll("runtimes.folder", sdk, 0o755); err != nil {
		return err
	}
	interpreter.RemoveStale(filepath.Join(sdk, ".install-*"))
	interpreter.RemoveStale(filepath.Join(sdk, ".tmp-*"))
	dir, err := failpoint.MkdirTemp("runtimes.install", sdk, ".install-")
	if err != nil {
		return err
	}
	defer failpoint.RemoveAll("runtimes.install-done", dir)
	if err := fill(dir); err != nil {
		return err
	}
	if rec.Content, err = s.store.PutFolder(ctx, dir); err != nil {
		return err
	}
	b, err := json.MarshalIndent(rec, "", "  ")
	if err != nil {
		return err
	}
	if err := writeFile(path, b); err != nil {
		return err
	}
	// The names: that of the record, and that of its folder, which may be new.
	return errors.Join(failpoint.SyncDir("runtimes.sync", sdk), failpoint.SyncDir("runtimes.sync-folder", filepath.Dir(sdk)))
}

// writeFile replaces a file in one step, so that a reader sees the old or the new bytes.
func writeFile(path string, b []byte) error {
	f, err := failpoint.CreateTemp("runtimes.record", filepath.Dir(path), ".tmp-")
	if err != nil {
		return err
	}
	defer failpoint.Remove("runtimes.record-done", f.Name())
	_, err = failpoint.Write("runtimes.record-write", f, b)
	if err == nil {
		err = failpoint.Sync("runtimes.record-sync", f)
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return failpoint.Rename("runtimes.record-name", f.Name(), path)
}
