package execenv

import (
	"maps"
	"slices"

	"github.com/laminadev/lamina/internal/lambda"
)

// Functions gives the IDs of the functions that the pool has environments of, or had a moment ago.
func (p *Pool) Functions() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	ids := map[string]bool{}
	for key := range p.fleets {
		ids[key.functionID] = true
	}
	return slices.Sorted(maps.Keys(ids))
}

// RetireOlder is Retire for who may have learnt of the newest revision late: revisions after it stay.
func (p *Pool) RetireOlder(functionID string, newest int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for key, f := range p.fleets {
		if key.functionID != functionID || key.revision >= newest || key.version != string(lambda.VersionLatest) {
			continue
		}
		f.retired = true
		p.endUnused(f)
	}
}
