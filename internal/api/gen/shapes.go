package main

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
)

// writeShapes writes a Go struct for each structure that is not an exception.
func (m *model) writeShapes(b *bytes.Buffer) error {
	use := m.use()
	for _, name := range slices.Sorted(maps.Keys(m.Shapes)) {
		s := m.Shapes[name]
		if s.Type != "structure" || s.Exception {
			continue
		}
		if err := m.writeStruct(b, name, s, use[name]); err != nil {
			return err
		}
	}
	return nil
}

// use says of the structures that are the input or output of an operation whose they are.
func (m *model) use() map[string]string {
	use := map[string]string{}
	for _, name := range m.names() {
		o := m.Operations[name]
		for _, r := range []struct {
			ref  *ref
			word string
		}{{o.Input, "input"}, {o.Output, "output"}} {
			switch {
			case r.ref == nil:
			case use[r.ref.Shape] == "":
				use[r.ref.Shape] = "the " + r.word + " of " + name
			default:
				use[r.ref.Shape] += ", " + name
			}
		}
	}
	return use
}

func (m *model) writeStruct(b *bytes.Buffer, name string, s *shape, use string) error {
	if use == "" {
		use = "the model's " + name
	}
	fmt.Fprintf(b, "// %s is %s.\ntype %s struct {\n", goName(name), use, goName(name))
	for _, x := range s.Members {
		t, err := m.goType(x.Shape, !slices.Contains(s.Required, x.Name))
		if err != nil {
			return fmt.Errorf("%s.%s: %w", name, x.Name, err)
		}
		tag := x.Name + ",omitzero"
		switch {
		case x.Location != "" || x.Name == s.Payload:
			tag = "-"
		case slices.Contains(s.Required, x.Name):
			tag = x.Name
		}
		fmt.Fprintf(b, "%s %s `json:%q`\n", goName(x.Name), t, tag)
	}
	b.WriteString("}\n\n")
	return nil
}

// goType gives the Go type of a shape. An optional scalar or structure is a pointer; lists, maps and blobs can be nil.
func (m *model) goType(name string, optional bool) (string, error) {
	s := m.Shapes[name]
	star := ""
	if optional {
		star = "*"
	}
	switch s.Type {
	case "string":
		return star + "string", nil
	case "integer", "long":
		return star + "int64", nil
	case "double":
		return star + "float64", nil
	case "boolean":
		return star + "bool", nil
	case "timestamp":
		return star + "Epoch", nil
	case "blob":
		return "[]byte", nil
	case "structure":
		return star + goName(name), nil
	case "list":
		element, err := m.goType(s.Member.Shape, false)
		return "[]" + element, err
	case "map":
		value, err := m.goType(s.Value.Shape, false)
		return "map[string]" + value, err
	}
	return "", fmt.Errorf("shape %s has the unknown type %s", name, s.Type)
}
