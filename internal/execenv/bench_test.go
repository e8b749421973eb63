package execenv_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/laminadev/lamina/internal/execenv"
	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/runtimes"
)

// BenchmarkWarmInvoke compares a warm invocation with a bare exchange of 100 bytes over loopback between two processes'
// worth of goroutines, interleaved.
func BenchmarkWarmInvoke(b *testing.B) {
	for _, handler := range []string{"echo", "pipelined"} {
		b.Run(handler, func(b *testing.B) {
			w := newBench(b)
			rev := w.revision(handler)
			event := fmt.Sprintf("%0100d", 1)
			w.invoke(rev, "warm-up", event, false)
			exchange := newExchange(b)
			var ours, bare []time.Duration
			for b.Loop() {
				began := time.Now()
				resp, err := w.pool.Invoke(context.Background(), rev, execenv.Invocation{RequestID: "00000000-0000-0000-0000-000000000000",
					Payload: []byte(event), Version: "$LATEST"})
				ours = append(ours, time.Since(began))
				if err != nil || len(resp.Payload) != len(event) {
					b.Fatal(resp, err)
				}
				began = time.Now()
				exchange(event)
				bare = append(bare, time.Since(began))
			}
			b.ReportMetric(micros(ours, 50), "p50-us")
			b.ReportMetric(micros(ours, 99), "p99-us")
			b.ReportMetric(micros(bare, 50), "bare-p50-us")
			b.ReportMetric(micros(ours, 50)/micros(bare, 50), "p50-ratio")
			if n := w.driver.created(); n != 1 {
				b.Errorf("%d environments were made", n)
			}
		})
	}
}

// BenchmarkPython is a trivial python function in a real sandbox: warm, and from nothing.
func BenchmarkPython(b *testing.B) {
	w, python := newLinuxBench(b)
	next := func() *lambda.Revision {
		rev := w.revision("app.handler")
		rev.Config.Runtime = python
		return rev
	}
	code := w.tree(map[string]string{"app.py": "def handler(event, context):\n    return event\n"})
	measure := func(b *testing.B, rev func() *lambda.Revision) {
		var took []time.Duration
		for b.Loop() {
			r := rev()
			r.Code = code
			began := time.Now()
			w.invoke(r, "00000000-0000-0000-0000-000000000000", `{"a": 1}`, false)
			took = append(took, time.Since(began))
		}
		b.ReportMetric(micros(took, 50), "p50-us")
		b.ReportMetric(micros(took, 99), "p99-us")
	}
	b.Run("cold", func(b *testing.B) { measure(b, next) })
	rev := next()
	b.Run("warm", func(b *testing.B) { measure(b, func() *lambda.Revision { return rev }) })
}

// BenchmarkColdPython compares ways to start a trivial python function with the bare interpreter, interleaved: all at request
// time, in a prepared sandbox, and in a runtime that has booted ahead.
func BenchmarkColdPython(b *testing.B) {
	const trivial = "def handler(event, context):\n    return event\n"
	type way struct {
		name  string
		bench *bench
		code  lambda.Content
		took  []time.Duration
	}
	var python lambda.Runtime
	var ways []*way
	for _, w := range []struct {
		name             string
		prepared, spares int
	}{{"plain", 0, 0}, {"prepared", 2, 0}, {"spare", 2, 1}} {
		bench, name := newPreparedBench(b, w.prepared, func(o *execenv.Options) { o.Spares = w.spares })
		python = name
		ways = append(ways, &way{name: w.name, bench: bench, code: bench.tree(map[string]string{"app.py": trivial})})
	}
	start := func(w *way) time.Duration {
		rev := w.bench.revision("app.handler")
		rev.Config.Runtime, rev.Code = python, w.code
		began := time.Now()
		w.bench.invoke(rev, "00000000-0000-0000-0000-000000000000", `{"a": 1}`, false)
		took := time.Since(began)
		w.bench.pool.Retire(rev.FunctionID, rev.Number+1)
		return took
	}
	for _, w := range ways {
		start(w)
	}
	set := runtimes.New(runtimes.Options{Dir: b.TempDir()})
	infos, err := set.List(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	interpreter := ""
	for _, i := range infos {
		if i.Runtime == python {
			interpreter = i.Interpreter
		}
	}
	var bare []time.Duration
	for b.Loop() {
		began := time.Now()
		if out, err := exec.Command(interpreter, "-c", "pass").CombinedOutput(); err != nil {
			b.Fatal(err, string(out))
		}
		bare = append(bare, time.Since(began))
		for _, w := range ways {
			for w.name == "spare" && w.bench.pool.Spares() == 0 {
				time.Sleep(5 * time.Millisecond) // spares are booted while nobody waits
			}
			time.Sleep(30 * time.Millisecond) // and so are sandboxes
			w.took = append(w.took, start(w))
		}
	}
	b.ReportMetric(micros(bare, 50), "bare-us")
	for _, w := range ways {
		b.ReportMetric(micros(w.took, 50), w.name+"-us")
		b.ReportMetric(micros(w.took, 50)/micros(bare, 50), w.name+"-ratio")
	}
	check := ways[2].bench.pool.Starts()
	b.ReportMetric(float64(check.Spare)/float64(check.Spare+check.Plain-1), "spares-used")
}

// BenchmarkThaw compares an invocation of an environment that was frozen with one that was idle for as long, interleaved.
func BenchmarkThaw(b *testing.B) {
	idle, python := newLinuxBench(b)
	frozen, _ := newLinuxBench(b, func(o *execenv.Options) { o.Freeze, o.FreezeAfter = true, time.Millisecond })
	var took [2][]time.Duration
	var revs []*lambda.Revision
	for _, w := range []*bench{idle, frozen} {
		rev := w.revision("app.handler")
		rev.Config.Runtime = python
		rev.Code = w.tree(map[string]string{"app.py": "def handler(event, context):\n    return event\n"})
		w.invoke(rev, "a", "1", true)
		revs = append(revs, rev)
	}
	for b.Loop() {
		for frozen.freezes && frozen.pool.Frozen() == 0 {
			time.Sleep(time.Millisecond) // what is measured comes after it
		}
		for i, w := range []*bench{idle, frozen} {
			time.Sleep(5 * time.Millisecond)
			began := time.Now()
			w.invoke(revs[i], "00000000-0000-0000-0000-000000000000", "1", true)
			took[i] = append(took[i], time.Since(began))
		}
	}
	b.ReportMetric(micros(took[0], 50), "idle-p50-us")
	b.ReportMetric(micros(took[1], 50), "frozen-p50-us")
}

// newExchange gives a call that sends bytes to an echo server over loopback and waits for them.
func newExchange(b *testing.B) func(string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		io.Copy(struct{ io.Writer }{c}, c)
	}()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		c.Close()
		l.Close()
	})
	br := bufio.NewReader(c)
	return func(s string) {
		if _, err := io.WriteString(c, s); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(br, make([]byte, len(s))); err != nil {
			b.Fatal(err)
		}
	}
}

func micros(d []time.Duration, percent int) float64 {
	slices.Sort(d)
	return float64(d[len(d)*percent/100].Nanoseconds()) / 1000
}
