package execenv_test

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/laminadev/lamina/internal/execenv"
	"github.com/laminadev/lamina/internal/telemetry"
)

func frame(kind uint32, text string) string {
	b := binary.BigEndian.AppendUint32(nil, kind)
	b = binary.BigEndian.AppendUint32(b, uint32(len(text)))
	b = binary.BigEndian.AppendUint64(b, 1_700_000_000_000_000)
	return string(b) + text
}

// What is cut out of a stream must not depend on how the stream came in pieces.
func TestCutting(t *testing.T) {
	const limit = 256 << 10
	long := strings.Repeat("z", limit)
	const textInfo, jsonError = 0xa55a000f, 0xa55a0016
	for _, tc := range []struct {
		name   string
		frames bool
		in     string
		want   []string
	}{
		{"lines", false, "a\nb\n\nc", []string{"a\n", "b\n", "\n", "c"}},
		{"carriage return", false, "a\rb\r\n", []string{"a\rb\r\n"}},
		{"line of the greatest length", false, long[1:] + "\nx\n", []string{long[1:] + "\n", "x\n"}},
		{"longer line", false, long + "yy\nx\n", []string{long, "yy\n", "x\n"}},
		{"very long line", false, long + long + "y", []string{long, long, "y"}},
		{"frames", true, frame(textInfo, "a\nb") + frame(jsonError, "{}") + frame(textInfo, ""), []string{"a\nb", "{}"}},
		{"text between frames", true, "hello\nyou" + "\n" + frame(textInfo, "x") + "more\n", []string{"hello\n", "you\n", "x", "more\n"}},
		{"frame within a line", true, "hel" + frame(textInfo, "x") + frame(jsonError, "y\n") + "lo\nmore", []string{"x", "y\n", "hello\n", "more"}},
		{"frame behind what is none", true, "\xa5\x5a\xa5\xc3\xa5" + frame(textInfo, "x") + "\n", []string{"x", "\xa5\x5a\xa5\xc3\xa5\n"}},
		{"end like a frame's beginning", true, "a\xc3\xa5", []string{"a\xc3\xa5"}},
		{"line before a torn text", true, "a" + frame(textInfo, "xyz")[:18], []string{"a", "xy"}},
		{"looks like a frame and is none", true, "\xa5\x5a\x00\xf0abcdefghijklmnop\n", []string{"\xa5\x5a\x00\xf0abcdefghijklmnop\n"}},
		{"wrong magic", true, "\xa5\x5b\n", []string{"\xa5\x5b\n"}},
		{"torn header", true, frame(textInfo, "x")[:7], []string{frame(textInfo, "x")[:7]}},
		{"torn text", true, frame(textInfo, "xyz")[:18], []string{"xy"}},
		{"long frame", true, frame(textInfo, long+"y"), []string{long, "y"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for _, piece := range []int{1, 3, 16, 1000, len(tc.in)} {
				var got []string
				c := execenv.NewCutter(tc.frames, func(s string) { got = append(got, s) })
				for in := tc.in; in != ""; {
					n := min(piece, len(in))
					c.Write([]byte(in[:n]))
					in = in[n:]
				}
				c.Flush()
				if strings.Join(got, "|") != strings.Join(tc.want, "|") {
					t.Errorf("in pieces of %d: got %.200q, want %.200q", piece, got, tc.want)
				}
			}
		})
	}
}

func FuzzCutting(f *testing.F) {
	f.Add([]byte("a\nb"), 1)
	f.Add([]byte(frame(0xa55a000f, "a\nb")+"x\n"), 3)
	f.Fuzz(func(t *testing.T, in []byte, piece int) {
		if piece < 1 {
			return
		}
		for _, framed := range []bool{false, true} {
			var whole, pieces strings.Builder
			a := execenv.NewCutter(framed, func(s string) { whole.WriteString(s + "\x00|") })
			b := execenv.NewCutter(framed, func(s string) { pieces.WriteString(s + "\x00|") })
			a.Write(in)
			a.Flush()
			for rest := in; len(rest) > 0; {
				n := min(piece, len(rest))
				b.Write(rest[:n])
				rest = rest[n:]
			}
			b.Flush()
			if whole.String() != pieces.String() {
				t.Errorf("framed %v: whole %q, in pieces of %d %q", framed, whole.String(), piece, pieces.String())
			}
		}
	})
}

// Everything that a function printed before its answer is in the log before END, and the tail is its last 4 KB.
func TestFloodIsComplete(t *testing.T) {
	b := newBench(t)
	got := b.invoke(b.revision("flood"), "a", "1", true)
	check(t, "bytes of the log tail", len(got.LogTail), 4096)
	if !strings.Contains(string(got.LogTail), "yyy\nEND RequestId: a\nREPORT RequestId: a\t") {
		t.Errorf("got log tail %q", got.LogTail)
	}
	lines := 0
	for _, e := range b.log.all() {
		switch {
		case e.Type == telemetry.TypeFunction:
			lines++
		case e.Type == telemetry.TypeEnd && lines != 2000:
			t.Errorf("END came after %d lines, want 2000", lines)
		}
	}
}

// A function that never stops to print holds up neither its own answers nor the end of its invocations.
func TestEndlessOutput(t *testing.T) {
	b := newBench(t)
	rev := b.revision("endless")
	for range 5 {
		check(t, "payload", string(b.invoke(rev, "a", "1", true).Payload), "1")
	}
	check(t, "environments", b.driver.created(), 1)
}
