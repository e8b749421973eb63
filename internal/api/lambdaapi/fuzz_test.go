package lambdaapi_test

import (
	"encoding/json"
	"testing"

	"github.com/laminadev/lamina/internal/api/lambdaapi"
)

// FuzzMembers gives one member of one operation any value: JSON in the body, text elsewhere.
func FuzzMembers(f *testing.F) {
	for i, op := range lambdaapi.Routes {
		for j, m := range lambdaapi.Members(op) {
			if lambdaapi.Built(op.Name) {
				v, _ := json.Marshal(samples[m.Name])
				f.Add(uint8(i), uint8(j), string(v))
			}
		}
	}
	g := newTarget(f)
	f.Fuzz(func(t *testing.T, operation, member uint8, value string) {
		op := lambdaapi.Routes[int(operation)%len(lambdaapi.Routes)]
		members := lambdaapi.Members(op)
		if len(members) == 0 {
			t.Skip("an operation without members")
		}
		g.t = t
		g.restore()
		m := members[int(member)%len(members)]
		s := request(op, input(op), map[string]string{m.Name: value})
		s.what, s.broken = m.Name, true
		g.send(s)
	})
}
