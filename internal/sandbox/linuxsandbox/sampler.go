package linuxsandbox

import (
	"sync"
	"time"
)

// sampleEvery is how often the memory of busy sandboxes is read. A peak that is shorter may be missed.
const sampleEvery = 50 * time.Millisecond

// sampler reads the memory of all sandboxes, in one goroutine that exists while there are any.
type sampler struct {
	mu       sync.Mutex // guards what follows
	accounts map[*memory]bool
	stop     chan struct{} // nil while there is nothing to sample
	work     sync.WaitGroup
}

func newSampler() *sampler { return &sampler{accounts: map[*memory]bool{}} }

func (s *sampler) add(m *memory) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accounts[m] = true
	if s.stop == nil {
		stop := make(chan struct{})
		s.stop = stop
		s.work.Go(func() { s.run(stop) })
	}
}

func (s *sampler) remove(m *memory) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.accounts, m)
	if len(s.accounts) == 0 && s.stop != nil {
		close(s.stop)
		s.stop = nil
	}
}

func (s *sampler) run(stop <-chan struct{}) {
	tick := time.NewTicker(sampleEvery)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return
		case <-tick.C:
		}
		for _, m := range s.all() {
			m.sample()
		}
	}
}

func (s *sampler) all() []*memory {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]*memory, 0, len(s.accounts))
	for m := range s.accounts {
		list = append(list, m)
	}
	return list
}

// close waits for the goroutine. It is called when there are no sandboxes any more.
func (s *sampler) close() { s.work.Wait() }
