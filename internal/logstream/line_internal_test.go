package logstream

import (
	"encoding/json"
	"strings"
	"testing"
)

func FuzzAppendLine(f *testing.F) {
	for _, s := range []string{
		"", "plain\n", "tabs\tand \"quotes\" and \\", "\r\n", "<a href=\"?a&b\">", "grüße, 世界\n", "\u2028\u2029", "\xff\xfe", "\x00\x1f\x7f",
		"REPORT RequestId: 1\tDuration: 1.00 ms\tBilled Duration: 2 ms\t\n", strings.Repeat("long ", 10_000),
	} {
		f.Add(int64(1_700_000_000_000_000), s)
	}
	f.Add(int64(-1), "before 1970")
	f.Fuzz(func(t *testing.T, micros int64, message string) {
		l := line{micros, message}
		want, err := json.Marshal(l)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(appendLine([]byte("before"), l)); got != "before"+string(want)+"\n" {
			t.Errorf("got %q, want %q", got, "before"+string(want)+"\n")
		}
	})
}
