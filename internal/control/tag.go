package control

import (
	"context"
	"maps"
	"strings"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/lambda"
)

// tagged reads the ARN of a request on tags, and gives the function that it names.
func (s *Service) tagged(ctx context.Context, caller lambda.Scope, resource string) (lambda.FunctionRef, catalog.Function, error) {
	ref, err := lambda.ParseFunctionRef(resource, caller)
	if err != nil || !strings.Contains(resource, ":function:") {
		return ref, catalog.Function{}, notBuilt("tags of resources other than functions")
	}
	if ref.Qualifier != "" {
		return ref, catalog.Function{}, lambda.Errorf(lambda.Invalid,
			"Tags on function aliases and versions are not supported. Please specify a function ARN.")
	}
	f, err := s.find(ctx, caller, ref)
	return ref, f, err
}

// TagResource adds tags to a function.
func (s *Service) TagResource(ctx context.Context, caller lambda.Scope, resource string, tags map[string]string) error {
	ref, _, err := s.tagged(ctx, caller, resource)
	if err != nil {
		return err
	}
	if len(tags) == 0 {
		return lambda.Errorf(lambda.Invalid, "An error occurred and the request cannot be processed.")
	}
	return s.retag(ctx, ref, func(all map[string]string) error {
		maps.Copy(all, tags)
		if len(all) > lambda.MaxTags {
			return lambda.Errorf(lambda.Invalid, "Number of tags exceeds resource tag limit.")
		}
		return nil
	})
}

// UntagResource takes tags from a function; those that it does not have are no error.
func (s *Service) UntagResource(ctx context.Context, caller lambda.Scope, resource string, keys []string) error {
	ref, _, err := s.tagged(ctx, caller, resource)
	if err != nil {
		return err
	}
	return s.retag(ctx, ref, func(all map[string]string) error {
		for _, key := range keys {
			delete(all, key)
		}
		return nil
	})
}

func (s *Service) retag(ctx context.Context, ref lambda.FunctionRef, change func(map[string]string) error) error {
	_, err := s.catalog.UpdateFunction(ctx, ref.FunctionKey, 0, func(f *catalog.Function) error {
		all := maps.Clone(f.Tags)
		if all == nil {
			all = map[string]string{}
		}
		f.Tags = all
		return change(all)
	})
	return kindText(err, lambda.NotFound, functionNotFound(ref))
}

// ListTags gives the tags of a function. A code signing configuration has none: none are taken when it is made.
func (s *Service) ListTags(ctx context.Context, caller lambda.Scope, resource string) (map[string]string, error) {
	if codeSigningID(caller, resource) != "" {
		_, err := s.GetCodeSigningConfig(ctx, caller, resource)
		return nil, err
	}
	_, f, err := s.tagged(ctx, caller, resource)
	return f.Tags, err
}
