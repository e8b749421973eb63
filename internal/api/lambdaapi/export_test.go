package lambdaapi

// Member is a member of an operation's input, as the generated tables have it.
type Member struct {
	Name     string
	In       string // "body", "path", "query", "header" or "payload"
	Wire     string // its name there
	Required bool
	Shape    Shape
}

// Shape is a type of the tables.
type Shape struct{ s *shape }

// Members gives the members of an operation's input.
func Members(r Route) []Member { return Shape{r.input}.Members() }

// Members gives the members of a structure.
func (s Shape) Members() []Member {
	var out []Member
	for i := range s.s.members {
		m := &s.s.members[i]
		in := [...]string{inBody: "body", inPath: "path", inQuery: "query", inHeader: "header", inPayload: "payload"}[m.in]
		out = append(out, Member{Name: m.name, In: in, Wire: m.wireName(), Required: m.required, Shape: Shape{m.shape}})
	}
	return out
}

// Kind is the type's name: String, Integer, Long, Double, Boolean, Date, ByteBuffer, structure, List or Map.
func (s Shape) Kind() string { return s.s.kind.String() }

// Element is the type of what a list or map holds.
func (s Shape) Element() Shape { return Shape{s.s.element} }

// Bounds are the limits of a number or of a length; nil where there is none.
func (s Shape) Bounds() (least, most *float64) {
	if s.s.min.set {
		least = &s.s.min.n
	}
	if s.s.max.set {
		most = &s.s.max.n
	}
	return least, most
}

// Enum are the values that pass.
func (s Shape) Enum() []string { return s.s.enum }

// Matches reports whether a text satisfies the pattern.
func (s Shape) Matches(text string) bool { return s.s.pattern == nil || s.s.pattern.matches(text) }
