package control

import (
	"context"
	"maps"
	"strings"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/lambda"
)

// A function and a code signing configuration have tags.

// TagResource adds tags to a resource.
func (s *Service) TagResource(ctx context.Context, caller lambda.Scope, resource string, tags map[string]string) error {
	return s.retag(ctx, caller, resource, func(all map[string]string) error {
		if len(tags) == 0 {
			return lambda.Errorf(lambda.Invalid, "An error occurred and the request cannot be processed.")
		}
		maps.Copy(all, tags)
		return checkTags(all)
	})
}

// UntagResource takes tags from a resource; those that it does not have are no error.
func (s *Service) UntagResource(ctx context.Context, caller lambda.Scope, resource string, keys []string) error {
	return s.retag(ctx, caller, resource, func(all map[string]string) error {
		for _, key := range keys {
			delete(all, key)
		}
		return nil
	})
}

// ListTags gives the tags of a resource.
func (s *Service) ListTags(ctx context.Context, caller lambda.Scope, resource string) (map[string]string, error) {
	if codeSigningID(caller, resource) != "" {
		c, err := s.GetCodeSigningConfig(ctx, caller, resource)
		return c.Tags, err
	}
	_, f, err := s.tagged(ctx, caller, resource)
	return f.Tags, err
}

func checkTags(tags map[string]string) error {
	if len(tags) > lambda.MaxTags {
		return lambda.Errorf(lambda.Invalid, "Number of tags exceeds resource tag limit.")
	}
	return nil
}

// retag lets change work on a copy of a resource's tags.
func (s *Service) retag(ctx context.Context, caller lambda.Scope, resource string, change func(map[string]string) error) error {
	if id := codeSigningID(caller, resource); id != "" {
		_, err := s.catalog.UpdateCodeSigningConfig(ctx, caller, id, func(c *catalog.CodeSigningConfig) error {
			return retagged(&c.Tags, change)
		})
		return missingCodeSigning(err, resource)
	}
	ref, _, err := s.tagged(ctx, caller, resource)
	if err != nil {
		return err
	}
	_, err = s.catalog.UpdateFunction(ctx, ref.FunctionKey, 0, func(f *catalog.Function) error {
		return retagged(&f.Tags, change)
	})
	return kindText(err, lambda.NotFound, functionNotFound(ref))
}

func retagged(tags *map[string]string, change func(map[string]string) error) error {
	all := maps.Clone(*tags)
	if all == nil {
		all = map[string]string{}
	}
	*tags = all
	return change(all)
}

// tagged reads the ARN of a request on tags, and gives the function that it names.
func (s *Service) tagged(ctx context.Context, caller lambda.Scope, resource string) (lambda.FunctionRef, catalog.Function, error) {
	ref, err := lambda.ParseFunctionRef(resource, caller)
	if err != nil || !strings.Contains(resource, ":function:") {
		return ref, catalog.Function{}, notBuilt("tags of resources other than functions and code signing configurations")
	}
	if ref.Qualifier != "" {
		return ref, catalog.Function{}, lambda.Errorf(lambda.Invalid,
			"Tags on function aliases and versions are not supported. Please specify a function ARN.")
	}
	f, err := s.find(ctx, caller, ref)
	return ref, f, err
}
