package daemon

// Problem is a failure of this machine that its user can mend.
type Problem struct {
	Text string // what could not be done and why
	Todo string // what to do next, a line for each way
	Err  error
}

func (p *Problem) Error() string { return p.Text }

// Unwrap gives the cause.
func (p *Problem) Unwrap() error { return p.Err }

// Hint says what to do next.
func (p *Problem) Hint() string { return p.Todo }
