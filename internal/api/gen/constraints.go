package main

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
)

var kinds = map[string]string{"string": "kindString", "integer": "kindInteger", "long": "kindLong", "double": "kindDouble",
	"boolean": "kindBoolean", "timestamp": "kindTimestamp", "blob": "kindBlob", "structure": "kindStructure", "list": "kindList", "map": "kindMap"}

var locations = map[string]string{"": "inBody", "uri": "inPath", "querystring": "inQuery", "header": "inHeader"}

func tableName(shape string) string { return "shape" + shape }

// writeConstraints writes the tables of all shapes that are part of an input.
func (m *model) writeConstraints(b *bytes.Buffer) error {
	var inputs []string
	for _, name := range m.names() {
		in := m.Operations[name].Input
		if in == nil {
			return fmt.Errorf("operation %s has no input", name)
		}
		inputs = append(inputs, in.Shape)
	}
	names, err := m.reach(inputs)
	if err != nil {
		return err
	}
	b.WriteString("var (\n")
	for _, name := range names {
		if err := m.writeShape(b, name); err != nil {
			return fmt.Errorf("shape %s: %w", name, err)
		}
	}
	b.WriteString(")\n")
	return nil
}

func (m *model) writeShape(b *bytes.Buffer, name string) error {
	s := m.Shapes[name]
	fmt.Fprintf(b, "%s = shape{kind: %s", tableName(name), kinds[s.Type])
	if s.Sensitive {
		b.WriteString(", sensitive: true")
	}
	if s.Min != nil { // a length of at least 0 is no rule, but AWS prints it
		fmt.Fprintf(b, ", min: bound{true, %v}", *s.Min)
	}
	if s.Max != nil {
		fmt.Fprintf(b, ", max: bound{true, %v}", *s.Max)
	}
	if err := writePattern(b, s); err != nil {
		return err
	}
	writeStrings(b, "enum", s.Enum)
	if len(s.Enum) > 0 {
		writeStrings(b, "accept", s.accept)
	}
	switch s.Type {
	case "list":
		element := s.Member.Shape
		if s.flat {
			element = "String"
		}
		fmt.Fprintf(b, ", element: &%s", tableName(element))
	case "map":
		fmt.Fprintf(b, ", key: &%s, element: &%s", tableName(s.Key.Shape), tableName(s.Value.Shape))
	case "structure":
		if err := writeMembers(b, s); err != nil {
			return err
		}
	}
	b.WriteString("}\n")
	return nil
}

// writePattern writes a pattern, if the shape has one, after checking that Go can read what will be checked.
func writePattern(b *bytes.Buffer, s *shape) error {
	if s.Pattern == "" {
		return nil
	}
	check := s.check
	if check == "" {
		check = s.Pattern
	}
	for _, p := range []string{check, s.except} {
		if _, err := regexp.Compile(p); err != nil {
			return err
		}
	}
	fmt.Fprintf(b, ", pattern: &pattern{text: %s", quote(s.Pattern))
	if s.check != "" {
		fmt.Fprintf(b, ", check: %s", quote(s.check))
	}
	if s.except != "" {
		fmt.Fprintf(b, ", except: %s", quote(s.except))
	}
	b.WriteString("}")
	return nil
}

func writeStrings(b *bytes.Buffer, member string, list []string) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(b, ", %s: []string{", member)
	for _, s := range list {
		fmt.Fprintf(b, "%q,", s)
	}
	b.WriteString("}")
}

func writeMembers(b *bytes.Buffer, s *shape) error {
	b.WriteString(", members: []member{\n")
	for _, x := range s.Members {
		in, ok := locations[x.Location]
		if !ok {
			return fmt.Errorf("member %s is at the unknown location %s", x.Name, x.Location)
		}
		if x.Name == s.Payload {
			in = "inPayload"
		}
		fmt.Fprintf(b, "{name: %q, in: %s", x.Name, in)
		if x.LocationName != "" && x.LocationName != x.Name {
			fmt.Fprintf(b, ", wire: %q", x.LocationName)
		}
		if slices.Contains(s.Required, x.Name) {
			b.WriteString(", required: true")
		}
		fmt.Fprintf(b, ", shape: &%s},\n", tableName(x.Shape))
	}
	b.WriteString("}")
	return nil
}

func quote(s string) string {
	if bytes.ContainsRune([]byte(s), '`') {
		return fmt.Sprintf("%q", s)
	}
	return "`" + s + "`"
}
