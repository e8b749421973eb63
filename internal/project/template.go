package project

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// template is a SAM or CloudFormation template, as far as functions need it.
type template struct {
	file      string // relative to the project, for messages
	dir       string // of the template; its paths are relative to it
	built     bool   // by sam build
	globals   *yaml.Node
	resources *yaml.Node
	defaults  map[string]string // of parameters
}

// templateIn gives the template of a folder: what sam build has made of it where that is there. "" when there is none.
func templateIn(dir string) string {
	for _, name := range []string{".aws-sam/build/template.yaml", "template.yaml", "template.yml"} {
		if p := filepath.Join(dir, name); isFile(p) {
			return p
		}
	}
	return ""
}

// fromTemplate fills the function from a template; used is false when the template has no functions.
func (f *Function) fromTemplate(dir, file string, g Given) (used bool, err error) {
	t, err := readTemplate(dir, file)
	if err != nil {
		return false, err
	}
	id, err := t.choose(g.Function)
	if id == "" || err != nil {
		return false, err
	}
	if f.Code, err = t.code(id); err != nil {
		return true, err
	}
	f.Name = nameOf(cmp.Or(t.text(f, t.property(id, "FunctionName")), id))
	if g.Function == "" {
		f.assume("function %s of %s", id, t.file)
	}
	f.Handler = cmp.Or(f.Handler, t.text(f, t.property(id, "Handler")))
	f.Runtime = cmp.Or(f.Runtime, t.text(f, t.property(id, "Runtime")))
	f.Timeout = t.number(f, t.property(id, "Timeout"))
	f.Memory = t.number(f, t.property(id, "MemorySize"))
	f.Storage = t.number(f, member(t.property(id, "EphemeralStorage"), "Size"))
	t.environment(f, id)
	if f.Layers == nil {
		if err := t.layers(f, id); err != nil {
			return true, err
		}
	}
	if isDir(f.Code) {
		f.guessCode(f.Code) // what the template leaves out
	}
	return true, f.complete()
}

