package lambdaapi

// deref gives what a pointer points to, the zero value when it is nil: a member that was not sent.
func deref[T any](p *T) T {
	if p == nil {
		return *new(T)
	}
	return *p
}

// optional makes an empty string a member that is absent: AWS never writes "" where it means nothing.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
