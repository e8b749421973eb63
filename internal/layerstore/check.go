package layerstore

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/laminadev/lamina/internal/archive"
	"github.com/laminadev/lamina/internal/blob"
	"github.com/laminadev/lamina/internal/digest"
	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/layer"
)

// Finding is something that is not as it should be.
type Finding struct {
	Kind string // "zip", "record", "tree" or "file" (who reports has others too)
	What string // the digest, or the path
	Text string // what is wrong
	Mend string // what helps
}

// Checked counts what Check has looked at.
type Checked struct{ Zips, Trees, Files int }

const (
	restoreZip = "restore it from a backup (`lamina restore`), or publish the same zip again"
	again      = ": it is unpacked again when it is needed"
)

// Check reads everything again: every zip, what the given contents say of theirs, every tree, every shared file. It changes
// nothing, and others may use the store meanwhile. What it finds goes to report; an error means that it could not look.
func (s *Store) Check(ctx context.Context, contents []lambda.Content, report func(Finding)) (Checked, error) {
	c := &check{Store: s, report: report, zips: map[digest.Digest]bool{}}
	steps := []func(context.Context) error{
		c.checkZips,
		func(ctx context.Context) error { return c.checkContents(ctx, contents) },
		c.checkTrees,
		c.checkFiles,
	}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return c.done, fmt.Errorf("cannot check the store: %w", err)
		}
	}
	return c.done, nil
}

// CheckZips is the part of Check that looks at zips and contents alone: for a second store over the same trees.
func (s *Store) CheckZips(ctx context.Context, contents []lambda.Content, report func(Finding)) (Checked, error) {
	c := &check{Store: s, report: report, zips: map[digest.Digest]bool{}}
	err := c.checkZips(ctx)
	if err == nil {
		err = c.checkContents(ctx, contents)
	}
	if err != nil {
		err = fmt.Errorf("cannot check the store: %w", err)
	}
	return c.done, err
}

type check struct {
	*Store
	report func(Finding)
	done   Checked
	zips   map[digest.Digest]bool // every blob: whether it is whole
}

// checkZips sums every blob.
func (c *check) checkZips(ctx context.Context) error {
	var all []blob.Info
	if err := c.blobs.List(ctx, func(i blob.Info) error { all = append(all, i); return nil }); err != nil {
		return err
	}
	for _, i := range all {
		err := c.sumZip(ctx, i.Digest)
		if errors.Is(err, fs.ErrNotExist) {
			continue // freed in between
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		c.done.Zips++
		c.zips[i.Digest] = err == nil
		if err != nil {
			c.report(Finding{"zip", i.Digest.String(), "it is damaged: " + err.Error(), restoreZip})
		}
	}
	return nil
}

func (c *check) sumZip(ctx context.Context, d digest.Digest) error {
	r, err := c.blobs.Open(ctx, d)
	if err != nil {
		return err
	}
	defer r.Close()
	h := sha256.New()
	if _, err := io.Copy(h, untilDone{ctx, io.NewSectionReader(r, 0, r.Size())}); err != nil {
		return err
	}
	if got := digest.Sum(h); got != d {
		return fmt.Errorf("its bytes have the digest %s", got)
	}
	return nil
}

// untilDone is a reader that ends with its context.
type untilDone struct {
	ctx context.Context
	r   io.Reader
}

func (u untilDone) Read(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.r.Read(p)
}

// checkContents compares what records say of zips with the zips.
func (c *check) checkContents(ctx context.Context, contents []lambda.Content) error {
	seen := map[lambda.Content]bool{}
	for _, content := range contents {
		if err := ctx.Err(); err != nil {
			return err
		}
		if seen[content] {
			continue
		}
		seen[content] = true
		whole, there := c.zips[content.Digest]
		if !there {
			// It may be younger than the list.
			err := c.sumZip(ctx, content.Digest)
			if errors.Is(err, fs.ErrNotExist) {
				c.report(Finding{"zip", content.Digest.String(), "it is missing, and records need it", restoreZip})
			}
			if whole = err == nil; !whole {
				continue
			}
		}
		if whole {
			c.checkContent(ctx, content)
		}
	}
	return nil
}

func (c *check) checkContent(ctx context.Context, want lambda.Content) {
	if want.TreeKey.IsZero() {
		return // an object, which may be anything; that its bytes are whole is known
	}
	got, err := c.recompute(ctx, want.Digest)
	text := ""
	switch {
	case err != nil:
		text = "its zip cannot be read: " + err.Error()
	case got != want:
		text = fmt.Sprintf("it says %+v of a zip that is %+v", want, got)
	default:
		return
	}
	c.report(Finding{"record", want.Digest.String(), text, "restore the records from a backup (`lamina restore`), or publish the zip again"})
}

// recompute finds out all that a record says of a zip.
func (c *check) recompute(ctx context.Context, d digest.Digest) (lambda.Content, error) {
	r, err := c.blobs.Open(ctx, d)
	if err != nil {
		return lambda.Content{}, err
	}
	defer r.Close()
	a, err := archive.Open(r, r.Size(), archive.Limits{})
	if err != nil {
		return lambda.Content{}, err
	}
	l := layer.FromArchive(a, r, r.Size())
	content := lambda.Content{Digest: d, Size: r.Size(), UnzippedSize: l.UnzippedSize()}
	if content.ContentDigest, err = l.ContentDigest(); err != nil {
		return lambda.Content{}, err
	}
	content.TreeKey, err = l.TreeKey()
	return content, err
}

// checkTrees computes the key of every tree that has its marker.
func (c *check) checkTrees(ctx context.Context) error {
	entries, err := os.ReadDir(c.Store.trees)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		path := filepath.Join(c.Store.trees, e.Name())
		if !isTreeName(e.Name()) {
			c.report(Finding{"tree", path, "it is not ours", "move it away"})
			continue
		}
		dir, err := lockDir(path, unix.LOCK_SH)
		if errors.Is(err, errBusy) || errors.Is(err, errNoTree) {
			continue // it is being made or removed
		}
		if err != nil {
			return err
		}
		c.checkTree(path, dir)
		dir.Close()
	}
	return nil
}

