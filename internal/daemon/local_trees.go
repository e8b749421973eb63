package daemon

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/laminadev/lamina/internal/digest"
	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/layerstore"
)

// localTrees gives folders and zips of the disk to execution environments, as if they had been published. A folder is shown
// as it lies, since an overlay makes it read-only; one that would not look as from a zip, and every zip, is shown from a
// tree in the cache.
type localTrees struct {
	cache *localCache
	paths map[digest.Digest]string
}

// content names a path.
func (t *localTrees) content(path string) lambda.Content {
	key := keyOf(path)
	t.paths[key] = path
	return lambda.Content{TreeKey: key}
}

// Lower implements execenv.Trees.
func (t *localTrees) Lower(ctx context.Context, c lambda.Content) (*layerstore.Lower, error) {
	path, ok := t.paths[c.TreeKey]
	if !ok {
		return nil, fmt.Errorf("no folder has the tree key %s", c.TreeKey)
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return t.cache.zip(ctx, path, info)
	}
	asIs, stamp, err := survey(path)
	if err != nil {
		return nil, err
	}
	if asIs {
		return layerstore.Borrow(path, nil), nil
	}
	return t.cache.folder(ctx, path, stamp)
}

// survey looks at a folder: whether it can be shown as it lies, and a stamp that changes when anything in it does. It refuses
// what no layer can hold.
func survey(dir string) (asIs bool, stamp digest.Digest, err error) {
	asIs = !strings.ContainsAny(dir, `:\`) // overlayfs takes lists of folders
	h := sha256.New()
	found := false
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		switch info.Mode().Type() {
		case 0, fs.ModeDir, fs.ModeSymlink:
		default:
			return fmt.Errorf("%q is neither file, directory nor link", path)
		}
		found = found || path != dir
		asIs = asIs && ownedAsFromZip(info)
		fmt.Fprintf(h, "%s\x00%o %d %d\x00", path, info.Mode(), info.Size(), info.ModTime().UnixNano())
		return nil
	})
	if err == nil && !found {
		err = fmt.Errorf("the folder %q is empty", dir)
	}
	return asIs, digest.Sum(h), err
}

// ownedAsFromZip: what comes out of a zip is root's. The superuser's sandboxes show owners, those of others have one user
// only.
func ownedAsFromZip(info fs.FileInfo) bool {
	if os.Geteuid() != 0 {
		return true
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && st.Uid == 0 && st.Gid == 0 && info.Mode()&(fs.ModeSetuid|fs.ModeSetgid|fs.ModeSticky) == 0
}
