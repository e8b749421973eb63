package layerstore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/laminadev/lamina/internal/blob"
	"github.com/laminadev/lamina/internal/digest"
	"github.com/laminadev/lamina/internal/failpoint"
	"github.com/laminadev/lamina/internal/lambda"
)

// CollectOptions say what Collect may free.
type CollectOptions struct {
	// Keep gives everything that a record needs. It is asked before anything is looked at, and again before the first thing is
	// removed.
	Keep func(ctx context.Context) ([]lambda.Content, error)
	// Age: what was stored or made less than this ago is kept, since its record may be on its way.
	Age time.Duration
	// Grace is how long to wait before Keep is asked again, so that requests that are running end: one may be about to record
	// what it has found in a record that is gone by now.
	Grace time.Duration
	// DryRun only counts.
	DryRun bool
}

// Collected is what Collect has freed.
type Collected struct {
	Zips, Trees, Files int   // Files: shared ones that no tree has any more
	Bytes              int64 // of zips and of files whose last name went
}

// Collect frees zips, trees and shared files that nothing needs. It may run while others use the store, also in another
// process: a tree that is in use stays, and so does a zip that is committed again meanwhile.
func (s *Store) Collect(ctx context.Context, o CollectOptions) (Collected, error) {
	c := &collection{Store: s, CollectOptions: o, before: s.now().Add(-o.Age), links: map[uint64]uint64{}}
	for _, step := range []func(context.Context) error{c.survey, c.again, c.removeZips, c.removeTrees, c.removeFiles, c.removeScratch} {
		if err := step(ctx); err != nil {
			return c.done, fmt.Errorf("cannot free what is not needed: %w", err)
		}
	}
	return c.done, nil
}

// collection is one run of Collect.
type collection struct {
	*Store
	CollectOptions
	before time.Time
	done   Collected

	zips  []blob.Info
	trees []string
	links map[uint64]uint64 // of shared inodes: names that go with the trees
}

// needed is what must stay.
type needed struct{ zips, trees map[digest.Digest]bool }

func (c *collection) needed(ctx context.Context) (needed, error) {
	contents, err := c.Keep(ctx)
	n := needed{map[digest.Digest]bool{}, map[digest.Digest]bool{}}
	for _, content := range contents {
		n.zips[content.Digest], n.trees[content.TreeKey] = true, true
	}
	return n, err
}

// survey finds what nothing needs.
func (c *collection) survey(ctx context.Context) error {
	need, err := c.needed(ctx)
	if err != nil {
		return err
	}
	err = c.blobs.List(ctx, func(i blob.Info) error {
		if !need.zips[i.Digest] && i.Created.Before(c.before) {
			c.zips = append(c.zips, i)
		}
		return nil
	})
	if err != nil {
		return err
	}
	entries, err := os.ReadDir(c.Store.trees)
	if err != nil {
		return err
	}
	for _, e := range entries {
		key, err := digest.Parse("sha256:" + e.Name())
		if err != nil || need.trees[key] {
			continue
		}
		marker, err := os.Lstat(filepath.Join(c.treePath(key), markerName))
		if err == nil && marker.ModTime().Before(c.before) { // without a marker it is being made, or goes with the next start
			c.trees = append(c.trees, e.Name())
		}
	}
	return nil
}

