package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// parseFile reads a YAML mapping of setting names to values. A list may also be given as one value.
func parseFile(c *Config, path string, b []byte) error {
	if len(strings.TrimSpace(string(b))) == 0 {
		return nil
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(b, &doc); err != nil {
		return fmt.Errorf("%s is not YAML: %s", path, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if doc.Kind == 0 || len(doc.Content) == 0 {
		return nil // only comments
	}
	root := doc.Content[0]
	if root.Kind == yaml.ScalarNode && root.Tag == "!!null" {
		return nil
	}
	if root.Kind != yaml.MappingNode {
		return fmt.Errorf("%s:%d: settings are lines such as \"listen: %s\"", path, root.Line, DefaultListen)
	}
	for i := 0; i+1 < len(root.Content); i += 2 {
		key, value := root.Content[i], root.Content[i+1]
		if err := setFromFile(c, key.Value, value); err != nil {
			return fmt.Errorf("%s:%d: %w", path, key.Line, err)
		}
	}
	return nil
}

func setFromFile(c *Config, name string, value *yaml.Node) error {
	i := slices.IndexFunc(Settings(), func(s Setting) bool { return s.Name == name })
	if i < 0 {
		return fmt.Errorf("unknown setting %q%s", name, suggestion(name))
	}
	s := Settings()[i]
	values, err := fileValues(s, value)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if err := s.set(c, values); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// fileValues reads scalars as the text that stands in the file, so that account: 000000000000 keeps its zeros.
func fileValues(s Setting, n *yaml.Node) ([]string, error) {
	switch {
	case n.Kind == yaml.ScalarNode && n.Tag == "!!null":
		return nil, errors.New("has no value")
	case n.Kind == yaml.ScalarNode:
		return []string{n.Value}, nil
	case n.Kind != yaml.SequenceNode || !s.List:
		return nil, errors.New("is one value, not a list or a mapping")
	}
	var values []string
	for _, item := range n.Content {
		if item.Kind != yaml.ScalarNode {
			return nil, errors.New("is a list of plain values")
		}
		values = append(values, item.Value)
	}
	return values, nil
}

// suggestion names the setting that a misspelt one may have meant: the one at the smallest edit distance, up to 2.
func suggestion(name string) string {
	best, least := "", 3
	for _, s := range Settings() {
		if d := distance(name, s.Name); d < least {
			best, least = s.Name, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean %q?)", best)
}

// distance is Levenshtein's, with underscores and upper case as good as the real thing.
func distance(a, b string) int {
	a = strings.ToLower(strings.ReplaceAll(a, "_", "-"))
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			diagonal, row[j] = row[j], min(row[j]+1, row[j-1]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
