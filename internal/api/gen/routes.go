package main

import (
	"bytes"
	"fmt"
	"slices"
)

// writeRoutes writes the table of operations.
func (m *model) writeRoutes(b *bytes.Buffer) error {
	b.WriteString("// Routes are the operations of the Lambda API, by name.\nvar Routes = [...]Route{\n")
	for _, name := range m.names() {
		o := m.Operations[name]
		path, query := o.path()
		fmt.Fprintf(b, "{Name: %q, Method: %q, Path: %q, Query: %q, Status: %d, input: &%s, Errors: []string{", name, o.HTTP.Method, path, query,
			o.HTTP.ResponseCode, tableName(o.Input.Shape))
		errors := []string{}
		for _, e := range o.Errors {
			errors = append(errors, e.Shape)
		}
		slices.Sort(errors)
		for _, e := range errors {
			fmt.Fprintf(b, "%q,", e)
		}
		b.WriteString("}},\n")
	}
	b.WriteString("}\n")
	return nil
}
