package lambdaapi

import (
	"net/url"
	"strings"
)

// Route is one operation of the Lambda API. The table is generated: zz_routes.go.
type Route struct {
	Name   string
	Method string
	Path   string   // "/2018-10-31/layers/{LayerName}/versions"
	Query  string   // "find=LayerVersion" tells an operation from another with the same method and path
	Status int      // of a success
	Errors []string // the exceptions that the service model lists
	input  *shape
}

// wireName is the operation's name in messages; AWS calls Invoke by its older name.
func (o *Route) wireName() string {
	if o.Name == "Invoke" {
		return "InvokeFunction"
	}
	return o.Name
}

// parameter gives the path segment that stands at a place in braces.
func (o *Route) parameter(values []string, name string) string {
	i := 0
	for part := range strings.SplitSeq(o.Path, "/") {
		if !strings.HasPrefix(part, "{") {
			continue
		}
		if strings.Trim(part, "{}") == name {
			return values[i]
		}
		i++
	}
	return ""
}

// router finds operations by method and path.
type router struct {
	literal   map[string]*router
	parameter *router
	ops       []*Route // those that end here
}

func newRouter(ops []Route) *router {
	root := &router{}
	for i := range ops {
		at := root
		for part := range strings.SplitSeq(strings.TrimPrefix(ops[i].Path, "/"), "/") {
			at = at.child(part)
		}
		at.ops = append(at.ops, &ops[i])
	}
	return root
}

func (t *router) child(part string) *router {
	if strings.HasPrefix(part, "{") {
		if t.parameter == nil {
			t.parameter = &router{}
		}
		return t.parameter
	}
	if t.literal == nil {
		t.literal = map[string]*router{}
	}
	if t.literal[part] == nil {
		t.literal[part] = &router{}
	}
	return t.literal[part]
}

// find gives the operation of a request and the segments of its path that are parameters, decoded. An ARN may come with its
// colons encoded or not, and its slashes only encoded. A parameter is never empty: AWS finds no operation then.
func (t *router) find(method string, u *url.URL) (op *Route, values []string) {
	path := strings.TrimPrefix(strings.TrimSuffix(u.EscapedPath(), "/"), "/")
	at := t
	for segment := range strings.SplitSeq(path, "/") {
		next := at.literal[segment]
		if next == nil && at.parameter != nil && segment != "" {
			next = at.parameter
			value, err := url.PathUnescape(segment)
			if err != nil {
				return nil, nil
			}
			values = append(values, value)
		}
		if next == nil {
			return nil, nil
		}
		at = next
	}
	return at.pick(method, u.RawQuery), values
}

// pick chooses among the operations of one path: the one whose query is there wins over the one without.
func (t *router) pick(method, query string) (found *Route) {
	for _, op := range t.ops {
		if op.Method != method {
			continue
		}
		if op.Query != "" && hasParameter(query, op.Query) {
			return op
		}
		if op.Query == "" {
			found = op
		}
	}
	return found
}

// hasParameter reports whether one parameter of a query is as given.
func hasParameter(query, want string) bool {
	for part := range strings.SplitSeq(query, "&") {
		if part == want {
			return true
		}
	}
	return false
}
