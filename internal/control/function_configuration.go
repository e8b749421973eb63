package control

import (
	"context"

	"github.com/laminadev/lamina/internal/lambda"
)

// UpdateFunctionConfigurationInput is the request of UpdateFunctionConfiguration; a nil member stays as it is.
type UpdateFunctionConfigurationInput struct {
	Caller          lambda.Scope
	Ref             lambda.FunctionRef
	Runtime         *lambda.Runtime
	Handler         *string
	Role            *string
	Description     *string
	MemorySize      *int
	Timeout         *int
	StorageSize     *int
	Environment     *lambda.Variables
	EnvironmentJSON string // as in CreateFunctionInput
	TracingMode     *string
	SnapStart       *string
	Logging         *LoggingUpdate
	KMSKeyARN       *string
	DeadLetterARN   *string
	VPC             *lambda.VPCConfig          // one without subnets takes the function out of its VPC
	FileSystems     *[]lambda.FileSystemConfig // an empty list removes all
	Layers          *[]string                  // an empty list removes all
	RevisionID      lambda.RevisionID
	NotBuilt        []string // as in CreateFunctionInput
}

// LoggingUpdate is merged with the LoggingConfig that is there: an empty member stays as it is.
type LoggingUpdate = lambda.LoggingConfig

// UpdateFunctionConfiguration changes a function's configuration and layers.
func (s *Service) UpdateFunctionConfiguration(ctx context.Context, in UpdateFunctionConfigurationInput) (Described, error) {
	f, err := s.findLatest(ctx, in.Caller, in.Ref)
	if err != nil {
		return Described{}, err
	}
	if err := s.checkUpdateConfiguration(in); err != nil {
		return Described{}, err
	}
	if err := checkUpdatable(f, in.RevisionID); err != nil {
		return Described{}, err
	}
	var layers attachment
	if in.Layers != nil {
		if layers, err = s.attach(ctx, in.Caller, *in.Layers); err != nil {
			return Described{}, err
		}
	}
	f, err = s.revise(ctx, in.Ref, in.RevisionID, func(r *lambda.Revision) error {
		if in.Logging != nil {
			if err := checkLogging(r.Config.Logging, *in.Logging); err != nil {
				return err
			}
		}
		in.apply(&r.Config)
		if err := checkVPC(&r.Config); err != nil {
			return err
		}
		if in.Layers == nil {
			return nil
		}
		r.Layers, r.ShadowMap = layers.layers, layers.shadows
		return s.checkTotal(*r)
	})
	return latest(f), err
}

func (s *Service) checkUpdateConfiguration(in UpdateFunctionConfigurationInput) error {
	if err := checkMembers(in.NotBuilt); err != nil {
		return err
	}
	if in.Runtime != nil {
		if err := checkRuntime(*in.Runtime); err != nil {
			return err
		}
	}
	return s.checkEnvironment(in.Environment, in.EnvironmentJSON)
}

// apply lays the members that were sent over a configuration.
func (in UpdateFunctionConfigurationInput) apply(c *lambda.Configuration) {
	set(&c.Runtime, in.Runtime)
	set(&c.Handler, in.Handler)
	set(&c.Role, in.Role)
	set(&c.Description, in.Description)
	set(&c.MemorySize, in.MemorySize)
	set(&c.Timeout, in.Timeout)
	set(&c.StorageSize, in.StorageSize)
	set(&c.TracingMode, in.TracingMode)
	set(&c.SnapStart, in.SnapStart)
	set(&c.KMSKeyARN, in.KMSKeyARN)
	set(&c.DeadLetterARN, in.DeadLetterARN)
	set(&c.FileSystems, in.FileSystems)
	if in.VPC != nil {
		c.VPC = in.VPC
	}
	if in.Environment != nil {
		c.Environment = in.Environment
	}
	if in.Logging != nil {
		c.Logging = mergeLogging(c.Logging, *in.Logging)
	}
}

func set[T any](member *T, sent *T) {
	if sent != nil {
		*member = *sent
	}
}
