package lambdaapi

import (
	"github.com/laminadev/lamina/internal/control"
	"github.com/laminadev/lamina/internal/lambda"
)

// functionRef reads the function that a request is about: FunctionName, and ?Qualifier where the operation has it.
func (c *call) functionRef(name string, qualifier *string) (lambda.FunctionRef, error) {
	ref, err := lambda.ParseFunctionRef(name, c.Scope)
	if err != nil {
		return ref, err
	}
	return control.Qualify(ref, lambda.Qualifier(deref(qualifier)))
}
