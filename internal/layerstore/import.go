package layerstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/laminadev/lamina/internal/archive"
	"github.com/laminadev/lamina/internal/blob"
	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/layer"
)

// ImportLimits bound what Import accepts, 0 meaning no limit, and say for whom it is.
type ImportLimits struct {
	ZippedSize   int64 // bytes of the zip
	UnzippedSize int64 // bytes of what it holds

	// Account is whose trees may share files with this one; with "", none may.
	Account string
}

// maxEntries bounds the entries of a zip from a stranger, and with them the memory and the inodes that it costs.
const maxEntries = 200_000

// Import takes in a staged zip: it verifies it, unpacks it in one pass into a tree that nobody sees yet, commits the blob,
// and gives what is now known of it. The tree gets its name, is synced, and gets its marker in the background; Lower waits
// for that. A zip that was imported before is not unpacked again.
//
// A zip that AWS refuses is a lambda.Error, of kind Invalid or TooLarge, with AWS's text. After an error nothing is stored,
// and st is still to be discarded (to discard it after a success does nothing).
func (s *Store) Import(ctx context.Context, st *blob.Staged, lim ImportLimits) (lambda.Content, error) {
	if lim.ZippedSize > 0 && st.Size() > lim.ZippedSize {
		return lambda.Content{}, lambda.Errorf(lambda.TooLarge, "Zipped size must be smaller than %d bytes", lim.ZippedSize)
	}
	if c, ok := s.memo.get(st.Digest()); ok && c.Size == st.Size() {
		return s.importKnown(ctx, st, c, lim)
	}
	var ahead sync.WaitGroup
	ahead.Go(st.WriteAhead) // while we unpack; it may take some milliseconds itself
	defer ahead.Wait()
	a, err := archive.Open(st, st.Size(), archive.Limits{UnzippedSize: lim.UnzippedSize, Entries: maxEntries})
	if err != nil {
		return lambda.Content{}, importError(err, lim)
	}
	files, err := s.filesOf(lim.Account)
	if err != nil {
		return lambda.Content{}, err
	}
	b, err := s.build(ctx, a, files)
	if err != nil {
		return lambda.Content{}, importError(err, lim)
	}
	c := lambda.Content{Digest: st.Digest(), Size: st.Size(), UnzippedSize: a.UnzippedSize(),
		ContentDigest: b.content, TreeKey: b.tree}
	ahead.Wait()
	if err := st.Commit(ctx); err != nil {
		return lambda.Content{}, errors.Join(err, b.discard())
	}
	s.adopt(b, c)
	return c, nil
}

// importKnown takes in a zip whose bytes were verified before.
func (s *Store) importKnown(ctx context.Context, st *blob.Staged, c lambda.Content, lim ImportLimits) (lambda.Content, error) {
	if lim.UnzippedSize > 0 && c.UnzippedSize > lim.UnzippedSize {
		return lambda.Content{}, unzippedTooLarge(lim)
	}
	if err := st.Commit(ctx); err != nil {
		return lambda.Content{}, err
	}
	return c, nil
}

// PutFolder takes in a folder as a layer, times included.
func (s *Store) PutFolder(ctx context.Context, dir string) (lambda.Content, error) {
	l, err := layer.FromFolder(dir)
	if err != nil {
		return lambda.Content{}, err
	}
	r, w := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.CloseWithError(l.WriteZipTimes(w))
	}()
	st, err := s.blobs.Stage(ctx, r)
	r.Close()
	<-done
	if err != nil {
		return lambda.Content{}, fmt.Errorf("cannot store folder %q: %w", dir, err)
	}
	defer st.Discard()
	c, err := s.Import(ctx, st, ImportLimits{Account: ownFiles})
	if err != nil {
		return lambda.Content{}, fmt.Errorf("cannot store folder %q: %w", dir, err)
	}
	return c, nil
}

// importError gives a refused archive the kind and the text that AWS gives it.
func importError(err error, lim ImportLimits) error {
	var refused *archive.Error
	if !errors.As(err, &refused) {
		return fmt.Errorf("cannot unpack a zip: %w", err)
	}
	switch refused.Reason {
	case archive.Empty:
		return &lambda.Error{Kind: lambda.Invalid, Message: "Uploaded file must be a non-empty zip", Err: err}
	case archive.TooLarge:
		return unzippedTooLarge(lim)
	}
	return &lambda.Error{Kind: lambda.Invalid,
		Message: "Could not unzip uploaded file. Please check your file, then try to upload again.", Err: err}
}

func unzippedTooLarge(lim ImportLimits) error {
	return lambda.Errorf(lambda.Invalid, "Unzipped size must be smaller than %d bytes", lim.UnzippedSize)
}
