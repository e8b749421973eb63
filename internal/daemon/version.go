package daemon

import (
	"runtime/debug"
	"strings"
)

// version is set by the linker for a release (-X); else the build's own stamp counts.
var version string

// Build says which program this is.
type Build struct {
	Version  string // "1.2.3", or "dev"
	Revision string // of the source, with "+changes" when it was built from changed files; "" when unknown
	Time     string // of that revision
	Go       string
}

// ThisBuild reads what the linker and the toolchain left in the program.
func ThisBuild() Build {
	b := Build{Version: version}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b.named("")
	}
	b.Go = info.GoVersion
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			b.Revision = s.Value + b.Revision
		case s.Key == "vcs.time":
			b.Time = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			b.Revision += "+changes"
		}
	}
	return b.named(info.Main.Version)
}

func (b Build) named(module string) Build {
	if b.Version == "" && module != "(devel)" {
		b.Version = strings.TrimPrefix(module, "v")
	}
	if b.Version == "" {
		b.Version = "dev"
	}
	return b
}
