package layerstore

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/laminadev/lamina/internal/digest"
	"github.com/laminadev/lamina/internal/failpoint"
	"github.com/laminadev/lamina/internal/lambda"
)

// memoFormat is the number of the formats that a memo depends on: its own and those of the two digests in it.
const memoFormat = 1

// memo knows what zips hold that were verified before. It may forget; it is never wrong, since a file of it is complete
// before it has its name and a zip's digest decides what the zip holds.
type memo struct {
	dir string

	mu    sync.Mutex
	known map[digest.Digest]lambda.Content
}

type memoFile struct {
	Format  int
	Content lambda.Content
}

// get gives what is known of a zip.
func (m *memo) get(d digest.Digest) (lambda.Content, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if c, ok := m.known[d]; ok {
		return c, true
	}
	var f memoFile
	b, err := os.ReadFile(m.path(d))
	if err != nil || json.Unmarshal(b, &f) != nil || f.Format != memoFormat || f.Content.Digest != d {
		return lambda.Content{}, false
	}
	return f.Content, true
}

// remember keeps a content in memory.
func (m *memo) remember(c lambda.Content) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.known == nil {
		m.known = make(map[digest.Digest]lambda.Content)
	}
	m.known[c.Digest] = c
}

// put keeps a content on disk, unless it is there.
func (m *memo) put(c lambda.Content) error {
	if _, err := os.Lstat(m.path(c.Digest)); err == nil {
		return nil
	}
	b, err := json.Marshal(memoFile{memoFormat, c})
	if err != nil {
		return err
	}
	f, err := failpoint.CreateTemp("layerstore.memo", m.dir, scratch)
	if err != nil {
		return err
	}
	defer failpoint.Remove("layerstore.memo-done", f.Name())
	_, err = failpoint.Write("layerstore.memo-write", f, b)
	if err := errors.Join(err, failpoint.Sync("layerstore.memo-sync", f), f.Close()); err != nil {
		return err
	}
	return failpoint.Rename("layerstore.memo-name", f.Name(), m.path(c.Digest))
}

func (m *memo) path(d digest.Digest) string { return filepath.Join(m.dir, d.Hex()) }

// forget removes what is known of a zip that is gone.
func (m *memo) forget(d digest.Digest) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.known, d)
	if err := failpoint.Remove("layerstore.memo-forget", m.path(d)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
