package lambda

import (
	"regexp"
	"strconv"
)

// Patterns that AWS prints in its messages, and that the door checks names against (recorded from AWS).
const (
	// FunctionNamePattern is what most operations print.
	FunctionNamePattern = `(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_\.]+)(:(\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9-_]+))?`
	// NewFunctionNamePattern is what CreateFunction prints.
	NewFunctionNamePattern = `(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?`
	// QualifierPattern is what operations with ?Qualifier print.
	QualifierPattern = `\$(LATEST(\.PUBLISHED)?)|[a-zA-Z0-9-_$]+`
	// URLQualifierPattern is what operations on function URLs print: an alias.
	URLQualifierPattern = `((?!^\d+$)^[0-9a-zA-Z-_]+$)`
	// LayerNamePattern is what operations with {LayerName} print: a name or a layer ARN without version.
	LayerNamePattern = `(arn:[a-zA-Z0-9-]+:lambda:[a-zA-Z0-9-]+:\d{12}:layer:[a-zA-Z0-9-_]+)|[a-zA-Z0-9-_]+`
	// LayerVersionARNPattern is what operations with a layer version ARN print.
	LayerVersionARNPattern = `(arn:(aws[a-zA-Z-]*)?:lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:layer:[a-zA-Z0-9-_]+:[0-9]+)|(arn:[a-zA-Z0-9-]+:lambda:::awslayer:[a-zA-Z0-9-_]+)`
)

var (
	functionRef     = regexp.MustCompile(`^(?:arn:(aws[a-zA-Z-]*)?:lambda:)?((?:eusc-)?[a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]+-\d:)?(\d{12}:)?(?:function:)?([a-zA-Z0-9-_.]+)(?::(\$LATEST(?:\.PUBLISHED)?|[a-zA-Z0-9-_]+))?$`)
	layerRef        = regexp.MustCompile(`^(?:arn:([a-zA-Z0-9-]+):lambda:([a-zA-Z0-9-]+):(\d{12}):layer:)?([a-zA-Z0-9-_]+)$`)
	layerVersionARN = regexp.MustCompile(`^arn:(aws[a-zA-Z-]*):lambda:((?:eusc-)?[a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]+-\d):(\d{12}):layer:([a-zA-Z0-9-_]+):([0-9]{1,18})$`)
)

// FunctionRef is a function as a caller named it: by name, partial ARN or ARN, with or without a qualifier.
type FunctionRef struct {
	FunctionKey
	Qualifier Qualifier // "" when none was given
}

// ParseFunctionRef reads what AWS accepts as a FunctionName: "name", "name:qualifier", "123456789012:function:name",
// "function:name", or a full ARN. Parts that are not given come from here. It is an error when nothing of that matches.
func ParseFunctionRef(s string, here Scope) (FunctionRef, error) {
	if isBareName(s) { // of most calls; the expression takes longer than all else that a call needs of its name
		return FunctionRef{FunctionKey: FunctionKey{here, FunctionName(s)}}, nil
	}
	m := functionRef.FindStringSubmatch(s)
	if m == nil {
		return FunctionRef{}, Errorf(Constraint, "%q is not a function name or ARN", s)
	}
	ref := FunctionRef{FunctionKey{here, FunctionName(m[4])}, Qualifier(m[5])}
	if m[1] != "" {
		ref.Partition = m[1]
	}
	if m[2] != "" {
		ref.Region = m[2][:len(m[2])-1]
	}
	if m[3] != "" {
		ref.Account = m[3][:12]
	}
	return ref, nil
}

// isBareName reports whether a function is named by nothing but its name.
func isBareName(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.':
		default:
			return false
		}
	}
	return s != ""
}

// ParseLayerRef reads a layer name or the ARN of a layer without version.
func ParseLayerRef(s string, here Scope) (LayerKey, error) {
	m := layerRef.FindStringSubmatch(s)
	if m == nil {
		return LayerKey{}, Errorf(Constraint, "%q is not a layer name or ARN", s)
	}
	if m[1] == "" {
		return LayerKey{here, LayerName(m[4])}, nil
	}
	return LayerKey{Scope{Partition: m[1], Region: m[2], Account: m[3]}, LayerName(m[4])}, nil
}

// ParseLayerVersionARN reads the ARN of a layer version.
func ParseLayerVersionARN(s string) (LayerVersionARN, error) {
	m := layerVersionARN.FindStringSubmatch(s)
	if m == nil {
		return LayerVersionARN{}, Errorf(Constraint, "%q is not the ARN of a layer version", s)
	}
	n, err := strconv.ParseInt(m[5], 10, 64)
	if err != nil {
		return LayerVersionARN{}, Errorf(Constraint, "%q is not the ARN of a layer version", s)
	}
	return LayerVersionARN{LayerKey{Scope{Partition: m[1], Region: m[2], Account: m[3]}, LayerName(m[4])}, n}, nil
}
