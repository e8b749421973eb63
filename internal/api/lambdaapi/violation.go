package lambdaapi

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/laminadev/lamina/internal/api/jsonstream"
	"github.com/laminadev/lamina/internal/lambda"
)

const mustNotBeNull = "Member must not be null"

// validate checks an input against its shape. All violations are in one error, in the order of the model's members.
func validate(s *shape, v *jsonstream.Value) error {
	c := checker{}
	c.structure(s, v, "")
	if len(c) == 0 {
		return nil
	}
	return violationError(c)
}

func violationError(items []string) error {
	noun := "errors"
	if len(items) == 1 {
		noun = "error"
	}
	return &lambda.Error{Kind: lambda.Constraint,
		Message: fmt.Sprintf("%d validation %s detected: %s", len(items), noun, strings.Join(items, "; "))}
}

// checker collects violations.
type checker []string

// add notes that the value of a member breaks a constraint.
func (c *checker) add(s *shape, v *jsonstream.Value, path, constraint string) {
	var b strings.Builder
	b.WriteString("Value ")
	switch {
	case v.Kind == jsonstream.Null:
		b.WriteString("null ")
	case !secret(s):
		b.WriteByte('\'')
		printValue(&b, s, v)
		b.WriteString("' ")
	}
	b.WriteString("at '")
	b.WriteString(path)
	b.WriteString("' failed to satisfy constraint: ")
	b.WriteString(constraint)
	*c = append(*c, b.String())
}

// secret reports whether a value must not be repeated to the caller.
func secret(s *shape) bool {
	return s.sensitive || s.key != nil && s.key.sensitive || s.element != nil && s.element.sensitive
}

var null = jsonstream.Value{}

func (c *checker) structure(s *shape, v *jsonstream.Value, path string) {
	for i := range s.members {
		m := &s.members[i]
		x := v.Get(m.name)
		if x == nil {
			x = &null
		}
		switch {
		case x.Kind != jsonstream.Null:
			c.value(m.shape, x, join(path, m.name))
		case m.required && m.in != inPayload:
			c.add(m.shape, x, join(path, m.name), mustNotBeNull)
		}
	}
}

func join(path, name string) string {
	name = strings.ToLower(name[:1]) + name[1:]
	if path == "" {
		return name
	}
	return path + "." + name
}

// value checks what is not null.
func (c *checker) value(s *shape, v *jsonstream.Value, path string) {
	switch s.kind {
	case kindStructure:
		c.structure(s, v, path)
	case kindList:
		c.length(s, v, len(v.Items), path)
		c.elements(s, v, path)
	case kindMap:
		c.length(s, v, len(v.Fields), path)
		c.entries(s, v, path)
	default:
		for _, broken := range s.broken(v) {
			c.add(s, v, path, broken)
		}
	}
}

func (c *checker) length(s *shape, v *jsonstream.Value, n int, path string) {
	if s.max.set && float64(n) > s.max.n {
		c.add(s, v, path, s.maxText())
	}
	if s.min.set && float64(n) < s.min.n {
		c.add(s, v, path, s.minText())
	}
}

// elements checks the elements of a list. Those that are not structures are one item: AWS prints the whole list and all
// that each element must satisfy.
func (c *checker) elements(s *shape, v *jsonstream.Value, path string) {
	if s.enum != nil {
		for i := range v.Items {
			if !s.accepts(v.Items[i].Text) {
				c.add(s, v, path, s.enumText())
				return
			}
		}
		return
	}
	for i := range v.Items {
		switch x := &v.Items[i]; {
		case x.Kind == jsonstream.Null, s.element.kind.scalar() && len(s.element.broken(x)) > 0:
			c.add(s, v, path, "Member must satisfy constraint: "+bracket(append(s.element.constraints(), mustNotBeNull)))
			return
		case !s.element.kind.scalar():
			c.value(s.element, x, path+"."+strconv.Itoa(i+1)+".member")
		}
	}
}

// entries checks keys and values of a map, each as one item.
func (c *checker) entries(s *shape, v *jsonstream.Value, path string) {
	badKey, badValue := false, false
	for i := range v.Fields {
		f := &v.Fields[i]
		badKey = badKey || len(s.key.broken(&jsonstream.Value{Kind: jsonstream.String, Text: f.Name})) > 0
		badValue = badValue || f.Value.Kind == jsonstream.Null || s.element.kind.scalar() && len(s.element.broken(&f.Value)) > 0
		if f.Value.Kind != jsonstream.Null && !s.element.kind.scalar() {
			c.value(s.element, &f.Value, path+"."+f.Name+".value")
		}
	}
	if badKey {
		c.add(s, v, path, "Map keys must satisfy constraint: "+bracket(s.key.constraints()))
	}
	if badValue {
		c.add(s, v, path, "Map value must satisfy constraint: "+bracket(append(s.element.constraints(), mustNotBeNull)))
	}
}

// broken gives the constraints that a scalar breaks.
func (s *shape) broken(v *jsonstream.Value) []string {
	var out []string
	size := s.size(v)
	if s.max.set && size > s.max.n {
		out = append(out, s.maxText())
	}
	if s.min.set && size < s.min.n {
		out = append(out, s.minText())
	}
	if s.pattern != nil && !s.pattern.matches(v.Text) {
		out = append(out, s.patternText())
	}
	if s.enum != nil && !s.accepts(v.Text) {
		out = append(out, s.enumText())
	}
	return out
}

// size is what a scalar's bounds are about.
func (s *shape) size(v *jsonstream.Value) float64 {
	if s.numeric() {
		n, err := strconv.ParseFloat(v.Text, 64)
		if err != nil { // out of range, and then it is infinite
			return n
		}
		return n
	}
	return float64(utf8.RuneCountInString(v.Text))
}

func (s *shape) numeric() bool {
	return s.kind == kindInteger || s.kind == kindLong || s.kind == kindDouble
}

func (s *shape) accepts(v string) bool {
	return slices.Contains(s.enum, v) || slices.Contains(s.accept, v)
}

// constraints gives all that a scalar must satisfy, in AWS's order.
func (s *shape) constraints() []string {
	var out []string
	if s.max.set {
		out = append(out, s.maxText())
	}
	if s.min.set {
		out = append(out, s.minText())
	}
	if s.pattern != nil {
		out = append(out, s.patternText())
	}
	if s.enum != nil {
		out = append(out, s.enumText())
	}
	return out
}

func (s *shape) maxText() string {
	return "Member must have " + s.what() + " less than or equal to " + s.number(s.max.n)
}
func (s *shape) minText() string {
	return "Member must have " + s.what() + " greater than or equal to " + s.number(s.min.n)
}

func (s *shape) patternText() string {
	return "Member must satisfy regular expression pattern: " + s.pattern.text
}

func (s *shape) enumText() string {
	return "Member must satisfy enum value set: " + bracket(s.enum)
}

func (s *shape) what() string {
	if s.numeric() {
		return "value"
	}
	return "length"
}

func (s *shape) number(n float64) string {
	if s.kind == kindDouble {
		return javaDouble(n)
	}
	return strconv.FormatFloat(n, 'f', -1, 64)
}

func bracket(list []string) string { return "[" + strings.Join(list, ", ") + "]" }
