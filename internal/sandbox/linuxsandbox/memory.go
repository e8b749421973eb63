package linuxsandbox

import (
	"os"
	"sync"

	"github.com/laminadev/lamina/internal/sandbox"
)

// meter reads what a sandbox holds: from its cgroup, or from its processes.
type meter interface {
	// charge is a cheap number that changes when memory does.
	charge() (int64, error)
	// held is anonymous and shared memory in bytes.
	held() (int64, error)
	// kills counts processes that the kernel killed for memory.
	kills() int64
	// enforced says that the kernel keeps the limit; else the sampler must.
	enforced() bool
	close()
}

// memory is the account of one sandbox.
type memory struct {
	over func() // called each time the limit was found broken, while mu is held: before anybody can forgive

	mu     sync.Mutex // guards what follows
	limit  int64      // 0: none
	meter  meter      // nil before there is one, and after the end
	now    int64
	peak   int64
	last   int64 // charge at the last reading
	quiet  int   // readings without change in a row
	wait   int   // rounds of the sampler to sit out
	killed bool
	seen   int64 // kills that are dealt with
}

func newMemory(limit int64, over func()) *memory { return &memory{limit: limit, over: over, last: -1} }

// setLimit is for a sandbox that is given its limit late.
func (m *memory) setLimit(limit int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.limit = limit
}

// watch takes the meter of a cgroup; nil when there is none.
func (m *memory) watch(meter meter) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.meter = meter
}

// watchProcesses takes the sandbox's /proc for a meter when there is no better one.
func (m *memory) watchProcesses(proc *os.File) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.meter != nil {
		proc.Close()
		return
	}
	m.meter = &processMeter{proc: proc}
}

// sample reads if it is this account's turn. Accounts at rest are read more and more rarely: a meter that only the
// sampler enforces every fourth round, one that the kernel enforces every sixteenth.
func (m *memory) sample() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.wait > 0 {
		m.wait--
		return
	}
	if m.read() {
		m.over()
	}
}

// check reads at once.
func (m *memory) check() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.read() {
		m.over()
	}
}

// read takes a reading, and says whether the limit was broken since the last one.
func (m *memory) read() bool {
	if m.meter == nil {
		return false
	}
	charge, err := m.meter.charge()
	if err != nil {
		return false
	}
	if charge == m.last && m.meter.kills() <= m.seen {
		m.rest()
		return false
	}
	m.last, m.quiet, m.wait = charge, 0, 0
	if held, err := m.meter.held(); err == nil {
		m.now = held
		m.peak = max(m.peak, held)
	}
	return m.broken()
}

func (m *memory) rest() {
	most := 16
	if !m.meter.enforced() {
		most = 4
	}
	m.quiet++
	m.wait = min(m.quiet/4, most)
}

func (m *memory) broken() bool {
	if kills := m.meter.kills(); kills > m.seen {
		m.seen, m.killed = kills, true
		m.peak = max(m.peak, m.limit)
		return true
	}
	if m.meter.enforced() || m.limit == 0 || m.now <= m.limit {
		return false
	}
	m.killed = true
	return true
}

// forgive forgets that the limit was broken: everything that broke it is dead.
func (m *memory) forgive() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.meter != nil {
		m.seen = max(m.seen, m.meter.kills())
	}
	m.killed = false
}

func (m *memory) usage() sandbox.Usage {
	m.check()
	m.mu.Lock()
	defer m.mu.Unlock()
	u := sandbox.Usage{Memory: m.now, Peak: m.peak, OOMKilled: m.killed}
	if m.limit > 0 {
		u.Peak = min(u.Peak, m.limit) // the helper's own share may stand above it
	}
	return u
}

func (m *memory) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.meter != nil {
		m.meter.close()
	}
	m.meter = nil
	m.now = 0
}
