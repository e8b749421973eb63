package daemon

import (
	"context"
	"testing"

	"github.com/laminadev/lamina/internal/api"
	"github.com/laminadev/lamina/internal/blob"
	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/objects"
)

// fetches counts what it was asked for.
type fetches int

func (f *fetches) Stage(context.Context, lambda.Scope, objects.Ref, int64) (*blob.Staged, error) {
	*f++
	return nil, nil
}

// TestForPeople: the server's own keys for another S3 are not at the service of functions.
func TestForPeople(t *testing.T) {
	var asked fetches
	o := forPeople{&asked}
	if _, err := o.Stage(api.FromSandbox(t.Context(), "000000000000"), lambda.Scope{}, objects.Ref{}, 1); !objects.IsCode(err, objects.AccessDenied) || asked != 0 {
		t.Errorf("a function: got %v and %d fetches", err, asked)
	}
	if _, err := o.Stage(t.Context(), lambda.Scope{}, objects.Ref{}, 1); err != nil || asked != 1 {
		t.Errorf("somebody else: got %v and %d fetches", err, asked)
	}
}
