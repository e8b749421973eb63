package initproto_test

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/sandbox/initproto"
)

// body is a message's body with its way back.
type body struct {
	name   string
	value  any
	append func([]byte) []byte
	parse  func([]byte) (any, error)
}

func of[T interface{ Append([]byte) []byte }](name string, value T, parse func([]byte) (T, error)) body {
	return body{name, value, value.Append, func(b []byte) (any, error) { return parse(b) }}
}

func bodies() []body {
	return []body{
		of("reply", initproto.Reply{PID: 7, Count: math.MaxUint64}, initproto.ParseReply),
		of("failure", initproto.Reply{Failure: initproto.Failure{Op: "fork/exec", Path: "/x", Errno: 13, Text: "t"}}, initproto.ParseReply),
		of("exit", initproto.Exit{PID: 2, Code: 255, Signal: 9, Nanos: 1 << 62}, initproto.ParseExit),
		of("cloned", initproto.Cloned{PID: 1 << 22, Errno: 1}, initproto.ParseCloned),
		of("mounts", initproto.Mounts{
			{Kind: initproto.MountOverlay, Target: "/opt", Descriptors: 5, Data: []byte{}},
			{Kind: initproto.MountBind, Target: "/usr", Paths: []string{"/usr", ""}, Data: []byte{}, Optional: true},
			{Kind: initproto.MountFile, Target: "/f", Data: bytes.Repeat([]byte{0, 0xff}, 1000)},
		}, initproto.ParseMounts),
		of("no mounts", initproto.Mounts{}, initproto.ParseMounts),
		of("setup", initproto.Setup{Hostname: "h", TmpSize: 1 << 40, Processes: 1024, LocalAddrs: []string{"169.254.100.1"}}, initproto.ParseSetup),
		of("open setup", initproto.Setup{Freezers: 1, Folders: []string{"/opt/lib"}, Open: true,
			Processors: initproto.Processors{Count: 2, First: 300}}, initproto.ParseSetup),
		of("finish", initproto.Finish{TmpSize: 1 << 33, Processors: initproto.Processors{Count: 6}}, initproto.ParseFinish),
		of("address", initproto.Address("127.0.0.1:80"), initproto.ParseAddress),
		of("spawn", initproto.Spawn{Path: "/p", Args: []string{"a", "b"}, Env: []string{"A=1"}, Dir: "/", Stderr: true, Extra: 3}, initproto.ParseSpawn),
		of("empty spawn", initproto.Spawn{}, initproto.ParseSpawn),
		of("outside", initproto.Outside{Open: []string{"0.0.0.0/0"}, Closed: []string{"10.0.0.0/8", "x"}}, initproto.ParseOutside),
		of("flow", initproto.Flow{Local: "192.0.2.1:53", Peer: "169.254.100.5:4000"}, initproto.ParseFlow),
		of("signal", initproto.Signal{PID: 5, Signal: 15}, initproto.ParseSignal),
	}
}

func TestThereAndBack(t *testing.T) {
	for _, b := range bodies() {
		t.Run(b.name, func(t *testing.T) {
			packet := initproto.Message{Verb: initproto.VerbSpawn, Seq: 300, Body: b.append(nil)}.Append(nil)
			m, err := initproto.ParseMessage(packet)
			if err != nil || m.Verb != initproto.VerbSpawn || m.Seq != 300 {
				t.Fatalf("message: %+v, %v", m, err)
			}
			got, err := b.parse(m.Body)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(got, b.value); diff != "" {
				t.Errorf("-got +want\n%s", diff)
			}
		})
	}
}

func TestCutAndPadded(t *testing.T) {
	for _, b := range bodies() {
		whole := b.append(nil)
		for n := range whole {
			if _, err := b.parse(whole[:n]); !errors.Is(err, initproto.ErrMessage) {
				t.Errorf("%s cut to %d of %d bytes: %v", b.name, n, len(whole), err)
			}
		}
		if _, err := b.parse(append(whole, 0)); !errors.Is(err, initproto.ErrMessage) {
			t.Errorf("%s with a byte more: %v", b.name, err)
		}
	}
}

func TestHostileLengths(t *testing.T) {
	for _, s := range []string{
		"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",     // the largest number: a list longer than the message
		"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02",     // one that does not fit
		"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", // too many bytes
		strings.Repeat("\x80", 100),
	} {
		for _, b := range bodies() {
			if b.name == "finish" && strings.HasSuffix(s, "\xff\x01") {
				continue // there the number is no length
			}
			if _, err := b.parse([]byte(s)); !errors.Is(err, initproto.ErrMessage) {
				t.Errorf("%s of %x: %v", b.name, s, err)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, b := range bodies() {
		f.Add(b.append(nil))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		initproto.ParseMessage(data)
		for _, b := range bodies() {
			b.parse(data)
		}
	})
}
