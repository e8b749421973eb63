package execenv

import (
	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/telemetry"
)

// Tail gives the log tail of events.
func Tail(whole bool, events ...telemetry.Event) []byte {
	t := tail{whole: whole}
	for _, e := range events {
		t.Consume(e)
	}
	return t.bytes()
}

// NewCutter makes what cuts a pipe into events.
func NewCutter(framed bool, emit func(string)) interface {
	Write(p []byte)
	Flush()
} {
	l := &lines{emit: emit}
	if framed {
		return &frames{text: l}
	}
	return l
}

// Frozen counts the environments that are stopped.
func (p *Pool) Frozen() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, f := range p.fleets {
		for _, e := range f.idle {
			if e.frozen {
				n++
			}
		}
	}
	return n
}

// Spares counts the runtimes that have booted and wait for a function.
func (p *Pool) Spares() int {
	p.spares.mu.Lock()
	defer p.spares.mu.Unlock()
	n := 0
	for _, s := range p.spares.ready {
		if s.api.Connected() {
			n++
		}
	}
	return n
}

// EndSpares ends them, unless one is still booting: then it reports false.
func (p *Pool) EndSpares() bool {
	p.spares.mu.Lock()
	defer p.spares.mu.Unlock()
	if len(p.spares.booting) > 0 {
		return false
	}
	for _, s := range p.spares.ready {
		p.spares.end(s)
	}
	p.spares.ready = nil
	return true
}

// Booting counts the runtimes that boot.
func (p *Pool) Booting() int {
	p.spares.mu.Lock()
	defer p.spares.mu.Unlock()
	n := 0
	for _, booting := range p.spares.booting {
		n += booting
	}
	return n
}

// Ahead counts the environments that were initialised ahead and wait for their first invocation.
func (p *Pool) Ahead() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, f := range p.fleets {
		for _, e := range f.idle {
			if e.ahead {
				n++
			}
		}
	}
	return n
}

// WantedAhead counts those that are being initialised, too.
func (p *Pool) WantedAhead() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ahead
}

// BeginAhead has an environment of $LATEST initialised ahead.
func (p *Pool) BeginAhead(rev *lambda.Revision) {
	p.mu.Lock()
	defer p.mu.Unlock()
	const version = string(lambda.VersionLatest)
	p.beginAhead(p.fleet(fleetKey{rev.FunctionID, rev.Number, version}), rev, version)
}
