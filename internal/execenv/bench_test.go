package execenv_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/laminadev/lamina/internal/execenv"
	"github.com/laminadev/lamina/internal/lambda"
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
