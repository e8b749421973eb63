package jsonstream_test

import (
	"errors"
	"fmt"
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
		"empty":              {"", "No content to map due to end-of-input", 1, 0},
		"blank":              {" \n ", "No content to map due to end-of-input", 1, 0},
		"open object":        {`{"a":1`, "Unexpected end-of-input: expected close marker for Object (start marker at " + at(1, 1) + ")", 1, 7},
		"open inner array":   {"{\n \"a\": [1", "Unexpected end-of-input: expected close marker for Array (start marker at " + at(2, 7) + ")", 2, 9},
		"open, no member":    {"{", "Unexpected end-of-input: expected close marker for Object (start marker at " + at(1, 1) + ")", 1, 2},
		"open after comma":   {"[1,", "Unexpected end-of-input within/between Array entries", 1, 4},
		"open after name":    {`{"a" `, "Unexpected end-of-input within/between Object entries", 1, 6},
		"open after colon":   {`{"a":`, "Unexpected end-of-input within/between Object entries", 1, 6},
		"open string":        {`{"a`, "Unexpected end-of-input: was expecting closing quote for a string value", 1, 4},
		"bare word":          {"hello", "Unrecognized token 'hello': was expecting " + values, 1, 6},
		"bare words":         {"hello you", "Unrecognized token 'hello': was expecting " + values, 1, 7},
		"bare letter":        {"[\xe9a]", "Unrecognized token 'éa': was expecting " + values, 1, 5},
		"cut null":           {"nul", "Unrecognized token 'nul': was expecting " + values, 1, 4},
		"NaN":                {"NaN", "Non-standard token 'NaN': enable `JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS` to allow", 1, 4},
		"no value":           {`{"a":}`, "Unexpected character ('}' (code 125)): expected a value", 1, 6},
		"no element":         {"[1,]", "Unexpected character (']' (code 93)): expected a value", 1, 4},
		"no value at all":    {"<", "Unexpected character ('<' (code 60)): expected a valid value " + values, 1, 1},
		"byte of no letter":  {"\x80", "Unexpected character ((CTRL-CHAR, code 128)): expected a valid value " + values, 1, 1},
		"other close mark":   {"[1}", "Unexpected close marker '}': expected ']' (for Array starting at " + at(1, 1) + ")", 1, 4},
		"no comma":           {"[1 2]", "Unexpected character ('2' (code 50)): was expecting comma to separate Array entries", 1, 4},
		"no colon":           {`{"a" 1}`, "Unexpected character ('1' (code 49)): was expecting a colon to separate field name and value", 1, 6},
		"single quotes":      {"{'a': 1}", "Unexpected character (''' (code 39)): was expecting double-quote to start field name", 1, 2},
		"comma at the end":   {"{\"a\": 1,\n}", "Unexpected character ('}' (code 125)): was expecting double-quote to start field name", 2, 1},
		"two values":         {"{} {}", "Unexpected character ('{' (code 123)): expected nothing after the value", 1, 4},
		"leading zero":       {"[01]", "Invalid numeric value: Leading zeroes not allowed", 1, 3},
		"minus alone":        {"[-]", "Unexpected character (']' (code 93)) in numeric value: expected digit (0-9) to follow minus sign, for valid numeric value", 1, 3},
		"point alone":        {"[1.]", "Unexpected character (']' (code 93)) in numeric value: Decimal point not followed by a digit", 1, 4},
		"exponent alone":     {"[1e+]", "Unexpected character (']' (code 93)) in numeric value: Exponent indicator not followed by a digit", 1, 5},
		"number with a tail": {"1x", "Unexpected character ('x' (code 120)): Expected space separating root-level values", 1, 2},
		"control":            {"\"a\tb\"", "Illegal unquoted character ((CTRL-CHAR, code 9)): has to be escaped using backslash to be included in string value", 1, 3},
		"escape":             {`"\x"`, "Unrecognized character escape 'x' (code 120)", 1, 3},
		"not UTF-8":          {"\"\xff\"", "Invalid UTF-8 start byte 0xff", 1, 3},
		"not UTF-8, later":   {`{"a": "é` + "\x9f\"}", "Invalid UTF-8 start byte 0x9f", 1, 11},
		"not UTF-8, middle":  {"\"a\xe2\x82b\"", "Invalid UTF-8 middle byte 0x62", 1, 6},
		"not UTF-8, quote":   {"\"\xc3\"", "Invalid UTF-8 middle byte 0x22", 1, 4},
		"not UTF-8, escape":  {"\"\xc3\\n\"", "Invalid UTF-8 middle byte 0x5c", 1, 4},
		"not UTF-8, a name":  {"{\"\xff\": 1}", "Invalid UTF-8 start byte 0xff", 1, 4},
		"deep":               {deep, "Document nesting depth (1001) exceeds the maximum allowed (1000, from `StreamReadConstraints.getMaxNestingDepth()`)", 0, 0},
	} {
		for form, options := range map[string]jsonstream.Options{"kept": {}, "skipped": {Filter: nothing{}}} {
			_, err := jsonstream.Decode(strings.NewReader(row.text), options)
			var got *jsonstream.SyntaxError
			if !errors.As(err, &got) {
				t.Errorf("%s, %s: err = %v", name, form, err)
				continue
			}
			if diff := cmp.Diff(&jsonstream.SyntaxError{Text: row.want, Line: row.line, Column: row.column}, got); diff != "" {
				t.Errorf("%s, %s: -want +got\n%s", name, form, diff)
			}
		}
	}
}

// nothing keeps nothing.
type nothing struct{}

func (nothing) Member(string) (jsonstream.Filter, jsonstream.Action) {
	return nothing{}, jsonstream.Skip
}
func (nothing) Element() (jsonstream.Filter, jsonstream.Action) { return nothing{}, jsonstream.Skip }

const values = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"

// at is how a text names a place.
func at(line, column int) string {
	return fmt.Sprintf("[Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: %d, column: %d]", line, column)
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
