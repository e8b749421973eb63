// Package layerstore keeps layers by digest: the zip in a blob store, and the tree that it unpacks to in a folder of this
// machine. Deployment packages and runtimes are kept the same way.
//
// The zip is the truth and the tree a cache: a tree that is missing is unpacked again when it is asked for. What a user of
// the store gets is a lower directory and a release (Lower); what the directory is made of is the store's own affair.
//
//	<Dir>/tmp/<anything>/            a tree that is being made, or removed
//	<Dir>/trees/<tree key>/root/     a tree: exactly what the zip holds
//	<Dir>/trees/<tree key>/complete  its marker
//	<Dir>/files/<account>/…          files that trees of an account share, as hard links (see files)
//	<Dir>/memo/<zip digest>          what is known of a zip that was imported (a shortcut, may be lost)
//
// A tree is written below tmp, moved to its name, synced, and only then marked. Without its marker it is not trusted: a
// crash may have left anything in it. Whoever makes a tree holds an exclusive lock (flock) on its folder until the marker
// is there, whoever uses one holds a shared lock, and whoever removes one needs the exclusive lock; so several processes can
// share the folder, and a lock ends with the process that held it.
package layerstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/laminadev/lamina/internal/archive"
	"github.com/laminadev/lamina/internal/blob"
	"github.com/laminadev/lamina/internal/digest"
	"github.com/laminadev/lamina/internal/failpoint"
	"github.com/laminadev/lamina/internal/lambda"
)

// Options are the parts of a store.
type Options struct {
	Dir   string           // of the trees; on a disk of this machine
	Blobs *blob.Store      // of the zips; the store does not close it
	Now   func() time.Time // nil: time.Now
	Log   *slog.Logger     // nil: nothing is logged

	// ShareAll lets trees of all accounts share files, in place of those of one account. It saves room, and functions can see
	// by the number of a file's links whether others have it too.
	ShareAll bool
}

// Store keeps layers. Its methods may be called concurrently.
type Store struct {
	blobs *blob.Store
	log   *slog.Logger
	now   func() time.Time
	memo  memo

	tmp, trees, files string

	shareAll bool
	maxLinks uint64 // of a shared file; 0: the file system's own limit
	inflated atomic.Int64

	// background is the context of work that outlives the call that began it; stop ends it.
	background context.Context
	stop       context.CancelFunc
	work       sync.WaitGroup

	mu     sync.Mutex // guards the fields below, and the fields of every held that say so
	held   map[digest.Digest]*held
	opened map[string]*files // by account
	closed bool
}

var errClosed = errors.New("the layer store is closed")

// Open makes the folders if they are not there and throws away what a crash left half-made: trees without marker are gone
// when it returns, and their files are removed in the background.
func Open(o Options) (*Store, error) {
	base, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("cannot find the folder of trees: %w", err)
	}
	s := &Store{
		blobs: o.Blobs,
		log:   o.Log,
		now:   o.Now,
		memo:  memo{dir: filepath.Join(base, "memo")},
		tmp:   filepath.Join(base, "tmp"),
		trees: filepath.Join(base, "trees"),
		files: filepath.Join(base, "files"),
		held:  make(map[digest.Digest]*held),

		opened:   make(map[string]*files),
		shareAll: o.ShareAll,
		maxLinks: maxLinks,
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.background, s.stop = context.WithCancel(context.Background())
	// The folders above a tree are open to all, since whoever mounts it in a user namespace has to reach it.
	for _, dir := range []string{base, s.tmp, s.trees, s.files, s.memo.dir} {
		if err := failpoint.MkdirAll("layerstore.folders", dir, 0o755); err != nil {
			return nil, fmt.Errorf("cannot make the folder of trees: %w", err)
		}
	}
	if err := s.sweep(); err != nil {
		return nil, fmt.Errorf("cannot clean up the folder of trees: %w", err)
	}
	return s, nil
}

// Entries gives what the zip of a content holds, sorted by path.
func (s *Store) Entries(ctx context.Context, c lambda.Content) ([]archive.Entry, error) {
	r, err := s.blobs.Open(ctx, c.Digest)
	if err != nil {
		return nil, fmt.Errorf("cannot list a layer: %w", err)
	}
	defer r.Close()
	a, err := archive.Open(r, r.Size(), archive.Limits{})
	if err != nil {
		return nil, fmt.Errorf("cannot list a layer: %w", err)
	}
	return a.Entries(), nil
}

// OpenZip opens a stored zip. The error of an absent one matches fs.ErrNotExist.
func (s *Store) OpenZip(ctx context.Context, d digest.Digest) (blob.Reader, error) {
	return s.blobs.Open(ctx, d)
}

// Close ends unpacking that nobody waits for any more and waits for all other background work: when it returns, every tree
// that was imported is synced and has its marker. Trees that were not released stay locked until they are.
func (s *Store) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.stop()
	s.work.Wait()
	var errs []error
	s.mu.Lock()
	defer s.mu.Unlock()
	for account, f := range s.opened {
		errs = append(errs, f.close())
		delete(s.opened, account)
	}
	return errors.Join(errs...)
}

// start runs f in the background; it reports whether the store is still open to that.
func (s *Store) start(f func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.startLocked(f)
}

func (s *Store) startLocked(f func()) bool {
	if s.closed {
		return false
	}
	s.work.Go(f)
	return true
}
