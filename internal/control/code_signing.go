package control

import (
	"context"

	"github.com/laminadev/lamina/internal/lambda"
)

// Code signing configurations cannot be created yet, so there are none: these are the answers about none.

// CheckCodeSigning finds the function whose code signing configuration is asked for or taken away; it has none.
func (s *Service) CheckCodeSigning(ctx context.Context, caller lambda.Scope, ref lambda.FunctionRef) error {
	_, err := s.find(ctx, caller, lambda.FunctionRef{FunctionKey: ref.FunctionKey})
	return err
}

// CodeSigningMissing is the error about a code signing configuration.
func CodeSigningMissing(arn string) error {
	return lambda.Errorf(lambda.NotFound, "The Lambda code signing configuration %s can not be found.", arn).WithoutType()
}

// PutCodeSigningMissing is the error when a function is to get one. It comes before any about the function.
func PutCodeSigningMissing(arn string) error {
	return lambda.Errorf(lambda.NotFound,
		"The code signing configuration cannot be found. Check that the provided configuration is not deleted: %s.", arn).WithoutType()
}
