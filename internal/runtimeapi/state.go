package runtimeapi

import (
	"slices"
	"time"
)

// State is where the runtime is, in AWS's words.
type State string

// The states of a runtime.
const (
	Started                 State = "Started"
	InitError               State = "InitError"
	Ready                   State = "Ready"
	Running                 State = "Running"
	InvocationResponse      State = "InvocationResponse"
	InvocationErrorResponse State = "InvocationErrorResponse"
	ResponseSent            State = "RuntimeResponseSentState"
)

// Invocation is one event as the runtime gets it. Empty members are not sent.
type Invocation struct {
	RequestID       string
	Deadline        time.Time
	FunctionARN     string // as the caller named it
	TraceID         string
	ClientContext   string // JSON
	CognitoIdentity string // JSON
	Payload         []byte
}

// Answer is what the runtime posted.
type Answer struct {
	Body        []byte
	ContentType string
	Failed      bool   // posted as an error
	ErrorType   string // of a failed one, as telemetry names it; "" when the runtime did not say
	// Fault is the platform's type of error when the answer itself was refused: FaultTooLarge or FaultResponseMode.
	Fault string
}

// Faults of an answer.
const (
	FaultTooLarge     = "Function.ResponseSizeTooLarge"
	FaultResponseMode = "Runtime.InvalidResponseModeHeader"
)

// Status is what happened so far.
type Status struct {
	State     State
	Answer    *Answer // of the current invocation, nil until there is one
	InitError *Answer // what was posted to init/error
}

// Changed receives when Status may have news.
func (s *Server) Changed() <-chan struct{} { return s.changed }

// Status gives the state of things.
func (s *Server) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Status{s.state, s.answer, s.initErr}
}

// Invoke hands an invocation to the runtime: at once when it waits in GET next, else with its next GET. The owner calls it
// in state Ready.
func (s *Server) Invoke(inv *Invocation) {
	s.mu.Lock()
	s.current, s.answer, s.pending = inv, nil, true
	for s.pending && len(s.parked) > 0 {
		c := s.parked[len(s.parked)-1]
		c.wmu.Lock() // before it is let go, so that nothing else is written to the connection first
		s.unpark(c)
		s.pending = false
		s.state = Running
		s.mu.Unlock()
		err := c.writeNext(inv)
		last := c.last
		c.wmu.Unlock()
		if err == nil && !last {
			return
		}
		c.nc.Close()
		if err == nil {
			return
		}
		s.mu.Lock()
		// The client had gone. Unless another connection has asked meanwhile, the event waits for the next GET.
		if s.current == inv && s.state == Running && s.answer == nil {
			s.pending = true
			s.state = Ready
		}
	}
	s.mu.Unlock()
}

// Forget lets go of the event and the answer of the invocation that ended: they may be large, and a runtime may be idle for
// long. The request ID stays known.
func (s *Server) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current != nil {
		s.current = &Invocation{RequestID: s.current.RequestID}
	}
	s.answer = nil
}

// next handles GET next: it gives the invocation to write, or parks the connection, or refuses.
func (s *Server) next(c *conn) (inv *Invocation, refused *failure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case c.cut:
		return nil, failureInternal
	case s.state == Running:
		return s.current, nil
	case s.state != Started && s.state != Ready && s.state != ResponseSent:
		return nil, s.transition(Ready)
	case s.pending:
		s.pending = false
		s.state = Running
		return s.current, nil
	default:
		s.state = Ready
		s.parked = append(s.parked, c)
		c.released = make(chan struct{})
		s.notify()
		return nil, nil
	}
}

// begin starts to take an answer.
func (s *Server) begin(c *conn, id string, to State) *failure {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case c.cut:
		return failureInternal
	case s.current == nil || s.current.RequestID != id:
		return failureRequestID
	case s.state != Running:
		return s.transition(to)
	}
	s.state = to
	return nil
}

// finish takes the answer whose reception began; nil goes back to Running, since the body never arrived whole.
func (s *Server) finish(c *conn, a *Answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.cut {
		return
	}
	if a == nil {
		s.state = Running
		return
	}
	s.state = ResponseSent
	s.answer = a
	s.notify()
}

// initError takes what was posted to init/error.
func (s *Server) initError(c *conn, a *Answer) *failure {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case c.cut:
		return failureInternal
	case s.state != Started:
		return s.transition(InitError)
	}
	s.state = InitError
	s.initErr = a
	s.notify()
	return nil
}

// unpark takes a connection out of those that wait.
func (s *Server) unpark(c *conn) {
	if i := slices.Index(s.parked, c); i >= 0 {
		s.parked = slices.Delete(s.parked, i, i+1)
		close(c.released)
	}
}

// waitsFor gives a channel that closes when the connection's GET next has been answered, nil when it does not wait.
func (s *Server) waitsFor(c *conn) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if slices.Contains(s.parked, c) {
		return c.released
	}
	return nil
}

func (s *Server) transition(to State) *failure { return transitionFailure(s.state, to) }
