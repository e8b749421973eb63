package explain_test

import (
	"fmt"
	"testing"

	"github.com/laminadev/lamina/internal/layer/explain"
)

func TestDenied(t *testing.T) {
	const shut = ", and functions are another user: chmod -R a+rX before you zip it"
	for name, tc := range map[string]struct {
		message string
		code    []string
		layers  [][]string
		want    string
	}{
		"the handler": {"[Errno 13] Permission denied: '/var/task/app.py'", []string{"app.py=600"}, nil,
			`cannot use "/var/task/app.py": the function's code holds it at /var/task/app.py, but only its owner may read /var/task/app.py (mode 0600)` + shut},
		"the last layer's": {"[Errno 13] Permission denied: '/opt/python/m.py'", nil, [][]string{{"python/m.py=600"}, {"python/m.py=640"}},
			`cannot use "/opt/python/m.py": layer 1 holds it at /opt/python/m.py, but only its owner may read /opt/python/m.py (mode 0640)` + shut},
		"a folder above": {"EACCES: permission denied, open '/opt/a/b'", nil, [][]string{{"a/=700", "a/b"}},
			`cannot use "/opt/a/b": layer 0 holds it at /opt/a/b, but only its owner may read /opt/a (mode 0700)` + shut},
		"not executable": {"[Errno 13] Permission denied: '/opt/bin/tool'", nil, [][]string{{"bin/tool"}},
			`cannot use "/opt/bin/tool": layer 0 holds it at /opt/bin/tool, but it may not be executed (mode 0644): chmod a+x before you zip it`},
		"nothing wrong":  {"[Errno 13] Permission denied: '/opt/bin/tool'", nil, [][]string{{"bin/tool=755"}}, ""},
		"not there":      {"[Errno 13] Permission denied: '/opt/other'", nil, [][]string{{"bin/tool=600"}}, ""},
		"somewhere else": {"[Errno 13] Permission denied: '/etc/shadow'", []string{"etc/shadow=600"}, nil, ""},
		"another error":  {"No module named 'm'", []string{"m.py=600"}, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			parts := []explain.Part{part(t, "the function's code", "/var/task", tc.code...)}
			for i, files := range tc.layers {
				parts = append(parts, part(t, fmt.Sprintf("layer %d", i), "/opt", files...))
			}
			res, ok := explain.Denied(tc.message, parts)
			got := ""
			if ok {
				got = res.String()
			}
			if got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
		})
	}
}
