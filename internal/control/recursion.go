package control

import (
	"context"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/lambda"
)

// DefaultRecursion is what AWS does with a function that calls itself when nobody has said anything.
const DefaultRecursion = "Terminate"

// GetFunctionRecursionConfig gives what is recorded for a function that calls itself.
func (s *Service) GetFunctionRecursionConfig(ctx context.Context, caller lambda.Scope, ref lambda.FunctionRef) (string, error) {
	if _, err := s.findWhole(ctx, caller, ref, ""); err != nil {
		return "", err
	}
	loop, _, err := readRecord[string](ctx, s, ref, catalog.RecordRecursion)
	if lambda.IsKind(err, lambda.NotFound) {
		return DefaultRecursion, nil
	}
	return loop, err
}

// PutFunctionRecursionConfig records what to do with a function that calls itself.
func (s *Service) PutFunctionRecursionConfig(ctx context.Context, caller lambda.Scope, ref lambda.FunctionRef, loop string) error {
	if _, err := s.findWhole(ctx, caller, ref, ""); err != nil {
		return err
	}
	_, err := changeRecord(ctx, s, ref, catalog.RecordRecursion, func(*string) (*string, error) { return &loop, nil })
	return kindText(err, lambda.NotFound, functionNotFound(ref))
}
