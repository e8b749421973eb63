package jsonstream

import (
	"fmt"
	"io"
)

// MaxDepth is how deeply arrays and objects may be nested.
const MaxDepth = 1000

// Options says how to read a text.
type Options struct {
	Filter Filter
	// Stream gets the decoded characters of a string whose Action is Stream. What it leaves unread is skipped. Its error
	// ends the reading and is given back as it is.
	Stream func(r io.Reader) error
	// MaxKept limits the bytes of the names and values that are kept; 0 means no limit.
	MaxKept int64
}

// Decode reads the one JSON text that src holds. Errors are *SyntaxError, *SizeError, those of src, and those of
// Options.Stream.
func Decode(src io.Reader, o Options) (Value, error) {
	d := &decoder{reader: newReader(src), Options: o}
	if _, ok := d.space(); !ok {
		if d.err != io.EOF {
			return Value{}, d.err
		}
		return Value{}, &SyntaxError{Text: "No content to map due to end-of-input", Line: 1}
	}
	v, err := d.value(inRoot, o.Filter, Keep, 0)
	if err != nil {
		return Value{}, err
	}
	if c, ok := d.space(); ok {
		return Value{}, d.unexpected(c, "expected nothing after the value")
	}
	if d.err != io.EOF {
		return Value{}, d.err
	}
	return v, nil
}

type decoder struct {
	*reader
	Options
	kept    int64
	scratch []byte
	cut     []byte // the beginning of a character, at the end of what has been read of a string
}

// What a value is in, as errors name it.
const (
	inRoot   = "root"
	inObject = "Object"
	inArray  = "Array"
)

// value reads the value that begins at the next byte.
func (d *decoder) value(in string, f Filter, a Action, depth int) (Value, error) {
	c, ok := d.space()
	switch {
	case !ok:
		return Value{}, d.ended(" within/between " + in + " entries")
	case c == '{':
		return d.object(f, a, depth+1)
	case c == '[':
		return d.array(f, a, depth+1)
	case c == '"' && a == Stream:
		return d.stream()
	case c == '"':
		s, err := d.string(a)
		return Value{Kind: String, Text: s}, err
	case c == '-' || '0' <= c && c <= '9':
		return d.number(in, a)
	}
	return d.word(in)
}

// start is where an object or array begins.
func (d *decoder) start() string { return place(d.line, d.column(d.offset())) }

func (d *decoder) object(f Filter, a Action, depth int) (Value, error) {
	v := Value{Kind: Object}
	if depth > MaxDepth {
		return v, d.tooDeep(depth)
	}
	start := d.start()
	d.pos++
	index := fieldIndex{}
	for {
		c, ok := d.space()
		switch {
		case !ok && index.any:
			return v, d.ended(" within/between Object entries")
		case !ok:
			return v, d.ended(": expected close marker for Object (start marker at " + start + ")")
		case c == '}' && !index.any:
			d.pos++
			return v, nil
		case c == ']' && !index.any:
			return v, d.closed(c, '}', inObject, start)
		case c != '"':
			return v, d.unexpected(c, "was expecting double-quote to start field name")
		}
		if err := d.member(&v, &index, f, a, depth); err != nil {
			return v, err
		}
		if closed, err := d.separator('}', inObject, start); closed || err != nil {
			return v, err
		}
	}
}

// fieldIndex finds a repeated name; objects are small, so it becomes a map only when one is not.
type fieldIndex struct {
	any  bool
	seen map[string]int
}

const smallObject = 16

func (x *fieldIndex) put(v *Value, name string, val Value) {
	if len(v.Fields) < smallObject {
		v.Set(name, val)
		return
	}
	if x.seen == nil {
		x.seen = make(map[string]int, 2*smallObject)
		for i := range v.Fields {
			x.seen[v.Fields[i].Name] = i
		}
	}
	if i, ok := x.seen[name]; ok {
		v.Fields[i].Value = val
		return
	}
	x.seen[name] = len(v.Fields)
	v.Fields = append(v.Fields, Field{name, val})
}

// member reads a name, a colon and a value.
func (d *decoder) member(v *Value, index *fieldIndex, f Filter, a Action, depth int) error {
	index.any = true
	name, err := d.string(a)
	if err != nil {
		return err
	}
	c, ok := d.space()
	if !ok {
		return d.ended(" within/between Object entries")
	}
	if c != ':' {
		return d.unexpected(c, "was expecting a colon to separate field name and value")
	}
	d.pos++
	var below Filter
	if a != Skip && f != nil {
		below, a = f.Member(name)
	}
	val, err := d.value(inObject, below, a, depth)
	if err == nil && a != Skip {
		index.put(v, name, val)
	}
	return err
}

func (d *decoder) array(f Filter, a Action, depth int) (Value, error) {
	v := Value{Kind: Array}
	if depth > MaxDepth {
		return v, d.tooDeep(depth)
	}
	start := d.start()
	d.pos++
	if a != Skip {
		v.Items = []Value{}
		if f != nil {
			f, a = f.Element()
		}
	}
	switch c, ok := d.space(); {
	case !ok:
		return v, d.ended(": expected close marker for Array (start marker at " + start + ")")
	case c == ']':
		d.pos++
		return v, nil
	case c == '}':
		return v, d.closed(c, ']', inArray, start)
	}
	for {
		val, err := d.value(inArray, f, a, depth)
		if err != nil {
			return v, err
		}
		if a != Skip {
			if err := d.keep(1); err != nil {
				return v, err
			}
			v.Items = append(v.Items, val)
		}
		if closed, err := d.separator(']', inArray, start); closed || err != nil {
			return v, err
		}
	}
}

// separator takes a comma, or the closing mark and says so. A comma must not be followed by the closing mark.
func (d *decoder) separator(closing byte, of, start string) (closed bool, err error) {
	c, ok := d.space()
	switch {
	case !ok:
		return false, d.ended(": expected close marker for " + of + " (start marker at " + start + ")")
	case c == closing:
		d.pos++
		return true, nil
	case c == '}' || c == ']':
		return false, d.closed(c, closing, of, start)
	case c != ',':
		return false, d.unexpected(c, "was expecting comma to separate "+of+" entries")
	}
	d.pos++
	return false, nil
}

// closed gives the error for the closing mark of the other kind.
func (d *decoder) closed(c, wanted byte, of, start string) error {
	d.pos++
	return d.syntax("Unexpected close marker '%c': expected '%c' (for %s starting at %s)", c, wanted, of, start)
}

// tooDeep is an error in which AWS's parser names no place.
func (d *decoder) tooDeep(depth int) error {
	const text = "Document nesting depth (%d) exceeds the maximum allowed (%d, from `StreamReadConstraints.getMaxNestingDepth()`)"
	return &SyntaxError{Text: fmt.Sprintf(text, depth, MaxDepth)}
}

// keep counts bytes that go into the tree.
func (d *decoder) keep(n int) error {
	d.kept += int64(n)
	if d.MaxKept > 0 && d.kept > d.MaxKept {
		return &SizeError{d.MaxKept}
	}
	return nil
}
