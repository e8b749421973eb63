package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/laminadev/lamina/internal/lambda"
)

// override is one thing that AWS was seen to do differently from its public model, or that Go's regular expressions cannot
// say. It names a shape, or a member of an input, which then gets a shape of its own.
type override struct {
	shape  string // "LayerVersionArn"
	member string // "PublishLayerVersionRequest.CompatibleRuntimes"
	why    string
	apply  func(*shape)
}

// statuses are the HTTP statuses that AWS sends where the model says another.
var statuses = map[string]int{
	"DeleteFunction": 204,
}

var overrides = []override{
	{shape: "FunctionName", why: "AWS's pattern is newer than the model's", apply: pattern(lambda.NewFunctionNamePattern)},
	{shape: "NamespacedFunctionName", why: "AWS's pattern is newer than the model's", apply: pattern(lambda.FunctionNamePattern)},
	{shape: "NumericLatestPublishedOrAliasQualifier", why: "the recorded pattern", apply: pattern(lambda.QualifierPattern)},
	{shape: "LayerName", why: "the recorded pattern", apply: pattern(lambda.LayerNamePattern)},
	{shape: "LayerVersionArn", why: "AWS's pattern and length are newer than the model's", apply: func(s *shape) {
		s.Pattern, s.Max = lambda.LayerVersionARNPattern, number(2048)
	}},
	{shape: "Timeout", why: "the model has no maximum", apply: maximum(900)},
	{shape: "MemorySize", why: "the model's maximum is of functions on managed instances", apply: maximum(10240)},

	{shape: "RecursiveLoop", why: "AWS prints the other order", apply: func(s *shape) { s.Enum = []string{"Terminate", "Allow"} }},

	{shape: "TaggableResource", why: "AWS's pattern has layers too", apply: func(s *shape) {
		s.Pattern = strings.Replace(s.Pattern, "|code-signing-config:", "|layer:([a-zA-Z0-9-_]+)|code-signing-config:", 1)
	}},
	{shape: "InvokeMode", why: "AWS prints the other order", apply: func(s *shape) { s.Enum = []string{"RESPONSE_STREAM", "BUFFERED"} }},

	{shape: "SubnetId", why: "the model has no pattern", apply: id(`subnet-[0-9a-z]*`)},
	{shape: "SecurityGroupId", why: "the model has no pattern", apply: id(`sg-[0-9a-zA-Z]*`)},

	{member: "PublishLayerVersionRequest.CompatibleRuntimes", why: "AWS prints one list and accepts another", apply: func(s *shape) {
		s.flat, s.Enum = true, runtimeNames(lambda.Runtimes)
		s.accept = union(s.accept, runtimeNames(lambda.Runtimes), runtimeNames(lambda.FilterRuntimes))
	}},
	{member: "ListLayersRequest.CompatibleRuntime", why: "AWS prints a list that the model does not have", apply: filterRuntimes},
	{member: "ListLayerVersionsRequest.CompatibleRuntime", why: "AWS prints a list that the model does not have", apply: filterRuntimes},
	{member: "CreateFunctionRequest.Runtime", why: "an unknown runtime is an InvalidParameterValueException", apply: anyValue},
	{member: "UpdateFunctionConfigurationRequest.Runtime", why: "an unknown runtime is an InvalidParameterValueException", apply: anyValue},

	{shape: "Alias", why: "RE2 has no look-ahead", apply: without(`[a-zA-Z0-9-_]+`, `[0-9]+`)},
	{shape: "CollectionName", why: "RE2 has no look-ahead", apply: without(`[_a-zA-Z0-9][^$]*`, `(?s)system\..*`)},
	{shape: "FunctionUrlQualifier", why: "RE2 has no look-ahead", apply: without(`[0-9a-zA-Z-_]+`, `\d+`)},
	{shape: "S3Bucket", why: "RE2 has no look-behind", apply: without(`[0-9A-Za-z.\-_]*`, `.*\.`)},
}

// modelRegion begins a region in the model's newer patterns. AWS's own know those of the European Sovereign Cloud too, in each
// of the patterns that were recorded.
const modelRegion = `[a-z]{2}((-gov)|(-iso([a-z]?)))?-`

func pattern(p string) func(*shape)  { return func(s *shape) { s.Pattern = p } }
func maximum(n float64) func(*shape) { return func(s *shape) { s.Max = number(n) } }
func number(n float64) *float64      { return &n }
func anyValue(s *shape)              { s.Enum = nil }

// id is the recorded rule for identifiers of EC2.
func id(p string) func(*shape) {
	return func(s *shape) { s.Min, s.Max, s.Pattern = number(0), number(1024), p }
}

// without checks against one pattern and not against another; the message still prints the model's.
func without(check, except string) func(*shape) {
	return func(s *shape) { s.check, s.except = check, except }
}

func filterRuntimes(s *shape) {
	s.accept = union(s.Enum, runtimeNames(lambda.Runtimes), runtimeNames(lambda.FilterRuntimes))
	s.Enum = runtimeNames(lambda.FilterRuntimes)
}

func runtimeNames(rs []lambda.Runtime) []string {
	out := make([]string, len(rs))
	for i, r := range rs {
		out[i] = string(r)
	}
	return out
}

func union(lists ...[]string) []string {
	var out []string
	for _, l := range lists {
		for _, s := range l {
			if !slices.Contains(out, s) {
				out = append(out, s)
			}
		}
	}
	return out
}

// override applies the table to the model. A row that fits nothing is an error: the model has moved on.
func (m *model) override() error {
	for name, status := range statuses {
		o, ok := m.Operations[name]
		if !ok {
			return fmt.Errorf("there is no operation %s to override", name)
		}
		o.HTTP.ResponseCode = status
		m.Operations[name] = o
	}
	for _, s := range m.Shapes {
		s.Pattern = strings.ReplaceAll(s.Pattern, modelRegion, "(eusc-)?"+modelRegion)
	}
	for _, o := range overrides {
		s, err := m.overridden(o)
		if err != nil {
			return err
		}
		o.apply(s)
	}
	return nil
}

// overridden gives the shape that a row changes: a member's row changes a copy that only this member has.
func (m *model) overridden(o override) (*shape, error) {
	if o.member == "" {
		if s := m.Shapes[o.shape]; s != nil {
			return s, nil
		}
		return nil, fmt.Errorf("there is no shape %s to override", o.shape)
	}
	owner, name, _ := cut(o.member)
	if s := m.Shapes[owner]; s != nil {
		for i := range s.Members {
			if s.Members[i].Name == name {
				return m.own(owner, &s.Members[i]), nil
			}
		}
	}
	return nil, fmt.Errorf("there is no member %s to override", o.member)
}

func (m *model) own(owner string, x *member) *shape {
	s := *m.Shapes[x.Shape]
	if s.Type == "list" { // what its elements accept is the base of what the list accepts
		s.accept = m.Shapes[s.Member.Shape].Enum
	}
	x.Shape = owner + x.Name
	m.Shapes[x.Shape] = &s
	return &s
}
