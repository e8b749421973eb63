package linuxsandbox

import (
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/sandbox"
)

// fakeMeter is a cgroup or a set of processes in memory.
type fakeMeter struct {
	bytes, killed int64
	kernel        bool
	reads         int
}

func (f *fakeMeter) charge() (int64, error) { return f.bytes, nil }
func (f *fakeMeter) held() (int64, error)   { f.reads++; return f.bytes, nil }
func (f *fakeMeter) kills() int64           { return f.killed }
func (f *fakeMeter) enforced() bool         { return f.kernel }
func (f *fakeMeter) close()                 {}

func TestMemoryLimitOfTheKernel(t *testing.T) {
	over := 0
	m, f := newMemory(100, func() { over++ }), &fakeMeter{kernel: true}
	m.watch(f)
	f.bytes = 60
	m.sample()
	f.bytes = 105 // with the helper's own share
	m.sample()
	f.bytes = 20
	checkUsage(t, m, sandbox.Usage{Memory: 20, Peak: 100})
	if over != 0 {
		t.Errorf("%d kills without one", over)
	}
	f.killed, f.bytes = 1, 10
	m.sample()
	m.sample()
	checkUsage(t, m, sandbox.Usage{Memory: 10, Peak: 100, OOMKilled: true})
	if over != 1 {
		t.Errorf("one kill was told %d times", over)
	}
	f.killed = 2 // while everything was being killed
	m.forgive()
	checkUsage(t, m, sandbox.Usage{Memory: 10, Peak: 100})
	f.killed, f.bytes = 3, 11
	m.sample()
	checkUsage(t, m, sandbox.Usage{Memory: 11, Peak: 100, OOMKilled: true})
	m.close()
	checkUsage(t, m, sandbox.Usage{Peak: 100, OOMKilled: true})
}

func TestMemoryLimitOfTheSampler(t *testing.T) {
	over := 0
	m, f := newMemory(100, func() { over++ }), &fakeMeter{}
	m.watch(f)
	f.bytes = 100
	m.sample()
	if over != 0 {
		t.Error("at the limit is not above it")
	}
	f.bytes = 101
	m.sample()
	if over != 1 {
		t.Errorf("above the limit: told %d times", over)
	}
	f.bytes = 0
	checkUsage(t, m, sandbox.Usage{Peak: 100, OOMKilled: true})
}

// What is found before the limit is forgiven has been told by then: told later, it would end what was started afterwards.
func TestMemoryForgivenAfterItWasTold(t *testing.T) {
	telling, told := make(chan struct{}), make(chan struct{})
	var order []string
	m := newMemory(100, func() {
		close(telling)
		for range 1000 {
			runtime.Gosched() // whoever does not wait comes first
		}
		order = append(order, "told")
	})
	m.watch(&fakeMeter{kernel: true, killed: 1})
	go func() {
		defer close(told)
		m.check()
	}()
	<-telling
	m.forgive()
	order = append(order, "forgiven")
	<-told
	if diff := cmp.Diff(order, []string{"told", "forgiven"}); diff != "" {
		t.Errorf("-got +want\n%s", diff)
	}
}

// An account that rests is read rarely, and one that moves again is seen within the promised number of rounds.
func TestMemoryAtRest(t *testing.T) {
	for _, test := range []struct {
		kernel bool
		rounds int
	}{{true, 16}, {false, 4}} {
		m, f := newMemory(0, func() {}), &fakeMeter{kernel: test.kernel, bytes: 1}
		m.watch(f)
		for range 500 {
			m.sample()
		}
		if f.reads != 1 {
			t.Errorf("kernel %v: at rest it was read %d times", test.kernel, f.reads)
		}
		f.bytes = 2
		for range test.rounds + 1 {
			m.sample()
		}
		if f.reads != 2 {
			t.Errorf("kernel %v: a change was not seen within %d rounds", test.kernel, test.rounds)
		}
	}
}

func checkUsage(t *testing.T, m *memory, want sandbox.Usage) {
	t.Helper()
	if diff := cmp.Diff(m.usage(), want); diff != "" {
		t.Errorf("usage: -got +want\n%s", diff)
	}
}

func TestReadNumbers(t *testing.T) {
	stat := []byte("cache 12\ntotal_rss_huge 5\ntotal_rss 4096\ntotal_shmem 8192\n")
	if got := field(stat, "total_rss") + field(stat, "total_shmem"); got != 12288 {
		t.Errorf("memory.stat: %d", got)
	}
	if got := field([]byte("oom_kill_disable 0\nunder_oom 0\noom_kill 3"), "oom_kill"); got != 3 {
		t.Errorf("oom_kill: %d", got)
	}
	status := []byte("Name:\tx\nRssAnon:\t     120 kB\nRssFile:\t  7 kB\nRssShmem:\t       8 kB\n")
	if got := kilobytes(status, []string{"RssAnon:", "RssShmem:"}); got != 128<<10 {
		t.Errorf("status: %d", got)
	}
}
