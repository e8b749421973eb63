package config

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strconv"

	"go.yaml.in/yaml/v4"
)

// WriteYAML prints the settings as a file that lamina would read, with what is secret hidden.
func (c Config) WriteYAML(w io.Writer) error {
	root := &yaml.Node{Kind: yaml.MappingNode}
	c = c.public()
	for _, s := range Settings() {
		root.Content = append(root.Content, scalar(s.Name), node(s, c))
	}
	b, err := yaml.Dump(root)
	if err != nil {
		return fmt.Errorf("cannot print the settings: %w", err)
	}
	_, err = w.Write(b)
	return err
}

func node(s Setting, c Config) *yaml.Node {
	if !s.List {
		return scalar(last(s.get(c)))
	}
	n := &yaml.Node{Kind: yaml.SequenceNode}
	for _, v := range s.get(c) {
		n.Content = append(n.Content, scalar(v))
	}
	if len(n.Content) == 0 {
		n.Style = yaml.FlowStyle
	}
	return n
}

// scalar writes a number as one, and anything else as text, so that the account keeps its zeros.
func scalar(v string) *yaml.Node {
	tag := "!!str"
	if n, err := strconv.Atoi(v); err == nil && strconv.Itoa(n) == v {
		tag = "!!int"
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: v}
}

// WriteJSON prints the same as one JSON object.
func (c Config) WriteJSON(w io.Writer) error {
	m := map[string]any{}
	c = c.public()
	for _, s := range Settings() {
		if s.List {
			m[s.Name] = append([]string{}, s.get(c)...)
		} else {
			m[s.Name] = last(s.get(c))
		}
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(m)
}

// public is the configuration without the database's password.
func (c Config) public() Config {
	c.Database = Redact(c.DatabaseURL()) // checkBlob lets no secret into the other URL
	return c
}

// Redact hides the password of a database URL, also one given as a parameter.
func Redact(s string) string {
	u, err := url.Parse(s)
	if err != nil {
		return "(hidden: not a URL)"
	}
	if q := u.Query(); q.Has("password") {
		q.Set("password", "xxxxx")
		u.RawQuery = q.Encode()
	}
	return u.Redacted()
}
