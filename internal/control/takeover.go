package control

import (
	"context"
	"time"
)

// patience is in how many looks a revision must have been unsettled before it is taken over. Whoever made the change settles it
// within one, if he lives and the disk is fast; when two settle one revision, the second finds nothing to do.
const patience = 3

// takeOver settles what other servers have begun to change and do not bring to an end, because they died.
func (s *settler) takeOver(ctx context.Context) {
	tick := time.NewTicker(s.others)
	defer tick.Stop()
	looks := map[revisionKey]int{}
	for {
		select {
		case <-tick.C:
			looks = s.look(ctx, looks)
		case <-ctx.Done():
			return
		}
	}
}

// look asks what is unsettled, and takes over what has been for long enough. It gives in how many looks each revision was.
func (s *settler) look(ctx context.Context, before map[revisionKey]int) map[revisionKey]int {
	list, err := s.catalog.Unsettled(ctx)
	if err != nil {
		return before // whoever needs the catalog says so
	}
	looks := map[revisionKey]int{}
	for _, f := range list {
		key := revisionKey{f.Latest.FunctionID, f.Latest.Number}
		if s.isMine(key) {
			continue
		}
		if looks[key] = before[key] + 1; looks[key] >= patience {
			s.log.InfoContext(ctx, "taking over a function that another server has left unsettled", "function", f.Key.ARN(), "revision", f.Latest.Number)
			s.add(f)
		}
	}
	return looks
}

func (s *settler) isMine(key revisionKey) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mine[key] > 0
}

// keep counts a revision as ours beside the queue.
func (s *settler) keep(u unsettled) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mine[u.key()]++
}

// done is the end of what push or keep has begun.
func (s *settler) done(u unsettled) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mine[u.key()]--; s.mine[u.key()] <= 0 {
		delete(s.mine, u.key())
	}
}

// left is how much longer other servers get to see an update, so that nobody who was told that it is done meets the earlier
// revision there. (A new function needs no waiting, since nobody remembers that it is not there.)
func (s *settler) left(u unsettled) time.Duration {
	if u.Number == 1 {
		return 0
	}
	return s.follow - time.Since(u.since)
}

// followed waits for that time, and reports whether ctx has not ended.
func (s *settler) followed(ctx context.Context, u unsettled) bool {
	t := time.NewTimer(s.left(u))
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
