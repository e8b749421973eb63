package jsonstream_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/api/jsonstream"
)

func TestDecodeKeepsOrderAndLastValue(t *testing.T) {
	v, err := jsonstream.Decode(strings.NewReader(` {"b": 1e2, "a": [true, null, "\u00e9\n"], "b": {"x\/": -0.5}} `), jsonstream.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(v.AppendJSON(nil)), `{"b":{"x/":-0.5},"a":[true,null,"é\u000a"]}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// only keeps the member x, and streams the member zip below it.
type only struct{}

func (only) Member(name string) (jsonstream.Filter, jsonstream.Action) {
	switch name {
	case "x":
		return only{}, jsonstream.Keep
	case "zip":
		return nil, jsonstream.Stream
	}
	return nil, jsonstream.Skip
}

func (only) Element() (jsonstream.Filter, jsonstream.Action) { return nil, jsonstream.Skip }

func TestDecodeFilters(t *testing.T) {
	const text = `{"y": {"x": 1, "zip": "no"}, "x": {"zip": "QUJ\u0044\/w==", "z": [1, {"x": 2}]}, "zip": 7}`
	for name, wrap := range map[string]func(io.Reader) io.Reader{
		"whole": func(r io.Reader) io.Reader { return r }, "bytes": iotest.OneByteReader, "data and end": iotest.DataErrReader,
	} {
		var streamed []string
		v, err := jsonstream.Decode(wrap(strings.NewReader(text)), jsonstream.Options{Filter: only{}, Stream: func(r io.Reader) error {
			b, err := io.ReadAll(r)
			streamed = append(streamed, string(b))
			return err
		}})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		want := jsonstream.Value{Kind: jsonstream.Object, Fields: []jsonstream.Field{
			{Name: "x", Value: jsonstream.Value{Kind: jsonstream.Object, Fields: []jsonstream.Field{{Name: "zip", Value: jsonstream.Value{Kind: jsonstream.Streamed}}}}},
			{Name: "zip", Value: jsonstream.Value{Kind: jsonstream.Number, Text: "7"}},
		}}
		if diff := cmp.Diff(want, v); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
		if diff := cmp.Diff([]string{"QUJD/w=="}, streamed); diff != "" {
			t.Errorf("%s: streamed: -want +got\n%s", name, diff)
		}
	}
}

func TestDecodeReadsPastWhatTheStreamLeaves(t *testing.T) {
	text := `{"zip": "` + strings.Repeat("a\\u0062", 100_000) + `", "x": 1}`
	v, err := jsonstream.Decode(strings.NewReader(text), jsonstream.Options{Filter: only{}, Stream: func(r io.Reader) error {
		_, err := r.Read(make([]byte, 3))
		return err
	}})
	if err != nil {
		t.Fatal(err)
	}
	if x := v.Get("x"); x == nil || x.Text != "1" {
		t.Errorf("the member after the stream is %+v", x)
	}
}

func TestDecodeErrors(t *testing.T) {
	deep := strings.Repeat("[", jsonstream.MaxDepth+1)
	for name, row := range map[string]struct {
		text, want   string
		line, column int
	}{
		"empty":            {"", "Unexpected end-of-input: no content to map", 1, 1},
		"blank":            {" \n ", "Unexpected end-of-input: no content to map", 2, 2},
		"open object":      {`{"a":1`, "Unexpected end-of-input: expected close marker for Object", 1, 7},
		"open string":      {`{"a`, "Unexpected end-of-input: was expecting closing quote for a string value", 1, 4},
		"bare word":        {"hello", "Unrecognized token 'hello': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')", 1, 6},
		"single quotes":    {"{'a': 1}", "Unexpected character (''' (code 39)): was expecting double-quote to start field name", 1, 2},
		"comma at the end": {"{\"a\": 1,\n}", "Unexpected character ('}' (code 125)): was expecting double-quote to start field name", 2, 1},
		"two values":       {"{} {}", "Unexpected character ('{' (code 123)): expected nothing after the value", 1, 4},
		"leading zero":     {"[01]", "Invalid numeric value 01", 1, 4},
		"control":          {"\"a\tb\"", "Illegal unquoted character ((CTRL-CHAR, code 9)): has to be escaped using backslash to be included in string value", 1, 3},
		"escape":           {`"\x"`, "Unrecognized character escape 'x' (code 120)", 1, 4},
		"not UTF-8":        {"\"\xff\"", "Invalid UTF-8 byte in a string", 1, 4},
		"deep":             {deep, "Document nesting depth (1001) exceeds the maximum allowed (1000)", 1, 1001},
	} {
		_, err := jsonstream.Decode(strings.NewReader(row.text), jsonstream.Options{})
		var got *jsonstream.SyntaxError
		if !errors.As(err, &got) {
			t.Errorf("%s: err = %v", name, err)
			continue
		}
		if diff := cmp.Diff(&jsonstream.SyntaxError{Text: row.want, Line: row.line, Column: row.column}, got); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
	}
}

func TestDecodeGivesBackErrorsOfOthers(t *testing.T) {
	broken := errors.New("broken")
	for _, text := range []string{"", "{", `{"a`, `{"a"`, `{"a":`, `{"a":1`, `{"a":tru`, `{"zip":"QU`, `{"a":"\u00`, "{} "} {
		source := io.MultiReader(strings.NewReader(text), iotest.ErrReader(broken))
		_, err := jsonstream.Decode(source, jsonstream.Options{Filter: only{}, Stream: func(r io.Reader) error {
			_, err := io.Copy(io.Discard, r)
			return err
		}})
		if !errors.Is(err, broken) {
			t.Errorf("after %q the source's error became %v", text, err)
		}
	}
	_, err := jsonstream.Decode(strings.NewReader(`{"zip":"QUJD"}`), jsonstream.Options{Filter: only{}, Stream: func(io.Reader) error { return broken }})
	if !errors.Is(err, broken) {
		t.Errorf("the stream function's error became %v", err)
	}
}

func TestDecodeLimitsWhatIsKept(t *testing.T) {
	long := strings.Repeat("x", 2000)
	for text, fits := range map[string]bool{
		`{"x": {"other": "` + long + `"}, "zip": "` + long + `"}`: true,
		`{"zip": 7, "x": "` + long + `"}`:                         false,
	} {
		_, err := jsonstream.Decode(strings.NewReader(text), jsonstream.Options{Filter: only{}, MaxKept: 1000, Stream: func(io.Reader) error { return nil }})
		var size *jsonstream.SizeError
		if errors.As(err, &size) == fits {
			t.Errorf("%.20s…: err = %v", text, err)
		}
	}
}
