package lambdaapi

import (
	"regexp"
	"sync"

	"github.com/laminadev/lamina/internal/api/jsonstream"
)

// kind is the type of a shape.
type kind uint8

const (
	kindString kind = iota
	kindInteger
	kindLong
	kindDouble
	kindBoolean
	kindTimestamp
	kindBlob
	kindStructure
	kindList
	kindMap
)

var kindNames = [...]string{"String", "Integer", "Long", "Double", "Boolean", "Date", "ByteBuffer", "structure", "List", "Map"}

func (k kind) String() string { return kindNames[k] }

func (k kind) scalar() bool { return k < kindStructure }

// shape is a type of the service model with its constraints. The tables are generated: zz_constraints.go.
type shape struct {
	kind      kind
	sensitive bool     // the value is not printed
	min, max  bound    // of a number its value, of anything else its length
	pattern   *pattern // of a string
	enum      []string // what the message prints; of a list, what each of its elements may be
	accept    []string // what passes, when that is more than enum
	members   []member // of a structure
	key       *shape   // of a map
	element   *shape   // of a list or map
}

// bound is a limit that may be there.
type bound struct {
	set bool
	n   float64
}

// member is a member of a structure.
type member struct {
	name     string
	in       location
	wire     string // the name in the path, the query or the headers, where it differs
	required bool
	shape    *shape
}

// location says which part of a request a member is in.
type location uint8

const (
	inBody location = iota
	inPath
	inQuery
	inHeader
	inPayload // the whole body
)

func (m *member) wireName() string {
	if m.wire != "" {
		return m.wire
	}
	return m.name
}

// pattern is a regular expression that a whole value must match. It is compiled when it is first needed.
type pattern struct {
	text   string // as AWS prints it
	check  string // what is checked in place of text, where Go cannot read text
	except string // what must not match

	once           sync.Once
	match, exclude *regexp.Regexp
}

func (p *pattern) matches(s string) bool {
	p.once.Do(p.compile)
	return p.match.MatchString(s) && (p.exclude == nil || !p.exclude.MatchString(s))
}

func (p *pattern) compile() {
	check := p.check
	if check == "" {
		check = p.text
	}
	p.match = whole(check)
	if p.except != "" {
		p.exclude = whole(p.except)
	}
}

func whole(p string) *regexp.Regexp { return regexp.MustCompile(`\A(?:` + p + `)\z`) }

// Member makes a shape a jsonstream.Filter: of a structure only the members that are in the body are kept, and blobs are
// streamed.
func (s *shape) Member(name string) (jsonstream.Filter, jsonstream.Action) {
	switch s.kind {
	case kindMap:
		return s.element, jsonstream.Keep
	case kindStructure:
		for i := range s.members {
			if m := &s.members[i]; m.name == name && m.in == inBody {
				return m.shape, m.shape.action()
			}
		}
	}
	return nil, jsonstream.Skip
}

// Element keeps the elements of a list.
func (s *shape) Element() (jsonstream.Filter, jsonstream.Action) {
	if s.kind == kindList {
		return s.element, jsonstream.Keep
	}
	return nil, jsonstream.Skip
}

func (s *shape) action() jsonstream.Action {
	if s.kind == kindBlob {
		return jsonstream.Stream
	}
	return jsonstream.Keep
}

// hasBody reports whether an input has members in its body.
func (s *shape) hasBody() bool {
	for i := range s.members {
		if s.members[i].in == inBody {
			return true
		}
	}
	return false
}
