package jsonstream

import (
	"io"
	"strings"
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
		return Value{}, d.ended(": no content to map")
	}
	v, err := d.value(o.Filter, Keep, 0)
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
}

// value reads the value that begins at the next byte.
func (d *decoder) value(f Filter, a Action, depth int) (Value, error) {
	c, ok := d.space()
	switch {
	case !ok:
		return Value{}, d.ended("")
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
		return d.number(a)
	}
	return d.word()
}

func (d *decoder) object(f Filter, a Action, depth int) (Value, error) {
	v := Value{Kind: Object}
	if depth > MaxDepth {
		return v, d.tooDeep(depth)
	}
	d.pos++
	index := fieldIndex{}
	for {
		c, ok := d.space()
		switch {
		case !ok:
			return v, d.ended(": expected close marker for Object")
		case c == '}' && !index.any:
			d.pos++
			return v, nil
		case c != '"':
			return v, d.unexpected(c, "was expecting double-quote to start field name")
		}
		if err := d.member(&v, &index, f, a, depth); err != nil {
			return v, err
		}
		if closed, err := d.separator('}', "Object"); closed || err != nil {
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
		return d.ended("")
	}
	if c != ':' {
		return d.unexpected(c, "was expecting a colon to separate field name and value")
	}
	d.pos++
	var below Filter
	if a != Skip && f != nil {
		below, a = f.Member(name)
	}
	val, err := d.value(below, a, depth)
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
	d.pos++
	if a != Skip {
		v.Items = []Value{}
		if f != nil {
			f, a = f.Element()
		}
	}
	if c, ok := d.space(); ok && c == ']' {
		d.pos++
		return v, nil
	}
	for {
		val, err := d.value(f, a, depth)
		if err != nil {
			return v, err
		}
		if a != Skip {
			if err := d.keep(1); err != nil {
				return v, err
			}
			v.Items = append(v.Items, val)
		}
		if closed, err := d.separator(']', "Array"); closed || err != nil {
			return v, err
		}
	}
}

// separator takes a comma, or the closing mark and says so. A comma must not be followed by the closing mark.
func (d *decoder) separator(closing byte, of string) (closed bool, err error) {
	c, ok := d.space()
	switch {
	case !ok:
		return false, d.ended(": expected close marker for " + of)
	case c == closing:
		d.pos++
		return true, nil
	case c != ',':
		return false, d.unexpected(c, "was expecting comma to separate "+of+" entries")
	}
	d.pos++
	return false, nil
}

func (d *decoder) tooDeep(depth int) error {
	return d.syntax("Document nesting depth (%d) exceeds the maximum allowed (%d)", depth, MaxDepth)
}

// keep counts bytes that go into the tree.
func (d *decoder) keep(n int) error {
	d.kept += int64(n)
	if d.MaxKept > 0 && d.kept > d.MaxKept {
		return &SizeError{d.MaxKept}
	}
	return nil
}

// word reads true, false or null.
func (d *decoder) word() (Value, error) {
	var b strings.Builder
	for b.Len() < 64 {
		c, ok := d.peek()
		if !ok || !wordByte(c) {
			break
		}
		b.WriteByte(c)
		d.pos++
	}
	switch b.String() {
	case "true":
		return Value{Kind: Bool, Bool: true}, nil
	case "false":
		return Value{Kind: Bool}, nil
	case "null":
		return Value{}, nil
	case "":
		c, _ := d.peek()
		return Value{}, d.unexpected(c, "expected a valid value (JSON String, Number, Array, Object or token 'null', 'true' or 'false')")
	}
	if err := d.sourceError(); err != nil {
		return Value{}, err
	}
	return Value{}, d.syntax("Unrecognized token '%s': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')", b.String())
}

// sourceError gives an error of the source that cut a token short.
func (d *decoder) sourceError() error {
	if !d.fill() && d.err != io.EOF {
		return d.err
	}
	return nil
}

func wordByte(c byte) bool {
	return c == '_' || c == '$' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// number reads a number and checks it against JSON's grammar.
func (d *decoder) number(a Action) (Value, error) {
	d.scratch = d.scratch[:0]
	for {
		c, ok := d.peek()
		if !ok || !numberByte(c) {
			break
		}
		d.scratch = append(d.scratch, c)
		d.pos++
		if len(d.scratch) > maxNumber {
			return Value{}, d.syntax("Number value length (%d) exceeds the maximum allowed (%d)", len(d.scratch), maxNumber)
		}
	}
	if err := d.sourceError(); err != nil {
		return Value{}, err
	}
	text := string(d.scratch)
	if !validNumber(text) {
		return Value{}, d.syntax("Invalid numeric value %s", text)
	}
	if c, ok := d.peek(); ok && wordByte(c) {
		return Value{}, d.unexpected(c, "Expected space separating root-level values")
	}
	if a == Skip {
		return Value{Kind: Number}, nil
	}
	return Value{Kind: Number, Text: text}, d.keep(len(text))
}

// maxNumber is how many characters a number may have.
const maxNumber = 1000

func numberByte(c byte) bool {
	return '0' <= c && c <= '9' || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E'
}

func validNumber(s string) bool {
	s = strings.TrimPrefix(s, "-")
	s, ok := digits(s)
	if !ok {
		return false
	}
	if rest, found := strings.CutPrefix(s, "."); found {
		if s, ok = skipDigits(rest); !ok {
			return false
		}
	}
	if s == "" {
		return true
	}
	if s[0] != 'e' && s[0] != 'E' {
		return false
	}
	s = s[1:]
	if s != "" && (s[0] == '+' || s[0] == '-') {
		s = s[1:]
	}
	s, ok = skipDigits(s)
	return ok && s == ""
}

// digits takes an integer without a leading zero.
func digits(s string) (rest string, ok bool) {
	if rest, found := strings.CutPrefix(s, "0"); found {
		return rest, true
	}
	return skipDigits(s)
}

func skipDigits(s string) (rest string, ok bool) {
	rest = strings.TrimLeft(s, "0123456789")
	return rest, len(rest) < len(s)
}
