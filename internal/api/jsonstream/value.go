// Package jsonstream reads one JSON text as a stream.
//
// A request may carry 70 MB of base64 in one member and a kilobyte in the others. Decode keeps the values that a Filter asks
// for as a small tree, in the order in which they were sent, skips what nobody asked for, and hands a member that is to be
// streamed to a function as an io.Reader while the text arrives, so memory does not grow with the request.
//
// It accepts what encoding/json accepts, with three differences: bytes that are not UTF-8 are refused and not replaced, nesting
// is limited to MaxDepth, and the texts of its errors are worded as AWS's parser words them.
package jsonstream

import (
	"fmt"
	"strconv"
)

// Kind is the sort of a JSON value.
type Kind uint8

// The kinds. The zero Value is Null.
const (
	Null Kind = iota
	Bool
	Number
	String
	Array
	Object
	Streamed // a string that went to the stream function
)

var tokens = [...]string{"NULL_VALUE", "BOOLEAN_VALUE", "NUMBER_VALUE", "STRING_VALUE", "START_ARRAY", "START_OBJECT", "STRING_VALUE"}

// String names the token that begins such a value, in the words of AWS's messages.
func (k Kind) String() string { return tokens[k] }

// Value is a JSON value that was kept.
type Value struct {
	Kind   Kind
	Bool   bool
	Text   string // of a String its characters, of a Number its digits as they were sent
	Items  []Value
	Fields []Field // in the order sent; a name that comes twice has its last value, at its first place
}

// Field is one member of an object.
type Field struct {
	Name  string
	Value Value
}

// Get gives a member of an object, nil when it has none of that name.
func (v *Value) Get(name string) *Value {
	for i := range v.Fields {
		if v.Fields[i].Name == name {
			return &v.Fields[i].Value
		}
	}
	return nil
}

// Set puts a member in, in place of an earlier one of that name.
func (v *Value) Set(name string, x Value) {
	if old := v.Get(name); old != nil {
		*old = x
		return
	}
	v.Fields = append(v.Fields, Field{name, x})
}

// Action says what becomes of a value.
type Action uint8

// The actions.
const (
	Skip   Action = iota // read past it
	Keep                 // put it into the tree
	Stream               // hand it to the stream function when it is a string, else keep it
)

// Filter chooses what is kept below a value. A nil Filter keeps everything.
type Filter interface {
	// Member says what becomes of a member of an object, and gives the filter for what is below it.
	Member(name string) (Filter, Action)
	// Element says the same of the elements of an array.
	Element() (Filter, Action)
}

// SyntaxError says where a text stops being JSON, and why.
type SyntaxError struct {
	Text         string
	Line, Column int // from 1; Line is 0 in an error that names no place
}

func (e *SyntaxError) Error() string {
	if e.Line == 0 {
		return e.Text
	}
	return fmt.Sprintf("%s (line %d, column %d)", e.Text, e.Line, e.Column)
}

// Place names the place as AWS's parser does, which does not show the text.
func (e *SyntaxError) Place() string { return place(e.Line, e.Column) }

func place(line, column int) string {
	return fmt.Sprintf("[Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: %d, column: %d]", line, column)
}

// SizeError says that more would have to be kept than Options.MaxKept.
type SizeError struct{ Limit int64 }

func (e *SizeError) Error() string { return fmt.Sprintf("more than %d bytes of JSON to keep", e.Limit) }

// AppendJSON appends the value as compact JSON. Characters are escaped only where JSON demands it.
func (v *Value) AppendJSON(b []byte) []byte {
	switch v.Kind {
	case Null:
		return append(b, "null"...)
	case Bool:
		return strconv.AppendBool(b, v.Bool)
	case Number:
		return append(b, v.Text...)
	case Array:
		b = append(b, '[')
		for i := range v.Items {
			if i > 0 {
				b = append(b, ',')
			}
			b = v.Items[i].AppendJSON(b)
		}
		return append(b, ']')
	case Object:
		b = append(b, '{')
		for i := range v.Fields {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendString(b, v.Fields[i].Name), ':')
			b = v.Fields[i].Value.AppendJSON(b)
		}
		return append(b, '}')
	}
	return appendString(b, v.Text)
}

func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ':
			b = fmt.Appendf(b, `\u%04x`, c)
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}
