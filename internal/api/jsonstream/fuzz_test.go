package jsonstream_test

import (
	"bytes"
	"encoding/json"
	"io"
	"reflect"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/laminadev/lamina/internal/api/jsonstream"
)

// zipMember streams the member ZipFile of an object and keeps the others.
type zipMember struct{}

func (zipMember) Member(name string) (jsonstream.Filter, jsonstream.Action) {
	if name == "ZipFile" {
		return nil, jsonstream.Stream
	}
	return nil, jsonstream.Keep
}

func (zipMember) Element() (jsonstream.Filter, jsonstream.Action) { return nil, jsonstream.Keep }

// FuzzJSONStream compares with encoding/json: the same texts are accepted, and they mean the same.
func FuzzJSONStream(f *testing.F) {
	for _, s := range []string{`{"ZipFile":"QUJD","a":[1,2.5e3,{"b":null}]}`, `{"ZipFile":"QQ\u003d=","ZipFile":"QUI="}`, `{"ZipFile":null}`,
		`{"ZipFile":{"a":1}}`, `"\ud83d\ude00\ud83d\u0041\\"`, "[1,\n-0,true,false]", `{"":{"":""}}`, "nul", "1e", "\"\xff\"", `{"a":1,"a":[2]}`,
		`{"ZipFile":"Q\nQ==\/"}`, `{"a":"\ud800\"x\ud800"}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if tooDeep(text) {
			t.Skip("nested deeper than we accept")
		}
		for name, wrap := range map[string]func(io.Reader) io.Reader{
			"whole": func(r io.Reader) io.Reader { return r }, "bytes": iotest.OneByteReader,
		} {
			got, zip, err := decodeZip(wrap(bytes.NewReader(text)))
			want, wantZip, wantErr := decodeReference(text)
			switch {
			case (err == nil) != (wantErr == nil):
				t.Fatalf("%s: %q: got %v, want %v", name, text, err, wantErr)
			case err == nil && !reflect.DeepEqual(got, want):
				t.Fatalf("%s: %q: got %#v, want %#v", name, text, got, want)
			case err == nil && !bytes.Equal(zip, wantZip):
				t.Fatalf("%s: %q: the zip is %q, want %q", name, text, zip, wantZip)
			}
		}
	})
}

func decodeZip(r io.Reader) (v any, zip []byte, err error) {
	tree, err := jsonstream.Decode(r, jsonstream.Options{Filter: zipMember{}, Stream: func(r io.Reader) error {
		zip, err = io.ReadAll(jsonstream.Base64(r))
		return err
	}})
	if err != nil {
		return nil, nil, err
	}
	return plain(&tree), zip, nil
}

// decodeReference does with encoding/json what decodeZip does.
func decodeReference(text []byte) (v any, zip []byte, err error) {
	if !utf8.Valid(text) {
		return nil, nil, io.ErrUnexpectedEOF
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return nil, nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, nil, io.ErrUnexpectedEOF
	}
	if err := badNumber(v); err != nil {
		return nil, nil, err
	}
	zip, err = everyZip(text)
	if err != nil {
		return nil, nil, err
	}
	if m, ok := v.(map[string]any); ok {
		if _, ok := m["ZipFile"].(string); ok {
			m["ZipFile"] = streamed{}
		}
	}
	return v, zip, nil
}

type streamed struct{}

// everyZip decodes each string called ZipFile of the outermost object; all must be base64, and the last one counts.
func everyZip(text []byte) (zip []byte, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, nil
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return nil, err
		}
		if name == "ZipFile" && raw[0] == '"' {
			zip = nil
			if err := json.Unmarshal(raw, &zip); err != nil {
				return nil, err
			}
		}
	}
	return zip, nil
}

// badNumber refuses the long numbers that we refuse.
func badNumber(v any) error {
	switch v := v.(type) {
	case json.Number:
		if len(v) > 1000 {
			return io.ErrShortBuffer
		}
	case []any:
		for _, x := range v {
			if err := badNumber(x); err != nil {
				return err
			}
		}
	case map[string]any:
		for _, x := range v {
			if err := badNumber(x); err != nil {
				return err
			}
		}
	}
	return nil
}

// tooDeep reports whether a text may be nested beyond our limit.
func tooDeep(text []byte) bool {
	return bytes.Count(text, []byte("["))+bytes.Count(text, []byte("{")) > jsonstream.MaxDepth
}

// plain makes a tree what encoding/json makes.
func plain(v *jsonstream.Value) any {
	switch v.Kind {
	case jsonstream.Bool:
		return v.Bool
	case jsonstream.Number:
		return json.Number(v.Text)
	case jsonstream.String:
		return v.Text
	case jsonstream.Streamed:
		return streamed{}
	case jsonstream.Array:
		list := []any{}
		for i := range v.Items {
			list = append(list, plain(&v.Items[i]))
		}
		return list
	case jsonstream.Object:
		m := map[string]any{}
		for i := range v.Fields {
			m[v.Fields[i].Name] = plain(&v.Fields[i].Value)
		}
		return m
	}
	return nil
}
