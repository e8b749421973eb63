package explain_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/layer/explain"
)

func TestHandler(t *testing.T) {
	for name, tt := range map[string]struct {
		runtime         lambda.Runtime
		handler, module string
		code            []string
		want            string // "": it is not for Handler to say
	}{
		"nowhere": {"python3.12", "app.handler", "app", []string{"other.py", "lib/x.py"},
			`cannot import "app": the handler app.handler means /var/task/app.py, and the code holds .keep, lib/ and other.py: ` +
				`zip that file too, or set the handler to FILE.FUNCTION of one that is there (looked in /var/task, /opt/python/lib/python3.12/site-packages, /opt/python)`},
		"many files": {"python3.12", "app.handler", "app", []string{"a", "b", "c", "d", "e"},
			`cannot import "app": the handler app.handler means /var/task/app.py, and the code holds .keep, a, b, c and 2 more: ` +
				`zip that file too, or set the handler to FILE.FUNCTION of one that is there (looked in /var/task, /opt/python/lib/python3.12/site-packages, /opt/python)`},
		"in a folder": {"python3.12", "app.handler", "app", []string{"src/app.py", "flask/__init__.py", "flask/app.py"},
			`cannot import "app": the function's code holds it at /var/task/src/app.py, but the handler app.handler means /var/task/app.py: ` +
				`zip what is in src/, not the folder itself, or set the handler to src/app.handler (looked in /var/task, /opt/python/lib/python3.12/site-packages, /opt/python)`},
		"in no folder": {"python3.12", "src.app.handler", "src", []string{"app.py"},
			`cannot import "src": the function's code holds it at /var/task/app.py, but the handler src.app.handler means /var/task/src/app.py: ` +
				`set the handler to app.handler (looked in /var/task, /opt/python/lib/python3.12/site-packages, /opt/python)`},
		"other letters": {"python3.12", "app.handler", "app", []string{"App.py"},
			`cannot import "app": the function's code holds it at /var/task/App.py, but its letters differ and Linux tells them apart: ` +
				`set the handler to App.handler (looked in /var/task, /opt/python/lib/python3.12/site-packages, /opt/python)`},
		"it is there":           {"python3.12", "app.handler", "app", []string{"app.py"}, ""},
		"it is a package":       {"python3.12", "app.handler", "app", []string{"app/__init__.py"}, ""},
		"another module":        {"python3.12", "app.handler", "requests", []string{"app.py"}, ""},
		"no dot":                {"python3.12", "handler", "handler", nil, ""},
		"of another kind":       {"provided.al2023", "app.handler", "app", nil, ""},
		"node, another package": {"nodejs22.x", "index.handler", "left-pad", []string{"index.mjs"}, ""},
		"node, it is there":     {"nodejs22.x", "src/index.handler", "index", []string{"src/index.cjs"}, ""},
		"node, in a folder": {"nodejs22.x", "index.handler", "index", []string{"node_modules/a/index.js", "src/index.mjs"},
			`cannot import "index": the function's code holds it at /var/task/src/index.mjs, but the handler index.handler means ` +
				`/var/task/index.mjs, /var/task/index.js or /var/task/index.cjs: zip what is in src/, not the folder itself, or set the handler to src/index.handler (looked in /var/task)`},
		"node, nowhere": {"nodejs22.x", "src/index.handler", "index", []string{"main.py"},
			`cannot import "index": the handler src/index.handler means /var/task/src/index.mjs, /var/task/src/index.js or /var/task/src/index.cjs, ` +
				`and the code holds .keep and main.py: zip that file too, or set the handler to FILE.FUNCTION of one that is there (looked in /var/task)`},
	} {
		t.Run(name, func(t *testing.T) {
			layer := part(t, "layer l", "/opt", "python/app.txt")
			res, ok := explain.Handler(tt.handler, tt.module, tt.runtime, []explain.Part{layer, part(t, "the function's code", "/var/task", tt.code...)})
			got := ""
			if ok {
				got = res.String()
			}
			if diff := cmp.Diff(got, tt.want); diff != "" {
				t.Errorf("-got +want:\n%s", diff)
			}
		})
	}
}

func TestHandlerWithoutCode(t *testing.T) {
	if res, ok := explain.Handler("app.handler", "app", "python3.12", nil); ok {
		t.Errorf("got %+v", res)
	}
}
