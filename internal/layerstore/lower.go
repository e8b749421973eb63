package layerstore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/laminadev/lamina/internal/archive"
	"github.com/laminadev/lamina/internal/lambda"
)

// Lower is a directory that holds a tree and may be mounted, read-only, until Release.
type Lower struct {
	Path string // absolute

	release func()
}

// Release says that the directory is not used any more. It may be called twice.
func (l *Lower) Release() { l.release() }

// held is a tree that this process holds a lock on: it is being made, or in use, or both.
type held struct {
	content lambda.Content
	ready   chan struct{} // closed when the tree has its marker, or when that has failed

	// Written before ready is closed, under Store.mu.
	dir *os.File // the folder of the tree, locked
	err error

	users int // guarded by Store.mu
}

// Lower gives the folder of a tree, unpacking it from its blob when this machine has none, and waits until the tree has its
// marker. The tree stays until it is released. Of concurrent calls for one tree one unpacks. A zip that cannot be unpacked
// any more is a lambda.Error of kind BadZip.
func (s *Store) Lower(ctx context.Context, c lambda.Content) (*Lower, error) {
	h, err := s.hold(c)
	if err != nil {
		return nil, err
	}
	select {
	case <-h.ready:
	case <-ctx.Done():
		s.drop(h)
		return nil, fmt.Errorf("cannot wait for tree %s: %w", c.TreeKey, ctx.Err())
	}
	if h.err != nil {
		s.drop(h)
		return nil, h.err
	}
	return &Lower{
		Path:    filepath.Join(s.treePath(c.TreeKey), rootName),
		release: sync.OnceFunc(func() { s.drop(h) }),
	}, nil
}

// hold adds a user to a tree, and begins to look for it when it has none.
func (s *Store) hold(c lambda.Content) (*held, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.held[c.TreeKey]
	if h == nil {
		h = &held{content: c, ready: make(chan struct{})}
		if !s.startLocked(func() { s.settle(h)(s.find(s.background, c)) }) {
			return nil, errClosed
		}
		s.held[c.TreeKey] = h
	}
	h.users++
	return h, nil
}

// drop takes a user away from a tree.
func (s *Store) drop(h *held) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h.users--
	s.forget(h)
}

// settle says that a tree has its marker, and is locked in dir, or that it could not be had.
func (s *Store) settle(h *held) func(dir *os.File, err error) {
	return func(dir *os.File, err error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		h.dir, h.err = dir, err
		close(h.ready)
		s.forget(h)
	}
}

// forget lets go of a tree that is settled and has no user. One that could not be had is let go of at once, so that the
// next one who asks begins anew.
func (s *Store) forget(h *held) {
	settled := h.dir != nil || h.err != nil
	if !settled || h.users > 0 && h.err == nil {
		return
	}
	if s.held[h.content.TreeKey] == h {
		delete(s.held, h.content.TreeKey)
	}
	if h.dir != nil {
		h.dir.Close()
		h.dir = nil
		h.err = errClosed
	}
}

// adopt gives a tree that Import has built its name, in the background. When this process has that tree already, it is
// thrown away instead.
func (s *Store) adopt(b *build, c lambda.Content) {
	s.memo.remember(c)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held[c.TreeKey] != nil {
		b.abandon(s)
		return
	}
	h := &held{content: c, ready: make(chan struct{})}
	if s.startLocked(func() { s.settle(h)(s.finish(s.background, b, c)) }) {
		s.held[c.TreeKey] = h
	} else {
		b.abandon(s)
	}
}

// find locks the tree of a content, and unpacks it when there is none.
func (s *Store) find(ctx context.Context, c lambda.Content) (*os.File, error) {
	dir, err := s.acquire(ctx, c.TreeKey)
	if !errors.Is(err, errNoTree) {
		return dir, err
	}
	b, err := s.rebuild(ctx, c)
	if err != nil {
		return nil, err
	}
	return s.finish(ctx, b, c)
}

// rebuild unpacks a tree from its blob. What comes out is checked against the tree key, hence against every byte and mode.
func (s *Store) rebuild(ctx context.Context, c lambda.Content) (*build, error) {
	began := s.now()
	r, err := s.blobs.Open(ctx, c.Digest)
	if err != nil {
		return nil, fmt.Errorf("cannot unpack a layer: %w", err)
	}
	defer r.Close()
	b, err := s.unpackBlob(ctx, r, c)
	var refused *archive.Error
	switch {
	case errors.As(err, &refused):
		return nil, &lambda.Error{Kind: lambda.BadZip, Message: "Lambda could not unzip the deployment package.", Err: err}
	case err != nil:
		return nil, fmt.Errorf("cannot unpack %s: %w", c.Digest, err)
	}
	s.log.Debug("unpacked a tree", "tree", c.TreeKey, "zip", c.Digest, "took", s.now().Sub(began))
	return b, nil
}
