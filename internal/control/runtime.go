package control

import (
	"slices"

	"github.com/laminadev/lamina/internal/lambda"
)

// checkRuntime refuses a runtime that no new function may have; "" is none and passes.
func checkRuntime(r lambda.Runtime) error {
	if r == "" || slices.Contains(lambda.Runtimes, r) {
		return nil
	}
	if slices.Contains(lambda.DeprecatedRuntimes, r) {
		return lambda.Errorf(lambda.Invalid, "The runtime parameter of %s is no longer supported for creating or updating AWS Lambda "+
			"functions. We recommend you use a supported runtime while creating or updating functions.", r)
	}
	// AWS writes this one without quotes and without "1 validation error detected".
	return lambda.Errorf(lambda.Invalid, "Value %s at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: %s "+
		"or be a valid ARN", r, printList(lambda.Runtimes))
}

// printList prints a list as AWS does: [a, b].
func printList[T ~string](list []T) string {
	s := "["
	for i, v := range list {
		if i > 0 {
			s += ", "
		}
		s += string(v)
	}
	return s + "]"
}
