package logstream

import "sync"

// followers are the readers that wait for more.
type followers struct {
	mu  sync.Mutex // guards what follows
	all map[*follower]struct{}
}

// follower collects the files that have grown since it last looked.
type follower struct {
	more  chan struct{}       // capacity 1
	grown map[string]struct{} // guarded by followers.mu
}

func (fs *followers) add() *follower {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	f := &follower{more: make(chan struct{}, 1), grown: map[string]struct{}{}}
	if fs.all == nil {
		fs.all = map[*follower]struct{}{}
	}
	fs.all[f] = struct{}{}
	return f
}

func (fs *followers) remove(f *follower) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	delete(fs.all, f)
}

// tell notes that files have grown.
func (fs *followers) tell(paths []string) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	for f := range fs.all {
		for _, p := range paths {
			f.grown[p] = struct{}{}
		}
		select {
		case f.more <- struct{}{}:
		default:
		}
	}
}

// take gives the files that have grown since the last take.
func (fs *followers) take(f *follower) map[string]struct{} {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	grown := f.grown
	f.grown = map[string]struct{}{}
	return grown
}
