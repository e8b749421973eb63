package logstream

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/laminadev/lamina/internal/lambda"
)

// Record is one log event.
type Record struct {
	Time    time.Time
	Stream  string
	Message string // with its line end
}

// Query says what to read.
type Query struct {
	Since  time.Time // records of this time and later; zero: all
	Limit  int       // at most so many, the newest ones; 0: all. What Follow adds is not counted
	Follow bool      // go on with what is written from now on, until ctx ends
	Stream string    // only this one; "": all of the group
}

// Read gives the records of a log group, up to those that were consumed before the call, to f by time, those of one stream in the order in which they were written. A group
// that nobody has written to is empty. It ends with an error of f, when ctx ends (which is no error when following), or
// when all is read.
func (s *Store) Read(ctx context.Context, scope lambda.Scope, group string, q Query, f func(Record) error) error {
	r := &reader{dir: groupDir(s.dir, scope, group), q: q, offsets: map[string]int64{}}
	var fo *follower
	if q.Follow {
		fo = s.followers.add() // before the first look, so that nothing falls between
		defer s.followers.remove(fo)
	}
	s.Flush() // a caller that has just seen an invocation end wants its last lines
	if err := r.readAll(ctx, f); err != nil {
		return fmt.Errorf("cannot read log group %q: %w", group, err)
	}
	for q.Follow {
		select {
		case <-ctx.Done():
			return nil
		case <-s.done:
			return nil
		case <-fo.more:
		}
		if err := r.readGrown(s.followers.take(fo), f); err != nil {
			return fmt.Errorf("cannot follow log group %q: %w", group, err)
		}
	}
	return nil
}

// reader reads one group.
type reader struct {
	dir     string
	q       Query
	offsets map[string]int64 // how far each segment was read
}

// readAll merges what the segments hold now.
func (r *reader) readAll(ctx context.Context, f func(Record) error) error {
	paths, err := r.segments()
	if err != nil {
		return err
	}
	m := merger{}
	defer m.close()
	for _, stream := range byStream(paths) {
		if err := m.add(newCursor(r, stream)); err != nil {
			return err
		}
	}
	if r.q.Limit > 0 {
		return r.readNewest(ctx, &m, f)
	}
	return m.each(ctx, f)
}

// readNewest gives the last records only.
func (r *reader) readNewest(ctx context.Context, m *merger, f func(Record) error) error {
	var last []Record
	err := m.each(ctx, func(rec Record) error {
		if len(last) == 2*r.q.Limit {
			last = slices.Delete(last, 0, r.q.Limit)
		}
		last = append(last, rec)
		return nil
	})
	if err != nil {
		return err
	}
	for _, rec := range last[max(0, len(last)-r.q.Limit):] {
		if err := f(rec); err != nil {
			return err
		}
	}
	return nil
}

// readGrown gives what was added to the group's segments.
func (r *reader) readGrown(grown map[string]struct{}, f func(Record) error) error {
	var recs []Record
	for path := range grown {
		if filepath.Dir(path) != r.dir || !r.wants(path) {
			continue
		}
		c := newCursor(r, []string{path})
		for {
			rec, ok, err := c.next()
			if err != nil {
				c.close()
				return err
			}
			if !ok {
				break
			}
			recs = append(recs, rec)
		}
		c.close()
	}
	slices.SortStableFunc(recs, func(a, b Record) int { return a.Time.Compare(b.Time) })
	for _, rec := range recs {
		if err := f(rec); err != nil {
			return err
		}
	}
	return nil
}

// segments lists the group's files that the query may want.
func (r *reader) segments() ([]string, error) {
	entries, err := os.ReadDir(r.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var paths []string
	for _, e := range entries {
		path := filepath.Join(r.dir, e.Name())
		if !r.wants(path) {
			continue
		}
		// What was last written before Since holds nothing later. File systems round their times.
		if info, err := e.Info(); err != nil || info.ModTime().Add(time.Second).Before(r.q.Since) {
			continue
		}
		paths = append(paths, path)
	}
	return paths, nil
}

func (r *reader) wants(path string) bool {
	name := filepath.Base(path)
	if !strings.HasSuffix(name, segmentSuffix) {
		return false
	}
	return r.q.Stream == "" || strings.HasPrefix(name, escape(r.q.Stream)+".")
}

// byStream puts the segments of one stream together, in their order; os.ReadDir has sorted them.
func byStream(paths []string) [][]string {
	var streams [][]string
	last := ""
	for _, p := range paths {
		base := strings.TrimSuffix(p, segmentSuffix)
		name := base[:max(0, strings.LastIndexByte(base, '.'))]
		if len(streams) == 0 || name != last {
			streams = append(streams, nil)
			last = name
		}
		streams[len(streams)-1] = append(streams[len(streams)-1], p)
	}
	return streams
}

// merger gives the records of several cursors by time.
type merger struct{ heads []head }

type head struct {
	rec Record
	c   *cursor
}

// add takes a cursor in that has a record left.
func (m *merger) add(c *cursor) error {
	rec, ok, err := c.next()
	if err != nil || !ok {
		c.close()
		return err
	}
	c.park()
	m.insert(head{rec, c})
	return nil
}

// insert keeps heads sorted, the earliest last.
func (m *merger) insert(h head) {
	i, _ := slices.BinarySearchFunc(m.heads, h, func(a, b head) int {
		return cmp.Or(b.rec.Time.Compare(a.rec.Time), 1)
	})
	m.heads = slices.Insert(m.heads, i, h)
}

func (m *merger) each(ctx context.Context, f func(Record) error) error {
	for len(m.heads) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		h := m.heads[len(m.heads)-1]
		m.heads = m.heads[:len(m.heads)-1]
		if err := f(h.rec); err != nil {
			h.c.close()
			return err
		}
		rec, ok, err := h.c.next()
		if err != nil {
			h.c.close()
			return err
		}
		if !ok {
			h.c.close()
			continue
		}
		m.insert(head{rec, h.c})
	}
	return nil
}

func (m *merger) close() {
	for _, h := range m.heads {
		h.c.close()
	}
}
