package jsonstream_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/laminadev/lamina/internal/api/jsonstream"
)

// nested gives a text of a depth: what opens and closes each level, around what is innermost.
func nested(depth int, open, inside, closing string) string {
	return strings.Repeat(open, depth) + inside + strings.Repeat(closing, depth)
}

func TestTooDeep(t *testing.T) {
	const most = jsonstream.MaxDepth
	brackets := strings.Repeat("[{", 2*most)
	for name, row := range map[string]struct {
		text string
		want bool
	}{
		"small":                           {`{"a":[1]}`, false},
		"lists at the limit":              {nested(most, "[", "1", "]"), false},
		"lists beyond":                    {nested(most+1, "[", "1", "]"), true},
		"objects at the limit":            {nested(most, `{"a":`, "1", "}"), false},
		"objects beyond":                  {nested(most+1, `{"a":`, "1", "}"), true},
		"both beyond":                     {nested(most/2, `[{"a":`, "[]", "}]"), true},
		"as deep as encoding/json allows": {nested(9999, "[", "", "]"), true},
		"many beside another":             {"[" + strings.Repeat("[[]],", 5*most) + "0]", false},
		"deep behind many":                {"[" + strings.Repeat("[[]],", 5*most) + nested(most, "[", "", "]") + "]", true},
		"in a string":                     {`["` + brackets + `",{"` + brackets + `":"\"` + brackets + `"}]`, false},
		"behind strings":                  {`["\\",` + nested(most, "[", `"]]]]\\\"]]"`, "]") + "]", true},
	} {
		if !json.Valid([]byte(row.text)) {
			t.Errorf("%s is no JSON", name)
		}
		if got := jsonstream.TooDeep([]byte(row.text)); got != row.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// FuzzTooDeep: of what encoding/json takes for JSON, TooDeep refuses just what Decode refuses for its depth. The text is put into so
// many lists that the limit is near.
func FuzzTooDeep(f *testing.F) {
	for _, text := range []string{`1`, `[]`, `{"a":[{"b":"\\\"[["}]}`, `[[[[]]],[[[]]]]`, `"[[[\""`, "[\"\u2028]\"]"} {
		for _, around := range []uint16{0, 1, 995, 998, 999, 1000, 2000} {
			f.Add(text, around, text)
		}
	}
	f.Fuzz(func(t *testing.T, text string, around uint16, before string) {
		whole := []byte("[" + before + "," + nested(int(around), "[", text, "]") + "]")
		if !json.Valid(whole) || !utf8.Valid(whole) {
			return
		}
		_, err := jsonstream.Decode(bytes.NewReader(whole), jsonstream.Options{Filter: nothing{}})
		var syntax *jsonstream.SyntaxError
		deep := errors.As(err, &syntax) && strings.HasPrefix(syntax.Text, "Document nesting depth")
		if got := jsonstream.TooDeep(whole); got != deep {
			t.Errorf("TooDeep is %v, and Decode says %v", got, err)
		}
	})
}

func BenchmarkTooDeep(b *testing.B) {
	for name, text := range map[string]string{
		"small":   `{"a":[1]}`,
		"records": `{"Records":[` + strings.TrimSuffix(strings.Repeat(`{"messageId":"19dd0b57","body":"some text of a message","attributes":{"n":"1"}},`, 10000), ",") + "]}",
	} {
		payload := []byte(text)
		b.Run(fmt.Sprintf("%s/%d", name, len(text)), func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				jsonstream.TooDeep(payload)
			}
		})
		b.Run(fmt.Sprintf("%s, json.Valid/%d", name, len(text)), func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				json.Valid(payload)
			}
		})
	}
}
