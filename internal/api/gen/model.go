package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// model is the part of a botocore service model that the generator reads.
type model struct {
	Operations map[string]operation
	Shapes     map[string]*shape
}

type operation struct {
	Name string
	HTTP struct {
		Method       string
		RequestURI   string
		ResponseCode int
	}
	Input  *ref
	Output *ref
	Errors []ref
}

type ref struct{ Shape string }

type shape struct {
	Type      string
	Required  []string
	Members   members
	Member    ref // of a list
	Key       ref // of a map
	Value     ref // of a map
	Min, Max  *float64
	Pattern   string
	Enum      []string
	Sensitive bool
	Exception bool
	Payload   string
	Event     bool

	accept []string // from an override: values that pass although the message does not list them
	flat   bool     // from an override: a list whose elements' enum is printed as the list's own
	except string   // from an override: a pattern that a value must not match
	check  string   // from an override: an RE2 pattern that stands for Pattern, which RE2 cannot read
}

// members are the members of a structure in the model's order.
type members []member

type member struct {
	Name         string `json:"-"`
	Shape        string
	Location     string
	LocationName string
}

func (m *members) UnmarshalJSON(b []byte) error {
	d := json.NewDecoder(bytes.NewReader(b))
	if _, err := d.Token(); err != nil {
		return err
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		x := member{}
		if err := d.Decode(&x); err != nil {
			return err
		}
		x.Name = name.(string)
		*m = append(*m, x)
	}
	return nil
}

// path splits an operation's URI into its path and the query that tells it from another with the same path.
func (o *operation) path() (path, query string) {
	path, query, _ = strings.Cut(o.HTTP.RequestURI, "?")
	return path, query
}

// reach gives the names of the shapes that can be reached from some, each after those that it refers to. A shape that
// refers to itself is an error: the tables are static data.
func (m *model) reach(from []string) ([]string, error) {
	var out []string
	state := map[string]int{}
	var walk func(string) error
	walk = func(name string) error {
		switch state[name] {
		case 1:
			return fmt.Errorf("shape %s refers to itself", name)
		case 2:
			return nil
		}
		state[name] = 1
		s := m.Shapes[name]
		if s == nil {
			return fmt.Errorf("the model has no shape %s", name)
		}
		for _, next := range s.refs() {
			if err := walk(next); err != nil {
				return err
			}
		}
		state[name] = 2
		out = append(out, name)
		return nil
	}
	for _, name := range from {
		if err := walk(name); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (s *shape) refs() []string {
	var out []string
	for _, m := range s.Members {
		out = append(out, m.Shape)
	}
	for _, r := range []ref{s.Member, s.Key, s.Value} {
		if r.Shape != "" {
			out = append(out, r.Shape)
		}
	}
	return out
}
