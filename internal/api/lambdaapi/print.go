package lambdaapi

import (
	"strconv"
	"strings"

	"github.com/laminadev/lamina/internal/api/jsonstream"
)

// printValue writes a value as AWS's messages do: [a, b] for a list, {k=v} for a map.
func printValue(b *strings.Builder, s *shape, v *jsonstream.Value) {
	switch v.Kind {
	case jsonstream.Null:
		b.WriteString("null")
	case jsonstream.Bool:
		b.WriteString(strconv.FormatBool(v.Bool))
	case jsonstream.Number:
		b.WriteString(printNumber(s, v.Text))
	case jsonstream.Array:
		b.WriteByte('[')
		for i := range v.Items {
			separate(b, i)
			printValue(b, s.element, &v.Items[i])
		}
		b.WriteByte(']')
	case jsonstream.Object:
		b.WriteByte('{')
		for i := range v.Fields {
			separate(b, i)
			b.WriteString(v.Fields[i].Name)
			b.WriteByte('=')
			printValue(b, s.below(v.Fields[i].Name), &v.Fields[i].Value)
		}
		b.WriteByte('}')
	default:
		b.WriteString(v.Text)
	}
}

func separate(b *strings.Builder, i int) {
	if i > 0 {
		b.WriteString(", ")
	}
}

// below gives the shape of a member or of a map's value.
func (s *shape) below(name string) *shape {
	for i := range s.members {
		if s.members[i].name == name {
			return s.members[i].shape
		}
	}
	return s.element
}

func printNumber(s *shape, text string) string {
	if s == nil || s.kind != kindDouble {
		return text
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return text
	}
	return javaDouble(n)
}

// javaDouble prints a double as Java does, within the range that weights and limits have.
func javaDouble(n float64) string {
	s := strconv.FormatFloat(n, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}
