package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/laminadev/lamina/internal/blob"
	"github.com/laminadev/lamina/internal/blob/diskblob"
	"github.com/laminadev/lamina/internal/config"
	"github.com/laminadev/lamina/internal/digest"
	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/layerstore"
)

// localCache is a folder in the user's cache folder, for functions that run without a server. All of it may be removed at any
// time when nothing runs.
//
//	run/<n>/lock, …               the state of the sandboxes of one run; the lowest number that is free
//	trees/<path>/<stamp>/lock     a zip or a folder of the disk, unpacked: <path> and <stamp> are digests of its path and of
//	trees/<path>/<stamp>/content  what it looked like; content says which tree it is
//
// Whoever uses one of these holds a lock on it (flock: exclusive for run, shared for trees). Trees of an older state of a path
// are removed when a new one is made, and all trees that nobody used for keepTrees.
type localCache struct {
	dir     string
	closers []func() error
}

// keepTrees is how long the tree of a path that nobody runs any more is kept.
const keepTrees = 30 * 24 * time.Hour

func openLocalCache(cfg config.Config) (*localCache, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		base = filepath.Join(cfg.Data, "cache")
	}
	c := &localCache{dir: filepath.Join(base, "lamina")}
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return nil, &Problem{Text: fmt.Sprintf("cannot make the cache folder: %v", err), Todo: "name another one: XDG_CACHE_HOME=FOLDER lamina run …", Err: err}
	}
	return c, nil
}

func (c *localCache) close() error {
	var errs []error
	for i := len(c.closers) - 1; i >= 0; i-- {
		errs = append(errs, c.closers[i]())
	}
	c.closers = nil
	return errors.Join(errs...)
}

// slot gives a folder for the state of sandboxes that no other run uses. What a killed run left there is found again by
// the next that takes it.
func (c *localCache) slot() (string, error) {
	for n := 0; ; n++ {
		dir := filepath.Join(c.dir, "run", strconv.Itoa(n))
		lock, err := lockFile(dir, unix.LOCK_EX)
		if errors.Is(err, unix.EWOULDBLOCK) {
			continue
		}
		if err != nil {
			return "", fmt.Errorf("cannot take a folder for sandboxes: %w", err)
		}
		c.closers = append(c.closers, lock.Close)
		return dir, nil
	}
}

// lockFile makes a folder and locks the file "lock" in it without waiting.
func lockFile(dir string, how int) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), how|unix.LOCK_NB); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// zip gives the tree of a zip.
func (c *localCache) zip(ctx context.Context, path string, info fs.FileInfo) (*layerstore.Lower, error) {
	stamp := keyOf(fmt.Sprintf("%d %d", info.Size(), info.ModTime().UnixNano()))
	return c.tree(ctx, path, stamp, func(s *layerstore.Store, blobs *blob.Store) (lambda.Content, error) {
		f, err := os.Open(path)
		if err != nil {
			return lambda.Content{}, err
		}
		defer f.Close()
		st, err := blobs.Stage(ctx, f)
		if err != nil {
			return lambda.Content{}, err
		}
		defer st.Discard()
		return s.Import(ctx, st, layerstore.ImportLimits{})
	})
}

// folder gives a tree with a copy of a folder.
func (c *localCache) folder(ctx context.Context, path string, stamp digest.Digest) (*layerstore.Lower, error) {
	return c.tree(ctx, path, stamp, func(s *layerstore.Store, _ *blob.Store) (lambda.Content, error) {
		return s.PutFolder(ctx, path)
	})
}

// tree gives the tree of a path in the state that the stamp names, made by put where there is none.
func (c *localCache) tree(ctx context.Context, path string, stamp digest.Digest,
	put func(*layerstore.Store, *blob.Store) (lambda.Content, error)) (*layerstore.Lower, error) {
	all := filepath.Join(c.dir, "trees")
	dir := filepath.Join(all, keyOf(path).Hex()[:32], stamp.Hex()[:32])
	lock, err := lockFile(dir, unix.LOCK_SH)
	if err != nil {
		return nil, fmt.Errorf("cannot use the cache: %w", err)
	}
	c.closers = append(c.closers, lock.Close)
	driver, err := diskblob.Open(filepath.Join(dir, "blobs"))
	if err != nil {
		return nil, err
	}
	blobs := blob.New(driver)
	c.closers = append(c.closers, blobs.Close)
	s, err := layerstore.Open(layerstore.Options{Dir: filepath.Join(dir, "trees"), Blobs: blobs, Now: now})
	if err != nil {
		return nil, err
	}
	c.closers = append(c.closers, s.Close)
	content, known := readContent(dir)
	if !known {
		if content, err = put(s, blobs); err != nil {
			return nil, fmt.Errorf("cannot unpack %s: %w", path, err)
		}
		if err := writeContent(dir, content); err != nil {
			return nil, fmt.Errorf("cannot use the cache: %w", err)
		}
		c.sweep(all, filepath.Dir(dir))
	}
	t := now()
	_ = os.Chtimes(lock.Name(), t, t) // it is younger than it looks, at worst
	return s.Lower(ctx, content)
}

// sweep removes other trees of one path, and those of all paths that nobody used for long. Those in use stay.
func (c *localCache) sweep(all, path string) {
	found, _ := filepath.Glob(filepath.Join(all, "*", "*"))
	for _, dir := range found {
		info, err := os.Stat(filepath.Join(dir, "lock"))
		if err != nil || filepath.Dir(dir) != path && now().Sub(info.ModTime()) < keepTrees {
			continue
		}
		lock, err := lockFile(dir, unix.LOCK_EX)
		if err != nil {
			continue // this very one, or somebody else's
		}
		removeAll(dir)
		lock.Close()
		os.Remove(filepath.Dir(dir)) // when it was the last
	}
}

// removeAll removes a folder, also where modes of a layer shut its owner out.
func removeAll(dir string) {
	if os.RemoveAll(dir) == nil {
		return
	}
	filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			os.Chmod(p, 0o700)
		}
		return nil
	})
	os.RemoveAll(dir)
}

func readContent(dir string) (c lambda.Content, ok bool) {
	b, err := os.ReadFile(filepath.Join(dir, "content"))
	return c, err == nil && json.Unmarshal(b, &c) == nil
}

func writeContent(dir string, c lambda.Content) error {
	b, err := json.Marshal(c)
	if err != nil {
		return err
	}
	return writeWhole(filepath.Join(dir, "content"), b)
}
