package main

import (
	"os/exec"
	"path/filepath"
	"sync"
	"time"
)

// lifecycle measures what surrounds invocations: freezing between them, environments beside each other, environments that were
// initialised ahead, and runs without a server.
func (b *bench) lifecycle() error {
	for _, measure := range []func() error{b.thaw, b.environments, b.burst, b.runs} {
		if err := measure(); err != nil {
			return err
		}
	}
	return nil
}

// thaw compares a warm call of a function that was frozen with one of a function that was not and has stood still for as long.
// Each call has a pause of its own before it: the first call after one is dearer by several times what a thaw is, whoever
// answers it, since clocks, caches and sleeping threads of the client and the server have cooled down.
func (b *bench) thaw() error {
	var servers []*server
	_, zipped, err := b.handler("thaw", trivial)
	if err != nil {
		return err
	}
	for _, freeze := range []string{"auto", "off"} {
		s, err := b.serve("--freeze", freeze)
		if err != nil {
			return err
		}
		defer s.stop()
		if err := s.create("thaw", b.python.runtime, zipped); err != nil {
			return err
		}
		servers = append(servers, s)
	}
	var took [2][]time.Duration
	for i := range b.rounds(60) + 1 {
		for j, s := range servers {
			time.Sleep(250 * time.Millisecond) // it freezes after 100 ms
			d, err := s.invoke("thaw", []byte("1"))
			if err != nil {
				return err
			}
			if i > 0 {
				took[j] = append(took[j], d)
			}
		}
	}
	frozen, running := median(took[0]), median(took[1])
	b.table.limit("warm call after a thaw, beyond one after the same pause", max(frozen-running, 0), 100*time.Microsecond)
	return nil
}

// environments compares 8 clients that have two environments between them with one client.
func (b *bench) environments() error {
	_, zipped, err := b.handler("environments", trivial)
	if err != nil {
		return err
	}
	s, err := b.serve()
	if err != nil {
		return err
	}
	defer s.stop()
	if err := s.create("two", b.python.runtime, zipped); err != nil {
		return err
	}
	places := make(chan struct{}, 2)
	call := func() (time.Duration, error) {
		places <- struct{}{}
		defer func() { <-places }()
		return s.invoke("two", []byte(`{"n":1}`))
	}
	var one, eight []float64
	for i := range b.rounds(6) + 1 {
		_, alone, err := load(1, time.Second, call)
		if err != nil {
			return err
		}
		_, many, err := load(8, time.Second, call)
		if err != nil {
			return err
		}
		if i > 0 {
			one, eight = append(one, alone), append(eight, many)
		}
	}
	b.table.atLeast("invocations/s, 8 clients on 2 environments | 1 client", mean(eight), mean(one), 1.4)
	return nil
}

// burst measures the third of three invocations at once, where an environment was initialised ahead and where none was.
func (b *bench) burst() error {
	const slow = "import time\nfor i in range(200000): pass\n\n\ndef handler(event, context):\n    time.sleep(event)\n"
	_, zipped, err := b.handler("burst", slow)
	if err != nil {
		return err
	}
	var took [2][]time.Duration
	for i, ahead := range []string{"1", "0"} {
		s, err := b.serve("--ahead", ahead)
		if err != nil {
			return err
		}
		for j := range b.rounds(9) {
			d, err := b.third(s, "burst-"+string(rune('a'+j)), zipped)
			if err != nil {
				s.stop()
				return err
			}
			took[i] = append(took[i], d)
		}
		if err := s.stop(); err != nil {
			return err
		}
	}
	b.table.note("third invocation at once, --ahead 1 | --ahead 0", ms(median(took[0])), ms(median(took[1])), ratio(median(took[0]), median(took[1])))
	return nil
}

func (b *bench) third(s *server, name string, zipped []byte) (time.Duration, error) {
	if err := s.create(name, b.python.runtime, zipped); err != nil {
		return 0, err
	}
	var first error
	var mu sync.Mutex // guards first
	var two sync.WaitGroup
	for range 2 {
		two.Go(func() {
			if _, err := s.invoke(name, []byte("1.2")); err != nil {
				mu.Lock()
				first = err
				mu.Unlock()
			}
		})
	}
	time.Sleep(300 * time.Millisecond)
	s.settle()
	took, err := s.invoke(name, []byte("0"))
	two.Wait()
	if err == nil {
		err = first
	}
	return took, err
}

// runs compares `lamina run` of a trivial function with the bare interpreter.
func (b *bench) runs() error {
	runtime, err := b.bootstrapFolder()
	if err != nil {
		return err
	}
	handler, _, err := b.handler("run", trivial)
	if err != nil {
		return err
	}
	var ours, floor []time.Duration
	for i := range b.rounds(15) + 1 {
		m, err := ranFor(exec.Command(filepath.Join(b.root, "bin/lamina"), "run", handler, "--quiet", "--handler", "app.handler",
			"--runtime", b.python.runtime, "--data", filepath.Join(b.work, "run-data")))
		if err != nil {
			return err
		}
		n, err := b.bare(runtime, handler)
		if err != nil {
			return err
		}
		if i > 0 { // the first makes what later ones find
			ours, floor = append(ours, m), append(floor, n)
		}
	}
	b.table.compare("lamina run, trivial function | bare interpreter", median(ours), median(floor), 0, 30*time.Millisecond)
	return nil
}
