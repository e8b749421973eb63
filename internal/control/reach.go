package control

import (
	"context"
	"fmt"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/lambda"
)

const noSuchResource = "The resource you requested does not exist."

// Qualify joins the qualifier of ?Qualifier, "" when there is none, with the one in the function's name; two that differ are
// of kind Invalid.
func Qualify(ref lambda.FunctionRef, q lambda.Qualifier) (lambda.FunctionRef, error) {
	if q == "" || q == ref.Qualifier {
		return ref, nil
	}
	if ref.Qualifier != "" {
		return ref, lambda.Errorf(lambda.Invalid,
			"The derived qualifier from the function name does not match the specified qualifier.")
	}
	ref.Qualifier = q
	return ref, nil
}

// Reach refuses a function of another account (kind Denied, with AWS's empty text) or of another region (kind NotFound).
func Reach(caller lambda.Scope, ref lambda.FunctionRef) error {
	if foreign(caller, ref.Scope) {
		return &lambda.Error{Kind: lambda.Denied, Err: fmt.Errorf("%s is not for %s", ref.ARN(), caller)}
	}
	if ref.Region != caller.Region {
		return lambda.Errorf(lambda.NotFound, "Functions from '%s' are not reachable in this region ('%s')", ref.Region, caller.Region)
	}
	return nil
}

// find gives the function of a request that is about the function or its $LATEST.
func (s *Service) find(ctx context.Context, caller lambda.Scope, ref lambda.FunctionRef) (catalog.Function, error) {
	if err := Reach(caller, ref); err != nil {
		return catalog.Function{}, err
	}
	if ref.Qualifier != "" && ref.Qualifier != lambda.VersionLatest {
		return catalog.Function{}, lambda.Errorf(lambda.NotFound, "%s", functionNotFound(ref))
	}
	f, err := s.catalog.GetFunction(ctx, ref.FunctionKey)
	return f, kindText(err, lambda.NotFound, functionNotFound(ref))
}

// findLatest gives the function of a request that changes it, for which versions and aliases cannot be named.
func (s *Service) findLatest(ctx context.Context, caller lambda.Scope, ref lambda.FunctionRef) (catalog.Function, error) {
	if err := Reach(caller, ref); err != nil {
		return catalog.Function{}, err
	}
	if ref.Qualifier != "" && ref.Qualifier != lambda.VersionLatest {
		return catalog.Function{}, lambda.Errorf(lambda.Invalid, "Current operation does not support versions other than $LATEST. "+
			"Please set the version to $LATEST or do not set a version in your request.")
	}
	return s.find(ctx, caller, ref)
}

func functionNotFound(ref lambda.FunctionRef) string {
	return "Function not found: " + ref.QualifiedARN(ref.Qualifier)
}

// layerDenied is what AWS answers about a layer of another account, whether it exists or not, in any region.
func layerDenied(caller lambda.Scope, action, resource string) error {
	return lambda.Errorf(lambda.Denied, "User: arn:%s:iam::%s:root is not authorized to perform: lambda:%s on resource: %s "+
		"because no resource-based policy allows the lambda:%s action", caller.Partition, caller.Account, action, resource, action)
}

func foreign(caller, owner lambda.Scope) bool {
	return owner.Account != caller.Account || owner.Partition != caller.Partition
}
