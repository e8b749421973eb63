package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Sources is where settings come from.
type Sources struct {
	File   string              // "" reads DefaultFile when it exists; a file that is named must exist
	Getenv func(string) string // the environment; an empty variable counts as not set
	Flags  map[string][]string // settings given as flags, by name
	Root   bool                // runs as the superuser
}

// Load reads the settings from all sources and validates the whole. An error names the flag, the variable, or the line
// of the file that it comes from.
func Load(src Sources) (Config, error) {
	c := Default(src.Getenv, src.Root)
	if err := loadFile(&c, src); err != nil {
		return Config{}, err
	}
	for _, s := range Settings() {
		if v := src.Getenv(s.Env()); v != "" {
			if err := s.set(&c, split(s, v)); err != nil {
				return Config{}, fmt.Errorf("%s: %w", s.Env(), err)
			}
		}
		if v, given := src.Flags[s.Name]; given {
			if err := s.set(&c, v); err != nil {
				return Config{}, fmt.Errorf("--%s: %w", s.Name, err)
			}
		}
	}
	if err := absolute(&c.Data, &c.Helper); err != nil {
		return Config{}, err
	}
	if err := c.Validate(); err != nil {
		return Config{}, err
	}
	return c, nil
}

// absolute makes paths independent of where the server is started.
func absolute(paths ...*string) error {
	for _, p := range paths {
		if *p == "" {
			continue
		}
		abs, err := filepath.Abs(*p)
		if err != nil {
			return fmt.Errorf("cannot tell where %q is: %w", *p, err)
		}
		*p = abs
	}
	return nil
}

func loadFile(c *Config, src Sources) error {
	path, named := src.File, true
	if path == "" {
		path = src.Getenv("LAMINA_CONFIG")
	}
	if path == "" {
		path, named = DefaultFile(src.Getenv), false
	}
	if path == "" {
		return nil
	}
	b, err := os.ReadFile(path)
	if !named && errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("cannot read the settings: %w", err)
	}
	return parseFile(c, path, b)
}

// split takes a variable apart when its setting is a list.
func split(s Setting, v string) []string {
	if !s.List {
		return []string{v}
	}
	var parts []string
	for p := range strings.SplitSeq(v, ",") {
		if p = strings.TrimSpace(p); p != "" {
			parts = append(parts, p)
		}
	}
	return parts
}
