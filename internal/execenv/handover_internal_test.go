package execenv

import (
	"testing"

	"github.com/laminadev/lamina/internal/lambda"
)

// TestHandOver: an invocation that waits for an environment which has answered is not sent away because another one ends; it is
// when the one that it waits for does.
func TestHandOver(t *testing.T) {
	for _, tc := range []struct {
		name    string
		waiting int
		end     string         // "busy": one that has not answered ends; "ending": one that has does; "put": one that has is idle
		want    map[int]string // what those that wait got; nothing: they go on waiting
	}{
		{"another ends", 1, "busy", map[int]string{}},
		{"its own ends", 1, "ending", map[int]string{0: "nothing"}},
		{"its own comes", 1, "put", map[int]string{0: "ending"}},
		{"two wait for one that comes", 2, "put", map[int]string{0: "ending"}},
		{"two wait for one that ends", 2, "ending", map[int]string{0: "nothing"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := New(Options{})
			f := p.fleet(fleetKey{functionID: "f"})
			environments := map[string]*environment{}
			for _, name := range []string{"busy", "ending"} {
				p.work.Add(1)
				f.live++
				environments[name] = newEnvironment(p, f, &lambda.Revision{}, "$LATEST")
				p.taken(environments[name])
			}
			p.answered(environments["ending"])
			var places []chan *environment
			for range tc.waiting {
				places = append(places, make(chan *environment, 1))
			}
			f.waiting = append(f.waiting, places...)
			if tc.end == "put" {
				p.put(environments["ending"])
			} else {
				p.discard(environments[tc.end])
			}
			for i, place := range places {
				got := ""
				select {
				case e := <-place:
					got = "nothing"
					for name, one := range environments {
						if e == one {
							got = name
						}
					}
				default:
				}
				if got != tc.want[i] {
					t.Errorf("place %d: got %q, want %q", i, got, tc.want[i])
				}
			}
		})
	}
}