func (c *check) checkTree(path string, dir *os.File) {
	if !hasMarker(dir) {
		c.report(Finding{"tree", path, "a crash has left it half-made", "nothing: the next start removes it"})
		return
	}
	c.done.Trees++
	key, err := treeKey(filepath.Join(path, rootName))
	switch {
	case errors.Is(err, fs.ErrPermission):
		c.report(Finding{"tree", path, "it cannot be read: " + err.Error(), "check as the superuser"})
	case err != nil:
		c.report(Finding{"tree", path, "it cannot be read: " + err.Error(), "rm -r " + path + again})
	case key.Hex() != filepath.Base(path):
		c.report(Finding{"tree", path, "what it holds has the tree key " + key.Hex(), "rm -r " + path + again})
	}
}

func treeKey(root string) (digest.Digest, error) {
	info, err := os.Lstat(root)
	if err != nil {
		return digest.Digest{}, err
	}
	entries, err := os.ReadDir(root)
	if err != nil {
		return digest.Digest{}, err
	}
	if len(entries) == 0 { // a zip that names its root only; layer.FromFolder takes that for a mistake
		_, key := layer.Keys(nil, nil)
		return key, nil
	}
	if info.Mode().Perm() != 0o755 {
		return digest.Digest{}, fmt.Errorf("the mode of its root is %04o", info.Mode().Perm())
	}
	l, err := layer.FromFolder(root)
	if err != nil {
		return digest.Digest{}, err
	}
	return l.TreeKey()
}

// checkFiles compares every shared file with its name.
func (c *check) checkFiles(ctx context.Context) error {
	paths, err := c.sharedFiles()
	if err != nil {
		return err
	}
	for _, path := range paths {
		if err := ctx.Err(); err != nil {
			return err
		}
		if strings.HasSuffix(path, newSuffix) {
			continue // one that is taking a name, or was when a process was killed: the next one takes it
		}
		err := checkFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		c.done.Files++
		if err != nil {
			c.report(Finding{"file", path, err.Error(), "rm " + path + ": it is shared no more; mend the trees that have it too"})
		}
	}
	return nil
}

func checkFile(path string) error {
	k, ok := parseFileKey(filepath.Base(path))
	if !ok {
		return errors.New("it is not ours")
	}
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	k.size = info.Size()
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		return err
	}
	if !k.matches(&st) {
		return errors.New("its type, mode, time or owner is not what its name says")
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrPermission) {
		return nil // nobody may read it, we neither; the superuser's check looks into it
	}
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return err
	}
	if digest.Sum(h) != k.sum {
		return errors.New("its content is not what its name says")
	}
	return nil
}

func parseFileKey(name string) (k fileKey, ok bool) {
	parts := strings.Split(name, ".")
	if len(parts) != 3 {
		return k, false
	}
	sum, err := digest.Parse("sha256:" + parts[0])
	mode, merr := strconv.ParseUint(parts[1], 8, 32)
	mtime, terr := strconv.ParseInt(parts[2], 10, 64)
	k = fileKey{sum: sum, mode: uint32(mode), mtime: mtime}
	return k, err == nil && merr == nil && terr == nil && k.path() == name[:2]+"/"+name
}
