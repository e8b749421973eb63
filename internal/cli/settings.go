package cli

import (
	"os"
	"slices"

	"github.com/spf13/pflag"

	"github.com/laminadev/lamina/internal/config"
)

// settings are the server's settings given as flags, for the commands that work on this machine.
type settings struct {
	File  string
	given map[string][]string
}

// addFlags adds --config and the named settings, all of them when none is named.
func (s *settings) addFlags(fs *pflag.FlagSet, names ...string) {
	s.given = map[string][]string{}
	defaults := config.Default(func(string) string { return "" }, false)
	for _, row := range config.Settings() {
		if len(names) == 0 || slices.Contains(names, row.Name) {
			fs.Var(&settingFlag{row, defaults, s.given}, row.Name, row.Usage)
		}
	}
	fs.StringVar(&s.File, "config", "", "`FILE` with settings (default: LAMINA_CONFIG, else $XDG_CONFIG_HOME/lamina/config.yaml if it exists)")
}

// load reads the settings from flags, environment and file.
func (s *settings) load() (config.Config, error) {
	cfg, err := config.Load(config.Sources{File: s.File, Getenv: os.Getenv, Flags: s.given, Root: os.Geteuid() == 0})
	if err != nil {
		return cfg, usagef("%v", err)
	}
	return cfg, nil
}

// settingFlag collects what was given for one setting.
type settingFlag struct {
	row      config.Setting
	defaults config.Config
	given    map[string][]string
}

func (f *settingFlag) String() string {
	if f.row.List {
		return ""
	}
	return f.row.Get(f.defaults)[0]
}

func (f *settingFlag) Set(v string) error {
	f.given[f.row.Name] = append(f.given[f.row.Name], v)
	scratch := config.Config{}
	return f.row.Set(&scratch, f.given[f.row.Name])
}

func (f *settingFlag) Type() string { return f.row.Value }
