package explain

import (
	"regexp"
	"strings"
)

// What runtimes say when an import fails, in all their versions.
var missing = []*regexp.Regexp{
	regexp.MustCompile(`No module named '([^']+)'`),
	regexp.MustCompile(`No module named ([\w.]+)`),
	regexp.MustCompile(`Cannot find (?:module|package) '([^']+)'`),
}

// Missing gives the module that an error message says is missing. It also understands a failed import of a package whose own
// compiled part is missing ("No module named 'a._a'").
func Missing(message string) (module string, ok bool) {
	for _, form := range missing {
		if m := form.FindStringSubmatch(message); m != nil {
			return local(m[1]), true
		}
	}
	return "", false
}

// local makes an absolute path, which ES modules are named by in messages, one that is relative to its folder.
func local(module string) string {
	if strings.HasPrefix(module, "/") {
		return "./" + module[strings.LastIndex(module, "/")+1:]
	}
	return module
}
