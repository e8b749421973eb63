package linuxsandbox_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/laminadev/lamina/internal/sandbox"
	"github.com/laminadev/lamina/internal/sandbox/linuxsandbox"
)

// BenchmarkStart measures from Create to the exec of the first process, and the end.
func BenchmarkStart(b *testing.B) {
	for _, v := range []struct {
		prepared int
		tmp      int64
	}{{0, 1 << 20}, {0, 512 << 20}, {1, 1 << 20}, {1, 512 << 20}} { // the small /tmp is memory, the large one a disk as root
		prepared := v.prepared
		b.Run(fmt.Sprintf("prepared=%d/tmp=%dMB", prepared, v.tmp>>20), func(b *testing.B) {
			d, err := linuxsandbox.New(linuxsandbox.Options{StateDir: b.TempDir(), Prepared: prepared})
			if err != nil {
				b.Fatal(err)
			}
			defer d.Close()
			if err := d.Recover(b.Context()); err != nil {
				b.Fatal(err)
			}
			var create, spawn, end []time.Duration
			for b.Loop() {
				b.StopTimer()
				time.Sleep(60 * time.Millisecond) // a prepared sandbox is prepared while nobody waits
				b.StartTimer()
				c, s, e := once(b, d, v.tmp)
				create, spawn, end = append(create, c), append(spawn, s), append(end, e)
			}
			b.ReportMetric(median(create), "create-us")
			b.ReportMetric(median(spawn), "spawn-us")
			b.ReportMetric(median(end), "close-us")
		})
	}
}

func once(b *testing.B, d *linuxsandbox.Driver, tmp int64) (create, spawn, end time.Duration) {
	ctx := context.Background()
	begin := time.Now()
	s, err := d.Create(ctx, sandbox.Spec{
		ID: "bench", Account: "000000000000", Root: root(), TmpSize: tmp, Memory: 128 << 20, Processes: 1024,
		LocalAddrs: []string{"169.254.100.1"},
	})
	if err != nil {
		b.Fatal(err)
	}
	created := time.Now()
	p, err := s.Spawn(ctx, sandbox.Command{Path: "/bin/true", Args: []string{"true"}, Dir: "/"})
	if err != nil {
		b.Fatal(err)
	}
	spawned := time.Now()
	if _, err := p.Wait(ctx); err != nil {
		b.Fatal(err)
	}
	ending := time.Now()
	s.Close()
	return created.Sub(begin), spawned.Sub(created), time.Since(ending)
}

func median(d []time.Duration) float64 {
	slices.Sort(d)
	return float64(d[len(d)/2].Microseconds())
}

func root() []sandbox.Mount {
	return []sandbox.Mount{
		{Target: "/usr", Bind: "/usr"},
		{Target: "/bin", Link: "usr/bin"},
		{Target: "/lib", Link: "usr/lib"},
		{Target: "/lib64", Link: "usr/lib64"},
		{Target: "/opt"},
	}
}