// again looks whether what was found is still not needed.
func (c *collection) again(ctx context.Context) error {
	if c.DryRun || len(c.zips)+len(c.trees) == 0 {
		return nil
	}
	if c.Grace > 0 {
		t := time.NewTimer(c.Grace)
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	need, err := c.needed(ctx)
	if err != nil {
		return err
	}
	zips, trees := c.zips[:0], c.trees[:0]
	for _, z := range c.zips {
		if !need.zips[z.Digest] {
			zips = append(zips, z)
		}
	}
	for _, name := range c.trees {
		if key, _ := digest.Parse("sha256:" + name); !need.trees[key] {
			trees = append(trees, name)
		}
	}
	c.zips, c.trees = zips, trees
	return nil
}

func (c *collection) removeZips(ctx context.Context) error {
	for _, z := range c.zips {
		deleted := true
		if !c.DryRun {
			var err error
			if deleted, err = c.blobs.DeleteBefore(ctx, z.Digest, c.before); err != nil {
				return err
			}
			if err := c.memo.forget(z.Digest); err != nil {
				return err
			}
		}
		if deleted {
			c.done.Zips++
			c.done.Bytes += z.Size
		}
	}
	return nil
}

// removeTrees removes trees that nobody uses.
func (c *collection) removeTrees(ctx context.Context) error {
	for _, name := range c.trees {
		if err := ctx.Err(); err != nil {
			return err
		}
		path := filepath.Join(c.Store.trees, name)
		dir, err := lockDir(path, unix.LOCK_EX)
		if errors.Is(err, errBusy) || errors.Is(err, errNoTree) {
			continue
		}
		if err != nil {
			return err
		}
		if err := errors.Join(c.removeOne(path), dir.Close()); err != nil {
			return err
		}
		c.done.Trees++
	}
	return nil
}

// removeOne removes a tree that is locked. It loses its name first, so that nobody ever sees a part of it.
func (c *collection) removeOne(path string) error {
	if err := c.count(path); err != nil || c.DryRun {
		return err
	}
	away, err := failpoint.MkdirTemp("layerstore.collect-away", c.tmp, "")
	if err != nil {
		return err
	}
	if err := failpoint.Rename("layerstore.collect-tree", path, away); err != nil {
		return errors.Join(err, failpoint.Remove("layerstore.collect-back", away))
	}
	return removeTree(away)
}

// count adds up what goes with a tree: files of its own, and names of shared ones.
func (c *collection) count(path string) error {
	return filepath.WalkDir(path, func(_ string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrPermission) {
			return nil // a directory that shuts its owner out
		}
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		st, ok := info.Sys().(*syscall.Stat_t)
		switch {
		case ok && st.Nlink > 1:
			c.links[st.Ino]++
		default:
			c.done.Bytes += info.Size()
		}
		return nil
	})
}

// removeFiles removes shared files whose name in the file store is the last. Who links one at this moment has it.
func (c *collection) removeFiles(ctx context.Context) error {
	paths, err := c.sharedFiles()
	if err != nil {
		return err
	}
	for _, path := range paths {
		if err := ctx.Err(); err != nil {
			return err
		}
		info, err := os.Lstat(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		st := info.Sys().(*syscall.Stat_t)
		left := uint64(st.Nlink)
		if c.DryRun {
			left -= min(left, c.links[st.Ino])
		}
		if left > 1 {
			continue
		}
		if !c.DryRun {
			if err := failpoint.Remove("layerstore.collect-file", path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
		c.done.Files++
		c.done.Bytes += info.Size()
	}
	return nil
}

// scratch begins the names of small files until they are whole.
const scratch = ".new-"

// removeScratch removes small files that never got their name, since whoever wrote them was killed.
func (c *collection) removeScratch(context.Context) error {
	if c.DryRun {
		return nil
	}
	for _, dir := range []string{globEscape(c.memo.dir), filepath.Join(globEscape(c.files), "*")} {
		left, err := filepath.Glob(filepath.Join(dir, scratch+"*"))
		if err != nil {
			return err
		}
		for _, path := range left {
			info, err := os.Lstat(path)
			if err != nil || !info.ModTime().Before(c.before) {
				continue // it has its name by now, or gets it soon
			}
			if err := failpoint.Remove("layerstore.collect-scratch", path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

// sharedFiles gives the files of all accounts.
func (s *Store) sharedFiles() ([]string, error) {
	return filepath.Glob(filepath.Join(globEscape(s.files), "*", "[0-9a-f][0-9a-f]", "*"))
}

// globEscape lets a path mean itself in a pattern.
func globEscape(path string) string {
	var b []byte
	for _, c := range []byte(path) {
		if c == '*' || c == '?' || c == '[' || c == '\\' {
			b = append(b, '\\')
		}
		b = append(b, c)
	}
	return string(b)
}