func readTemplate(dir, file string) (*template, error) {
	rel, err := filepath.Rel(dir, file)
	if err != nil {
		return nil, err
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var root yaml.Node
	if err := yaml.Unmarshal(b, &root); err != nil {
		return nil, &Error{Text: fmt.Sprintf("cannot read %s: %v", rel, err)}
	}
	t := &template{file: rel, dir: filepath.Dir(file), built: strings.HasPrefix(rel, ".aws-sam"), defaults: map[string]string{
		"AWS::Region": "us-east-1", "AWS::AccountId": "000000000000", "AWS::Partition": "aws", "AWS::StackName": "local", "AWS::URLSuffix": "amazonaws.com",
	}}
	if len(root.Content) > 0 {
		top := root.Content[0]
		t.globals, t.resources = member(member(top, "Globals"), "Function"), member(top, "Resources")
		each(member(top, "Parameters"), func(name string, p *yaml.Node) {
			if d := member(p, "Default"); d != nil && d.Kind == yaml.ScalarNode {
				t.defaults[name] = d.Value
			}
		})
	}
	return t, nil
}

// choose gives the logical name of the function that is meant, "" when the template has none.
func (t *template) choose(name string) (string, error) {
	var ids []string
	chosen := ""
	each(t.resources, func(id string, r *yaml.Node) {
		switch scalar(member(r, "Type")) {
		case "AWS::Serverless::Function", "AWS::Lambda::Function":
			ids = append(ids, id)
			if name != "" && (id == name || scalar(member(member(r, "Properties"), "FunctionName")) == name) {
				chosen = id
			}
		}
	})
	switch {
	case chosen != "":
		return chosen, nil
	case name != "" && len(ids) > 0:
		return "", &Error{fmt.Sprintf("%s has no function %q", t.file, name), "it has: " + strings.Join(ids, ", ")}
	case len(ids) > 1:
		return "", &Error{fmt.Sprintf("%s has %d functions", t.file, len(ids)), "choose one with --function: " + strings.Join(ids, ", ")}
	case len(ids) == 1:
		return ids[0], nil
	}
	return "", nil
}

// property gives a property of the function, else that of all functions.
func (t *template) property(id, name string) *yaml.Node {
	if p := member(member(member(t.resources, id), "Properties"), name); p != nil {
		return p
	}
	return member(t.globals, name)
}

func (t *template) code(id string) (string, error) {
	if scalar(t.property(id, "PackageType")) == "Image" {
		return "", &Error{Text: fmt.Sprintf("%s is a container image, which lamina run does not run yet", id)}
	}
	if t.property(id, "InlineCode") != nil {
		return "", &Error{fmt.Sprintf("%s has its code in the template", id), "write it to a file and name its folder"}
	}
	uri := t.property(id, "CodeUri")
	if uri == nil {
		uri = t.property(id, "Code")
	}
	if uri == nil {
		return t.dir, nil
	}
	return t.path(id, uri)
}

// path gives the place on the disk that a CodeUri or ContentUri names.
func (t *template) path(id string, uri *yaml.Node) (string, error) {
	s := scalar(uri)
	if s == "" || strings.HasPrefix(s, "s3:") || strings.Contains(s, "://") {
		return "", &Error{fmt.Sprintf("the content of %s in %s is not on this disk", id, t.file), "name its folder: lamina run FOLDER, or --layer FOLDER"}
	}
	p := s
	if !filepath.IsAbs(p) {
		p = filepath.Join(t.dir, filepath.FromSlash(s))
	}
	p, err := filepath.EvalSymlinks(p)
	if err != nil {
		return "", &Error{Text: fmt.Sprintf("cannot read the content of %s in %s: %v", id, t.file, err)}
	}
	return p, nil
}

func (t *template) environment(f *Function, id string) {
	own := member(member(member(member(t.resources, id), "Properties"), "Environment"), "Variables")
	for _, vars := range []*yaml.Node{member(member(t.globals, "Environment"), "Variables"), own} {
		each(vars, func(name string, v *yaml.Node) {
			if s, ok := t.resolve(v); ok {
				f.Env[name] = s
				return
			}
			delete(f.Env, name)
			f.assume("no variable %s: its value is not known before a deployment (--env %s=… sets it)", name, name)
		})
	}
}

// layers adds the layers of all functions and then the function's own, as SAM does.
func (t *template) layers(f *Function, id string) error {
	for _, list := range []*yaml.Node{member(t.globals, "Layers"), member(member(member(t.resources, id), "Properties"), "Layers")} {
		if list == nil {
			continue
		}
		for _, item := range list.Content {
			if err := t.layer(f, deref(item)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *template) layer(f *Function, item *yaml.Node) error {
	name := reference(item)
	r := member(t.resources, name)
	props := member(r, "Properties")
	uri := member(props, "ContentUri")
	if uri == nil {
		uri = member(props, "Content")
	}
	if name == "" || r == nil || uri == nil {
		if s, ok := t.resolve(item); ok {
			name = s
		}
		return &Error{fmt.Sprintf("layer %q of %s is not on this disk", name, t.file), "name the layers yourself, each of them: --layer FOLDER"}
	}
	p, err := t.path(name, uri)
	if err != nil {
		return err
	}
	if method := scalar(member(member(r, "Metadata"), "BuildMethod")); method != "" && !t.built {
		f.assume("layer %s as it lies in its folder: the template builds it with %s (sam build)", name, method)
	} else {
		f.assume("layer %s", name)
	}
	f.Layers = append(f.Layers, p)
	return nil
}

func (t *template) text(f *Function, n *yaml.Node) string {
	s, _ := t.resolve(n)
	return s
}

func (t *template) number(f *Function, n *yaml.Node) int {
	v, err := strconv.Atoi(t.text(f, n))
	if err != nil {
		return 0
	}
	return v
}

// resolve gives the value of a scalar, of a reference to a parameter with a default, or of a substitution of those.
func (t *template) resolve(n *yaml.Node) (string, bool) {
	n = deref(n)
	if n == nil {
		return "", false
	}
	if name := reference(n); name != "" {
		s, ok := t.defaults[name]
		return s, ok
	}
	if n.Kind == yaml.ScalarNode && !strings.HasPrefix(n.Tag, "!") || n.Kind == yaml.ScalarNode && strings.HasPrefix(n.Tag, "!!") {
		return n.Value, true
	}
	if s, ok := call(n, "Sub"); ok {
		return t.substitute(s)
	}
	return "", false
}

// substitute replaces ${Name}; ${!Name} stands for a literal ${Name}.
func (t *template) substitute(s string) (string, bool) {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(s, "${")
		b.WriteString(before)
		if !found {
			return b.String(), true
		}
		name, after, closed := strings.Cut(rest, "}")
		switch v, known := t.defaults[name]; {
		case closed && strings.HasPrefix(name, "!"):
			b.WriteString("${" + name[1:] + "}")
		case closed && known:
			b.WriteString(v)
		default:
			return "", false
		}
		s = after
	}
}

// reference gives the name in !Ref Name or {Ref: Name}, also of !GetAtt Name.Arn.
func reference(n *yaml.Node) string {
	for _, f := range []string{"Ref", "GetAtt"} {
		if s, ok := call(n, f); ok {
			name, _, _ := strings.Cut(s, ".")
			if f == "Ref" {
				name = s
			}
			return name
		}
	}
	return ""
}

// call gives the argument of an intrinsic function, in its short or its long form.
func call(n *yaml.Node, f string) (string, bool) {
	n = deref(n)
	if n == nil {
		return "", false
	}
	if n.Kind == yaml.ScalarNode && n.Tag == "!"+f {
		return n.Value, true
	}
	if n.Kind == yaml.MappingNode && len(n.Content) == 2 && slices.Contains([]string{f, "Fn::" + f}, n.Content[0].Value) {
		v := deref(n.Content[1])
		if v.Kind == yaml.SequenceNode && len(v.Content) > 0 && f != "Sub" {
			v = deref(v.Content[0])
		}
		return v.Value, v.Kind == yaml.ScalarNode
	}
	return "", false
}

func deref(n *yaml.Node) *yaml.Node {
	for n != nil && n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// member gives a member of a mapping, nil when there is none.
func member(n *yaml.Node, name string) (found *yaml.Node) {
	each(n, func(k string, v *yaml.Node) {
		if k == name {
			found = v
		}
	})
	return found
}

func each(n *yaml.Node, f func(name string, value *yaml.Node)) {
	n = deref(n)
	if n == nil || n.Kind != yaml.MappingNode {
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		f(n.Content[i].Value, deref(n.Content[i+1]))
	}
}

// scalar gives a plain text, "" for everything else.
func scalar(n *yaml.Node) string {
	n = deref(n)
	if n == nil || n.Kind != yaml.ScalarNode || strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!") {
		return ""
	}
	return n.Value
}
