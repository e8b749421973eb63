package auth

import (
	"context"
	"sync"
)

// Rooms bounds how much is done at once for each account: none waits for another account's. It is safe for concurrent use.
type Rooms struct {
	size int

	mu sync.Mutex               // guards what follows
	of map[string]chan struct{} // by account
}

// NewRooms makes rooms for size at once, for every account.
func NewRooms(size int) *Rooms { return &Rooms{size: size, of: map[string]chan struct{}{}} }

// Enter waits for room, and gives the way to leave.
func (r *Rooms) Enter(ctx context.Context, account string) (leave func(), err error) {
	r.mu.Lock()
	room := r.of[account]
	if room == nil {
		room = make(chan struct{}, r.size)
		r.of[account] = room
	}
	r.mu.Unlock()
	select {
	case room <- struct{}{}:
		return func() { <-room }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
